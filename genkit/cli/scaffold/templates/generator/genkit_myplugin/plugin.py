"""What the entry point names. Every genkit command imports it, so it imports nothing heavy."""

from collections.abc import Iterable

import genkit


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the model."""
    yield genkit.ModelSpec(
        name="myplugin",
        summary="A GAN of two dense networks, for small images",
        model="genkit_myplugin.model:DenseGAN",
        config="genkit_myplugin.settings:DenseGANConfig",
        accepts=("image",),
        tiny={"width": 8},
        presets={"default": {"dataset": "digits", "batch_size": 64, "epochs": 120}},
        references=("Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661",),
    )
