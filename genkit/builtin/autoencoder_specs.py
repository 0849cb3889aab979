"""The records of the built-in autoencoders."""

from __future__ import annotations

from genkit.builtin.preset_parts import FALLING, MNIST
from genkit.plugins.condition import LABEL
from genkit.plugins.specs import ModelSpec

_MODELS = "genkit.builtin.models"
_VAE_CONFIGS = f"{_MODELS}.vae_configs"
_FLOW_CONFIGS = f"{_MODELS}.flow_configs"
_LATENTS = ("generate", "reconstruct", "encode", "interpolate")
_TINY_VAE = {"width": 4, "hidden": 16, "latent_dim": 4}

AUTOENCODERS = (
    ModelSpec(
        name="vae",
        summary="Variational autoencoder with convolutional networks and a Gaussian latent",
        tiny=_TINY_VAE,
        model=f"{_MODELS}.vae:VAE",
        config=f"{_VAE_CONFIGS}:VAEConfig",
        accepts=("image",),
        capabilities=_LATENTS,
        presets={
            "default": {"dataset": "mnist", "batch_size": 128, "epochs": 5},
            "reference": {
                "dataset": "mnist",
                "batch_size": 128,
                "epochs": 30,
                "config": {"latent_dim": 2, "hidden": 16},
            },
            "flow": {
                **MNIST,
                **FALLING,
                "steps": 3300,
                "config": {
                    "prior": "flow",
                    "latent_dim": 24,
                    "kl_weight": 0.25,
                    "hidden": 256,
                    "learning_rate": 2e-3,
                    "average_window": 0.08,
                },
            },
        },
        references=(
            "Kingma, Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114",
            "Reference preset: Chollet 2020, keras.io/examples/generative/vae",
        ),
        aliases=("gvae",),
    ),
    ModelSpec(
        name="beta-vae",
        summary="Variational autoencoder with a heavier KL term, for latents that come apart",
        tiny=_TINY_VAE,
        model=f"{_MODELS}.vae:VAE",
        config=f"{_VAE_CONFIGS}:BetaVAEConfig",
        accepts=("image",),
        capabilities=_LATENTS,
        presets={
            "default": {"dataset": "mnist", "batch_size": 128, "epochs": 5},
            "reference": {"dataset": "mnist", "batch_size": 128, "epochs": 30},
        },
        references=("Higgins et al. 2017, beta-VAE, openreview.net/forum?id=Sy2fzU9gl",),
    ),
    ModelSpec(
        name="cvae",
        summary="Conditional variational autoencoder: images of the class that is asked for",
        tiny=_TINY_VAE,
        model=f"{_MODELS}.cvae:CVAE",
        config=f"{_VAE_CONFIGS}:VAEConfig",
        accepts=("image", "label"),
        capabilities=_LATENTS,
        conditions=(LABEL,),
        presets={
            # The fewer numbers a latent has, the surer a sample is of the class asked for.
            "default": {
                "dataset": "mnist",
                "batch_size": 128,
                "epochs": 10,
                "config": {"latent_dim": 8},
            },
            "reference": {"dataset": "mnist", "batch_size": 128, "epochs": 30},
        },
        references=("Sohn et al. 2015, Learning Structured Output Representation ..., NeurIPS",),
    ),
    ModelSpec(
        name="latent-flow",
        summary="Small autoencoder with a flow over its latents, by label where there are any",
        tiny={**_TINY_VAE, "prior_width": 16, "prior_layers": 1, "sampling_steps": 3},
        model=f"{_MODELS}.latent_flow:LatentFlow",
        config=f"{_VAE_CONFIGS}:LatentFlowConfig",
        accepts=("image",),
        capabilities=_LATENTS,
        options={"generate": f"{_FLOW_CONFIGS}:SamplingOptions"},
        conditions=(LABEL,),
        presets={
            "default": {
                **MNIST,
                **FALLING,
                "epochs": 3,
                "config": {"hidden": 256, "learning_rate": 2e-3, "average_window": 0.08},
            },
            "reference": {
                **MNIST,
                "epochs": 400,
                "config": {"latent_dim": 64, "kl_weight": 1.0, "learning_rate": 1e-4},
            },
        },
        references=(
            "Dai, Wipf 2019, Diagnosing and Enhancing VAE Models, arXiv:1903.05789",
            "Rombach et al. 2022, High-Resolution Image Synthesis ..., arXiv:2112.10752",
            "Lipman et al. 2022, Flow Matching for Generative Modeling, arXiv:2210.02747",
        ),
    ),
    ModelSpec(
        name="vq-vae",
        summary="Autoencoder to a grid of codes, with a transformer that draws such grids",
        tiny={
            "width": 4,
            "latent_dim": 4,
            "codebook_size": 8,
            "residual_blocks": 1,
            "prior_width": 32,
            "prior_layers": 1,
        },
        model=f"{_MODELS}.vq_vae:VQVAE",
        config=f"{_MODELS}.vq_vae_configs:VQVAEConfig",
        accepts=("image",),
        capabilities=("generate", "reconstruct", "encode"),
        presets={
            "default": {"dataset": "mnist", "batch_size": 128, "epochs": 5},
            "reference": {"dataset": "mnist", "batch_size": 128, "epochs": 30},
        },
        references=(
            "van den Oord et al. 2017, Neural Discrete Representation Learning, arXiv:1711.00937",
            "Reference preset: Paul 2021, keras.io/examples/generative/vq_vae",
        ),
    ),
)
