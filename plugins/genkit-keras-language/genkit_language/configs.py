"""Settings and options; this module is free of Keras, so that help and errors stay fast."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

import genkit

_TO_MULTIPLE = 16  # hidden units of swiglu, which would else be a fraction


class SplitConfig(genkit.Config):
    """What any text as tokens is set by."""

    tokenizer: Literal["characters", "bytes", "bpe"] = Field(
        "characters",
        description="What a token is; bytes and bpe take every text, characters those it has",
    )
    vocabulary: int = Field(
        1024,
        ge=257,
        le=1_000_000,
        description="Tokens that bpe learns from the training documents",
    )
    split: Literal["train", "validation"] = Field(
        "train",
        description="Which documents: for training, or held out; of a single one its end",
    )
    held_out: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share of the documents, or of a single one, that is held out",
    )


class TokensConfig(SplitConfig):
    """All settings of ``tinyshakespeare``."""

    block: int = Field(
        64,
        ge=1,
        le=1 << 16,
        description="Tokens of an item, as metrics and reports see it; what a model sees at once "
        "is its own setting",
    )


class TextConfig(TokensConfig):
    """Settings of ``text``."""

    path: genkit.AbsolutePath = Field(
        description="A text file, a folder of .txt files, or a .jsonl or .parquet file with a "
        "document a row"
    )
    column: str = Field("text", description="Of a .jsonl or .parquet file, where the text stands")
    tokenizer_file: genkit.AbsolutePath | None = Field(
        None,
        description="One that exists: for bpe tokenizer.json, or a folder with it or with "
        "vocab.json and merges.txt; of any kind a run or an exported model, whose own is taken",
    )


class PromptsConfig(SplitConfig):
    """Settings of ``prompts``."""

    path: genkit.AbsolutePath = Field(
        description="A .jsonl, .csv or .parquet file with a prompt and its answer a row"
    )
    prompt: str = Field("prompt", description="Column of the prompts")
    answer: str = Field("answer", description="Column of the answers")
    separator: str = Field(
        "\n", min_length=1, description="Text between a prompt and its answer, a line break if left"
    )
    longest: int | None = Field(
        None,
        ge=3,
        description="Tokens of a row at most, with its end; longer ones are left out, and counted",
    )
    tokenizer_file: genkit.AbsolutePath | None = Field(
        None,
        description="One that exists: for bpe tokenizer.json, or a folder with it or with "
        "vocab.json and merges.txt; of any kind a run or an exported model, whose own is taken",
    )


class GPTConfig(genkit.Config):
    """Settings of ``gpt``."""

    context: int = Field(64, ge=2, le=1 << 16, description="Tokens that it sees at once")
    layers: int = Field(4, ge=1, le=1000, description="Blocks")
    heads: int = Field(4, ge=1, le=1000, description="Attention heads; they divide the width")
    kv_heads: int | None = Field(
        None, ge=1, description="Heads of keys and values, which divide the heads; as many if left"
    )
    width: int = Field(128, ge=2, le=1 << 16, description="Channels")
    head_size: int | None = Field(
        None, ge=1, le=1 << 12, description="Channels of a head; the width by the heads if left"
    )
    hidden: int | None = Field(
        None,
        ge=1,
        le=1 << 18,
        description="Units of the dense network; 4 times the width if left, 8/3 with swiglu",
    )
    places: Literal["rotary", "learned"] = Field(
        "rotary", description="How it knows the order; rotary ones go on beyond the context"
    )
    rotary_base: float = Field(10_000.0, gt=1, description="Slowest turn of rotary places")
    rotary_stretch: tuple[float, float, float, float] | None = Field(
        None,
        description="Llama 3's way to longer texts: factor, low, high, first context. Turns of "
        "fewer than low rounds in the first context are slowed by the factor, of more than high "
        "not",
    )
    norm: Literal["rms", "layer"] = Field("rms", description="Normalisation before each part")
    norm_epsilon: float = Field(
        1e-5, gt=0, lt=1, description="What normalisation adds to the variance"
    )
    activation: Literal["squared-relu", "gelu", "gelu-tanh", "swiglu"] = Field(
        "squared-relu", description="Of the dense network"
    )
    normed_heads: bool = Field(True, description="Normalise queries and keys")
    bias: bool = Field(False, description="Offsets in dense layers and layer normalisation")
    qkv_bias: bool = Field(False, description="Offsets of queries, keys and values alone")
    tied: bool = Field(True, description="One matrix for tokens that come in and go out")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of channels left out in training")
    lora_rank: int = Field(
        0,
        ge=0,
        le=1 << 10,
        description="Above 0 all weights are frozen, and beside each matrix of a block a narrow "
        "pair of this rank is trained (LoRA)",
    )
    lora_alpha: float = Field(
        16.0, gt=0, description="Weight of the narrow matrices, divided by their rank"
    )
    optimizer: Literal["muon", "adamw"] = Field(
        "muon",
        description="For matrices of blocks; all else, narrow matrices too, is trained by Adam's "
        "rule",
    )
    learning_rate: float = Field(4e-3, gt=0, description="The highest, after the warm-up")
    least_rate: float = Field(0.0, ge=0, le=1, description="Share of it that is left at the end")
    warmup_steps: int = Field(40, ge=0, description="Steps over which it rises")
    beta_2: float = Field(0.99, gt=0, lt=1, description="Adam's memory of squared gradients")
    weight_decay: float = Field(0.1, ge=0, description="Of matrices alone")
    clip: float = Field(1.0, gt=0, description="The longest gradient, all weights together")
    longest: int = Field(
        1024, ge=1, le=1 << 20, description="Tokens that can be generated behind a prompt"
    )

    @property
    def channels_a_head(self) -> int:
        """How many channels a head has."""
        return self.head_size or self.width // self.heads

    @property
    def hidden_units(self) -> int:
        """How many units the dense network has."""
        if self.hidden is not None:
            return self.hidden
        if self.activation != "swiglu":
            return 4 * self.width
        return (8 * self.width // 3 + _TO_MULTIPLE - 1) // _TO_MULTIPLE * _TO_MULTIPLE


class WritingOptions(genkit.Config):
    """Flags of ``genkit generate`` for ``gpt``."""

    length: int | None = Field(
        None, ge=1, description="Tokens behind the prompt, at most; 256, or as many as it can"
    )
    temperature: float = Field(
        1.0, ge=0, description="Above 1 for more variety, below for less; 0 takes the likeliest"
    )
    top_k: int | None = Field(None, ge=1, description="Draw among so many likeliest tokens")
    top_p: float | None = Field(
        None, gt=0, le=1, description="Draw among the likeliest that have this chance together"
    )
    min_p: float | None = Field(
        None, gt=0, le=1, description="Draw among those with this share of the likeliest's chance"
    )
    repetition_penalty: float | None = Field(
        None, gt=0, description="Divides scores of tokens that are there; above 1 against repeats"
    )
    stop: str | None = Field(
        None, min_length=1, description="Text that ends it, and stays; several parted by |"
    )
    beams: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Search among so many texts side by side for the likeliest; nothing is drawn",
    )
    length_penalty: float | None = Field(
        None,
        ge=0,
        description="With beams: a text's score is divided by its length to this power, 1 if left; "
        "above 1 for longer ones",
    )

    @model_validator(mode="after")
    def _search_or_draw(self) -> Self:
        drawing = {"temperature", "top_k", "top_p", "min_p"} & self.model_fields_set
        if self.beams is not None and drawing:
            raise ValueError(f"beams search and draw nothing: leave out {', '.join(drawing)}")
        if self.beams is None and self.length_penalty is not None:
            raise ValueError("length_penalty is for beams: give beams too")
        return self
