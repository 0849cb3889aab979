"""What the entry point names: light, because every genkit command imports it."""

import genkit


@genkit.hookimpl
def genkit_datasets():
    """Register the data set."""
    yield genkit.DatasetSpec(
        name="rings",
        summary="Points on noisy rings around the origin",
        source="genkit_rings.data:open_rings",
        config="genkit_rings.settings:RingsConfig",
        modality="vector",
        tiny={"points": 200},
        licence="made by the program",
    )


@genkit.hookimpl
def genkit_models():
    """Register the model."""
    yield genkit.ModelSpec(
        name="rings-gan",
        summary="A small GAN for points in the plane",
        model="genkit_rings.model:RingsGAN",
        config="genkit_rings.settings:RingsGANConfig",
        accepts=("vector",),
        tiny={"width": 8},
        presets={"default": {"dataset": "rings", "batch_size": 256, "epochs": 20}},
        references=("Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661",),
    )
