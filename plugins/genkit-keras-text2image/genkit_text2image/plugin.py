"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable

import genkit

_SPLITS = ("train", "test")
_PROMPT = genkit.Condition("prompt", modality="text", required=True)
_CLIP_RUN = {
    "dataset": "captioned-shapes",
    "batch_size": 128,
    "learning_rate_schedule": "cosine",
    "warmup_steps": 50,
}
_TINY_SHAPES = {"items": 64, "side": 8, "known": 1, "longest": 6}


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register a person's own captioned pictures, and two sets to begin with."""
    yield genkit.DatasetSpec(
        name="captioned-folder",
        summary="Your own pictures in a folder, with captions in metadata.jsonl",
        source="genkit_text2image.folder:open_folder",
        config="genkit_text2image.configs:FolderConfig",
        modality="image",
        splits=_SPLITS,
        fake="genkit_text2image.folder:write_fake",
    )
    yield genkit.DatasetSpec(
        name="captioned-shapes",
        summary="Coloured shapes, drawn, with captions: red circle above blue square",
        source="genkit_text2image.shapes:open_shapes",
        config="genkit_text2image.configs:ShapesConfig",
        modality="image",
        splits=_SPLITS,
        licence="made by the program",
        tiny=_TINY_SHAPES,
    )
    yield genkit.DatasetSpec(
        name="emoji",
        summary="Emoji with their names, from $GENKIT_DATA/emoji64",
        source="genkit_text2image.folder:open_emoji",
        config="genkit_text2image.configs:EmojiConfig",
        modality="image",
        splits=_SPLITS,
        licence="Apache-2.0 (Google Noto)",
        homepage="https://github.com/googlefonts/noto-emoji",
        fake="genkit_text2image.folder:write_fake",
    )


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the models of pictures and words."""
    yield genkit.ModelSpec(
        name="dalle",
        summary="Pictures from words: codes of pictures, and a transformer that writes them",
        model="genkit_text2image.dalle:Dalle",
        config="genkit_text2image.configs:DalleConfig",
        accepts=("image", "text"),
        generates=("image",),
        capabilities=("generate", "reconstruct"),
        conditions=(_PROMPT,),
        options={"generate": "genkit_text2image.configs:PaintingOptions"},
        presets={
            "default": {"dataset": "captioned-shapes", "batch_size": 64, "steps": 6000},
            "shapes": {
                "dataset": "captioned-shapes",
                "batch_size": 64,
                "steps": 2500,
                "config": {
                    "first_stage": 900,
                    "halvings": 2,
                    "codebook_size": 128,
                    "picture_width": 32,
                    "layers": 3,
                    "width": 96,
                },
            },
        },
        references=(
            "Ramesh et al. 2021, Zero-Shot Text-to-Image Generation, arXiv:2102.12092",
            "van den Oord et al. 2017, Neural Discrete Representation Learning, arXiv:1711.00937",
            "Ho and Salimans 2022, Classifier-Free Diffusion Guidance, arXiv:2207.12598",
        ),
        tiny={
            "first_stage": 4,
            "codebook_size": 8,
            "code_dim": 4,
            "halvings": 1,
            "picture_width": 4,
            "residual_blocks": 1,
            "layers": 1,
            "heads": 2,
            "width": 16,
        },
    )
    yield genkit.ModelSpec(
        name="text-flow",
        summary="Pictures from words: a flow to an autoencoder's latents, by caption; quick",
        model="genkit_text2image.text_flow:TextFlow",
        config="genkit_text2image.configs:TextFlowConfig",
        accepts=("image", "text"),
        generates=("image",),
        capabilities=("generate", "reconstruct", "interpolate"),
        conditions=(_PROMPT,),
        options={"generate": "genkit_text2image.configs:FlowingOptions"},
        presets={
            "default": {"dataset": "captioned-shapes", "batch_size": 64, "steps": 12_000},
            "shapes": {
                "dataset": "captioned-shapes",
                "batch_size": 64,
                "steps": 4000,
                "config": {
                    "first_stage": 1000,
                    "latent_dim": 32,
                    "halvings": 2,
                    "picture_width": 24,
                    "width": 128,
                },
            },
        },
        references=(
            "Lipman et al. 2023, Flow Matching for Generative Modeling, arXiv:2210.02747",
            "Rombach et al. 2022, High-Resolution Image Synthesis, arXiv:2112.10752",
        ),
        tiny={
            "first_stage": 4,
            "latent_dim": 8,
            "halvings": 1,
            "picture_width": 4,
            "residual_blocks": 0,
            "word_dimension": 8,
            "width": 16,
            "blocks": 1,
            "draws": 2,
            "sampling_steps": 4,
        },
    )
    yield genkit.ModelSpec(
        name="clip",
        summary="Pictures and captions as vectors, near where they belong together: search, judge",
        model="genkit_text2image.clip:Clip",
        config="genkit_text2image.configs:ClipConfig",
        accepts=("image", "text"),
        capabilities=("search",),
        presets={
            "default": {**_CLIP_RUN, "steps": 1500},
            "shapes": {**_CLIP_RUN, "steps": 600, "config": {"halvings": 3, "width": 24}},
        },
        references=("Radford et al. 2021, Learning Transferable Visual Models, arXiv:2103.00020",),
        tiny={"halvings": 2, "width": 8, "dimension": 8, "word_dimension": 8, "shift": 0.2},
    )


@genkit.hookimpl
def genkit_metrics() -> Iterable[genkit.MetricSpec]:
    """Register what is measured of pictures and captions."""
    yield genkit.MetricSpec(
        name="retrieval",
        summary="Share of held-out pictures whose caption is found among a hundred: R@1, R@5, R@20",
        metric="genkit_text2image.retrieval:Retrieval",
        direction="max",
        modality="image",
    )
    yield genkit.MetricSpec(
        name="shape-attributes",
        summary="Shares of colours, shapes and places right in pictures of drawn shapes",
        metric="genkit_text2image.attribute_metrics:ShapeAttributes",
        direction="max",
        modality="image",
    )
    yield genkit.MetricSpec(
        name="heart-hue",
        summary="Share of pictures of red heart, blue heart, ... that have the hue",
        metric="genkit_text2image.attribute_metrics:HeartHue",
        direction="max",
        modality="image",
    )


@genkit.hookimpl
def genkit_commands() -> Iterable[genkit.CommandSpec]:
    """Register the verbs."""
    yield genkit.CommandSpec(
        name="search",
        summary="Find the pictures that are nearest to some words",
        command="genkit_text2image.search_command:search",
        capability="search",
    )
    yield genkit.CommandSpec(
        name="judge",
        summary="Say how well pictures follow their captions, between floor and ceiling",
        command="genkit_text2image.judge_command:judge",
        capability="generate",
    )
