"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable

import genkit

_LABEL = genkit.Condition("label", modality="label")


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register StyleGAN2."""
    yield genkit.ModelSpec(
        name="stylegan2",
        summary="StyleGAN2: pictures by style, which can be mixed, moved and found; little data",
        model="genkit_style.stylegan2:StyleGAN2",
        config="genkit_style.configs:StyleGAN2Config",
        accepts=("image",),
        conditions=(_LABEL,),
        capabilities=("generate", "project", "styles", "vary"),
        options={"generate": "genkit_style.configs:PictureOptions"},
        presets={
            "default": {"dataset": "image-folder", "batch_size": 16, "steps": 15_000},
            "64": {
                "dataset": "image-folder",
                "batch_size": 16,
                "steps": 30_000,
                "config": {"base": 1024, "latent_dim": 128, "r1": 0.1},
            },
            "paper": {
                "dataset": "image-folder",
                "batch_size": 32,
                "steps": 780_000,
                "config": {
                    "latent_dim": 512,
                    "mapping_layers": 8,
                    "base": 32_768,
                    "most": 512,
                    "noise_inputs": True,
                    "mixing": 0.9,
                    "r1": 10.0,
                    "path_length": 2.0,
                    "learning_rate": 2e-3,
                },
            },
        },
        references=(
            "Karras et al. 2020, Analyzing and Improving the Image Quality of StyleGAN, 1912.04958",
            "Karras et al. 2020, Training GANs with Limited Data, arXiv:2006.06676",
            "Shen and Zhou 2021, Closed-Form Factorization of Latent Semantics, arXiv:2007.06600",
        ),
        tiny={
            "latent_dim": 8,
            "base": 64,
            "most": 8,
            "augment_target": 0.6,
            "path_length": 2.0,
            "path_length_interval": 2,
            "r1_interval": 2,
        },
    )


@genkit.hookimpl
def genkit_metrics() -> Iterable[genkit.MetricSpec]:
    """Register the path length."""
    yield genkit.MetricSpec(
        name="smoothness",
        summary="How evenly pictures change from one style to another, in an extractor's features",
        metric="genkit_style.smoothness:Smoothness",
        direction="min",
        modality="image",
    )


@genkit.hookimpl
def genkit_commands() -> Iterable[genkit.CommandSpec]:
    """Register the verbs of styles."""
    yield genkit.CommandSpec(
        name="project",
        summary="Find the style that draws a picture",
        command="genkit_style.commands:project",
        capability="project",
    )
    yield genkit.CommandSpec(
        name="styles",
        summary="Draw what a model's styles are: truncated, mixed, walked between, moved",
        command="genkit_style.commands:styles",
        capability="styles",
    )
