"""The records of the built-in GANs."""

from __future__ import annotations

from genkit.builtin.preset_parts import FALLING, MNIST
from genkit.plugins.condition import LABEL
from genkit.plugins.specs import ModelSpec

_MODELS = "genkit.builtin.models"
_CONFIGS = f"{_MODELS}.gan_configs"
# A discriminator that sees the whole image, and that batch normalisation makes quick to learn: the
# generator then learns from it, and narrow networks with more steps draw better than wide ones.
_QUICK = {
    "width": 16,
    "discriminator_hidden": 256,
    "discriminator_batch_norm": True,
    "dropout": 0.0,
    "learning_rate": 6e-4,
    "generator_average_window": 0.1,
}
_TINY = {"width": 4, "latent_dim": 8}

GANS = (
    ModelSpec(
        name="gan",
        summary="The first GAN: two dense networks, for small images and for learning",
        tiny={"hidden": 16, "latent_dim": 8},
        model=f"{_MODELS}.dense_gan:DenseGAN",
        config=f"{_CONFIGS}:DenseGANConfig",
        accepts=("image",),
        presets={
            "default": {
                **MNIST,
                **FALLING,
                "epochs": 7,
                "config": {"learning_rate": 5e-4, "generator_average_window": 0.1},
            },
            "reference": {**MNIST, "epochs": 100},
        },
        references=("Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661",),
    ),
    ModelSpec(
        name="dcgan",
        summary="Deep convolutional GAN: a generator against a discriminator, both convolutional",
        tiny=_TINY,
        model=f"{_MODELS}.dcgan:DCGAN",
        config=f"{_CONFIGS}:DCGANConfig",
        accepts=("image",),
        presets={
            "default": {
                **MNIST,
                **FALLING,
                "epochs": 4,
                "config": _QUICK,
            },
            "reference": {**MNIST, "epochs": 100},
            "r3gan": {
                **MNIST,
                "epochs": 4,
                "config": {
                    "width": 16,
                    "loss": "relativistic",
                    "r1": 0.2,
                    "r2": 0.2,
                    "dropout": 0.0,
                    "learning_rate": 1e-3,
                    "beta_1": 0.0,
                    "beta_2": 0.99,
                    "generator_average_images": 10_000,
                },
            },
        },
        references=(
            "Radford et al. 2016, Unsupervised Representation Learning ..., arXiv:1511.06434",
            "Huang et al. 2024, The GAN is dead; long live the GAN! ..., arXiv:2501.05441",
        ),
    ),
    ModelSpec(
        name="wgan-gp",
        summary="Wasserstein GAN with gradient penalty: a critic whose loss can be watched",
        tiny={**_TINY, "critic_steps": 2},
        model=f"{_MODELS}.wgan_gp:WGANGP",
        config=f"{_CONFIGS}:WGANGPConfig",
        accepts=("image",),
        presets={
            "default": {
                **MNIST,
                "epochs": 7,
                "config": {"width": 16, "learning_rate": 1e-3, "generator_average_window": 0.1},
            },
            "reference": {**MNIST, "epochs": 200},
        },
        references=(
            "Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028",
        ),
    ),
    ModelSpec(
        name="lsgan",
        summary="Least-squares GAN: a convolutional GAN whose discriminator is a regression",
        tiny=_TINY,
        model=f"{_MODELS}.lsgan:LSGAN",
        config=f"{_CONFIGS}:LSGANConfig",
        accepts=("image",),
        presets={
            "default": {**MNIST, **FALLING, "epochs": 4, "config": _QUICK},
            "reference": {**MNIST, "epochs": 100},
        },
        references=(
            "Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076",
        ),
    ),
    ModelSpec(
        name="sngan",
        summary="GAN with spectral normalisation: a discriminator that can't be steep",
        tiny=_TINY,
        model=f"{_MODELS}.sngan:SNGAN",
        config=f"{_CONFIGS}:SNGANConfig",
        accepts=("image",),
        presets={
            "default": {**MNIST, "epochs": 2, "config": {"width": 32, "learning_rate": 6e-4}},
            "reference": {**MNIST, "epochs": 100},
        },
        references=("Miyato et al. 2018, Spectral Normalization for GANs, arXiv:1802.05957",),
    ),
    ModelSpec(
        name="cgan",
        summary="Conditional GAN: images of the class that is asked for",
        tiny=_TINY,
        model=f"{_MODELS}.cgan:CGAN",
        config=f"{_CONFIGS}:CGANConfig",
        accepts=("image", "label"),
        conditions=(LABEL,),
        presets={
            "default": {**MNIST, **FALLING, "epochs": 4, "config": _QUICK},
            "reference": {**MNIST, "epochs": 100},
        },
        references=(
            "Mirza, Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784",
            "Miyato, Koyama 2018, cGANs with Projection Discriminator, arXiv:1802.05637",
        ),
    ),
    ModelSpec(
        name="acgan",
        summary="Conditional GAN whose discriminator also names the class",
        tiny=_TINY,
        model=f"{_MODELS}.acgan:ACGAN",
        config=f"{_CONFIGS}:ACGANConfig",
        accepts=("image", "label"),
        conditions=(LABEL,),
        presets={
            "default": {**MNIST, **FALLING, "epochs": 4, "config": _QUICK},
            "reference": {**MNIST, "epochs": 100},
        },
        references=(
            "Odena et al. 2017, Conditional Image Synthesis with ... Classifiers, arXiv:1610.09585",
        ),
    ),
)
