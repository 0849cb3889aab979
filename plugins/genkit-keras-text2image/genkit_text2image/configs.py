"""Settings and options; this module is free of Keras, so that help and errors stay fast."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

import genkit


class CaptionedConfig(genkit.Config):
    """What any captioned pictures are set by."""

    split: Literal["train", "test", "all"] = Field(
        "train", description="Which pictures: for training, held out, or all"
    )
    held_out: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the pictures held out at most: new combinations of known words",
    )
    known: int = Field(
        4, ge=1, description="Training captions, at least, that each word of a held-out one is in"
    )
    split_seed: int = Field(0, ge=0, lt=2**31, description="Seed of what is held out")
    longest: int = Field(
        16, ge=2, le=256, description="Words of a caption; those behind are cut off, and counted"
    )
    vocabulary: int = Field(
        4096, ge=1, le=1_000_000, description="Words that are known, the most frequent ones"
    )
    widen: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of captions that get some of the picture's keywords and category words, "
        "anew in each batch of training",
    )
    drop_words: float = Field(
        0.1, ge=0, lt=1, description="Share of words that are left out, anew in each batch"
    )


class FolderConfig(CaptionedConfig):
    """Settings of ``captioned-folder``."""

    path: genkit.AbsolutePath = Field(description="The folder, with metadata.jsonl in it")
    side: int = Field(
        64, ge=4, le=1024, description="Pixels a side; pictures of other sizes are resized"
    )
    mode: Literal["RGB", "L"] = Field("RGB", description="Pictures in colour (RGB) or gray (L)")


class EmojiConfig(FolderConfig):
    """Settings of ``emoji``."""

    path: genkit.AbsolutePath | None = Field(  # type: ignore[assignment]
        None, description="The folder; $GENKIT_DATA/emoji64 if left out"
    )


class ShapesConfig(CaptionedConfig):
    """Settings of ``captioned-shapes``."""

    items: int = Field(4000, ge=8, le=1_000_000, description="How many pictures")
    side: int = Field(32, ge=8, le=256, description="Pixels a side")
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of the pictures")


class DalleConfig(genkit.Config):
    """Settings of ``dalle``."""

    quantizer: Literal["vq", "gumbel"] = Field(
        "vq",
        description="How pictures become codes: by the nearest vector of a codebook that follows "
        "the data, or drawn with Gumbel noise, softly at first, as in the paper",
    )
    codebook_size: int = Field(512, ge=2, le=1 << 16, description="How many codes there are")
    code_dim: int = Field(32, ge=1, le=1024, description="Length of a code's vector")
    halvings: int = Field(
        3, ge=1, le=5, description="How often pictures are halved: 3 for a code every 8 x 8 pixels"
    )
    picture_width: int = Field(
        48, ge=1, le=1024, description="Channels of the picture networks after the first halving"
    )
    residual_blocks: int = Field(2, ge=0, le=16, description="Residual blocks at the codes' size")
    commitment_weight: float = Field(0.25, ge=0, description="vq: holds the encoder to its codes")
    revival_threshold: float = Field(
        1.0, ge=0, description="vq: a code taken less often a step begins anew; 0 revives none"
    )
    kl_weight: float = Field(
        1e-3, ge=0, description="gumbel: how much codes are held to be equally likely"
    )
    final_temperature: float = Field(
        0.0625, gt=0, le=1, description="gumbel: how soft codes still are when stage one ends"
    )
    first_stage: int = Field(
        2400, ge=1, description="Steps that learn codes; all behind them learn captions"
    )
    picture_learning_rate: float = Field(2e-3, gt=0, description="Highest rate of stage one, Adam")
    layers: int = Field(6, ge=1, le=1000, description="Blocks of the transformer")
    heads: int = Field(4, ge=1, le=1000, description="Attention heads; they divide the width")
    width: int = Field(256, ge=2, le=1 << 14, description="Channels of the transformer")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of its channels left out")
    learning_rate: float = Field(4e-3, gt=0, description="Highest rate of stage two, Muon")
    caption_dropout: float = Field(
        0.1, ge=0, lt=1, description="Share of captions hidden in training, which guidance needs"
    )
    guidance: float = Field(
        2.0, ge=0, description="How far captions push in generation; 1 is what was learned"
    )


class PaintingOptions(genkit.Config):
    """Flags of ``genkit generate`` for ``dalle``."""

    guidance: float | None = Field(
        None, ge=0, description="How far the prompt pushes, instead of the setting"
    )
    temperature: float = Field(
        1.0, ge=0, description="Below 1 for less variety; 0 takes the likeliest code"
    )
    top_k: int | None = Field(None, ge=1, description="Draw among so many likeliest codes")
    top_p: float | None = Field(
        None, gt=0, le=1, description="Draw among the likeliest codes with this chance together"
    )
    image: genkit.AbsolutePath | None = Field(
        None, description="A picture whose upper part is kept, and the rest painted"
    )
    keep: float = Field(0.5, gt=0, lt=1, description="Share of the picture that --image keeps")
    clip: genkit.AbsolutePath | None = Field(
        None, description="A run of clip: of several candidates that nearest to the prompt is taken"
    )
    candidates: int = Field(
        8, ge=1, le=1024, description="How many are painted for each picture that --clip chooses"
    )


class ClipConfig(genkit.Config):
    """Settings of ``clip``."""

    halvings: int = Field(4, ge=1, le=6, description="How often pictures are halved")
    width: int = Field(48, ge=1, le=1024, description="Channels after the first halving")
    dimension: int = Field(64, ge=1, le=4096, description="Numbers a picture or a caption becomes")
    word_dimension: int = Field(96, ge=1, le=4096, description="Numbers of a word")
    dropout: float = Field(
        0.2, ge=0, lt=1, description="Share of channels left out before the last layers"
    )
    shift: float = Field(
        0.06, ge=0, lt=0.5, description="Share of a side that pictures are shifted by at most"
    )
    temperature: float = Field(0.07, gt=0, le=1, description="The first one; it is learned")
    least_temperature: float = Field(0.01, gt=0, le=1, description="It never falls below")
    learning_rate: float = Field(2e-3, gt=0, description="Step size of AdamW")
    weight_decay: float = Field(0.05, ge=0, description="Of all but the temperature")


class TextFlowConfig(genkit.Config):
    """Settings of ``text-flow``."""

    latent_dim: int = Field(64, ge=1, le=4096, description="Numbers a picture becomes")
    halvings: int = Field(3, ge=1, le=5, description="How often pictures are halved on the way")
    picture_width: int = Field(
        48, ge=1, le=1024, description="Channels of the picture networks after the first halving"
    )
    residual_blocks: int = Field(1, ge=0, le=16, description="Residual blocks behind the halvings")
    kl_weight: float = Field(
        3e-3, ge=0, description="How much the latents are held to be normal, by number"
    )
    first_stage: int = Field(
        2400, ge=1, description="Steps that learn pictures; all behind them learn captions"
    )
    picture_learning_rate: float = Field(2e-3, gt=0, description="Highest rate of stage one, Adam")
    word_dimension: int = Field(96, ge=1, le=4096, description="Numbers of a word")
    width: int = Field(256, ge=1, le=1 << 14, description="Units of a block of the flow")
    blocks: int = Field(4, ge=1, le=64, description="Blocks of the flow")
    draws: int = Field(4, ge=1, le=64, description="Noise that each picture is learned from a step")
    learning_rate: float = Field(2e-3, gt=0, description="Highest rate of stage two, Adam")
    caption_dropout: float = Field(
        0.1, ge=0, lt=1, description="Share of captions hidden in training, which guidance needs"
    )
    guidance: float = Field(
        2.0, ge=0, description="How far captions push in generation; 1 is what was learned"
    )
    sampling_steps: int = Field(30, ge=1, le=1000, description="Steps from noise to latents")


class FlowingOptions(genkit.Config):
    """Flags of ``genkit generate`` for ``text-flow``."""

    guidance: float | None = Field(
        None, ge=0, description="How far the prompt pushes, instead of the setting"
    )
    sampling_steps: int | None = Field(
        None, ge=1, le=1000, description="Steps from noise to latents, instead of the setting"
    )
