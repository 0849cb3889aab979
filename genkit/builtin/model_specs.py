"""The built-in models' records."""

from __future__ import annotations

from genkit.plugins.specs import ModelSpec

_MODELS = "genkit.builtin.models"
_GAN_CONFIGS = f"{_MODELS}.gan_configs"
_VAE_CONFIGS = f"{_MODELS}.vae_configs"
_FLOW_CONFIGS = f"{_MODELS}.flow_configs"
_LATENTS = ("generate", "reconstruct", "encode", "interpolate")
_MNIST = {"dataset": "mnist", "batch_size": 64}
# Rates that fall to zero, and averages over the end of the run: in a run of minutes they decide
# whether pictures are whole.
_FALLING = {"learning_rate_schedule": "linear", "warmup_steps": 100}
# A discriminator that sees the whole image, and that batch normalisation makes quick to learn: the
# generator then learns from it, and narrow networks with more steps draw better than wide ones.
_QUICK_GAN = {
    "width": 16,
    "discriminator_hidden": 256,
    "discriminator_batch_norm": True,
    "dropout": 0.0,
    "learning_rate": 6e-4,
    "generator_average_window": 0.1,
}
_TINY_GAN = {"width": 4, "latent_dim": 8}
_TINY_VAE = {"width": 4, "hidden": 16, "latent_dim": 4}
_QUICK_FLOW = {
    "width": 32,
    "blocks": 1,
    "guidance": 2.0,
    "learning_rate": 1.5e-3,
    "average_window": 0.08,
}
_TINY_FLOW = {"width": 8, "blocks": 1, "sampling_steps": 3}

GANS = (
    ModelSpec(
        name="gan",
        summary="The first GAN: two dense networks, for small images and for learning",
        tiny={"hidden": 16, "latent_dim": 8},
        model=f"{_MODELS}.dense_gan:DenseGAN",
        config=f"{_GAN_CONFIGS}:DenseGANConfig",
        accepts=("image",),
        presets={"default": {**_MNIST, "epochs": 10}, "reference": {**_MNIST, "epochs": 100}},
        references=("Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661",),
    ),
    ModelSpec(
        name="dcgan",
        summary="Deep convolutional GAN: a generator against a discriminator, both convolutional",
        tiny=_TINY_GAN,
        model=f"{_MODELS}.dcgan:DCGAN",
        config=f"{_GAN_CONFIGS}:DCGANConfig",
        accepts=("image",),
        presets={
            "default": {
                **_MNIST,
                **_FALLING,
                "epochs": 5,
                "config": _QUICK_GAN,
            },
            "reference": {**_MNIST, "epochs": 100},
        },
        references=(
            "Radford et al. 2016, Unsupervised Representation Learning ..., arXiv:1511.06434",
        ),
    ),
    ModelSpec(
        name="wgan-gp",
        summary="Wasserstein GAN with gradient penalty: a critic whose loss can be watched",
        tiny={**_TINY_GAN, "critic_steps": 2},
        model=f"{_MODELS}.wgan_gp:WGANGP",
        config=f"{_GAN_CONFIGS}:WGANGPConfig",
        accepts=("image",),
        presets={
            "default": {**_MNIST, "epochs": 4, "config": {"width": 32, "learning_rate": 5e-4}},
            "reference": {**_MNIST, "epochs": 200},
        },
        references=(
            "Gulrajani et al. 2017, Improved Training of Wasserstein GANs, arXiv:1704.00028",
        ),
    ),
    ModelSpec(
        name="lsgan",
        summary="Least-squares GAN: a convolutional GAN whose discriminator is a regression",
        tiny=_TINY_GAN,
        model=f"{_MODELS}.lsgan:LSGAN",
        config=f"{_GAN_CONFIGS}:LSGANConfig",
        accepts=("image",),
        presets={
            "default": {**_MNIST, "epochs": 2, "config": {"width": 32, "learning_rate": 6e-4}},
            "reference": {**_MNIST, "epochs": 100},
        },
        references=(
            "Mao et al. 2017, Least Squares Generative Adversarial Networks, arXiv:1611.04076",
        ),
    ),
    ModelSpec(
        name="sngan",
        summary="GAN with spectral normalisation: a discriminator that can't be steep",
        tiny=_TINY_GAN,
        model=f"{_MODELS}.sngan:SNGAN",
        config=f"{_GAN_CONFIGS}:SNGANConfig",
        accepts=("image",),
        presets={
            "default": {**_MNIST, "epochs": 2, "config": {"width": 32, "learning_rate": 6e-4}},
            "reference": {**_MNIST, "epochs": 100},
        },
        references=("Miyato et al. 2018, Spectral Normalization for GANs, arXiv:1802.05957",),
    ),
    ModelSpec(
        name="cgan",
        summary="Conditional GAN: images of the class that is asked for",
        tiny=_TINY_GAN,
        model=f"{_MODELS}.cgan:CGAN",
        config=f"{_GAN_CONFIGS}:CGANConfig",
        accepts=("image", "label"),
        presets={
            "default": {**_MNIST, "epochs": 3, "config": {"width": 32, "learning_rate": 6e-4}},
            "reference": {**_MNIST, "epochs": 100},
        },
        references=(
            "Mirza, Osindero 2014, Conditional Generative Adversarial Nets, arXiv:1411.1784",
            "Miyato, Koyama 2018, cGANs with Projection Discriminator, arXiv:1802.05637",
        ),
    ),
    ModelSpec(
        name="acgan",
        summary="Conditional GAN whose discriminator also names the class",
        tiny=_TINY_GAN,
        model=f"{_MODELS}.acgan:ACGAN",
        config=f"{_GAN_CONFIGS}:ACGANConfig",
        accepts=("image", "label"),
        presets={
            "default": {**_MNIST, "epochs": 3, "config": {"width": 32, "learning_rate": 6e-4}},
            "reference": {**_MNIST, "epochs": 100},
        },
        references=(
            "Odena et al. 2017, Conditional Image Synthesis with ... Classifiers, arXiv:1610.09585",
        ),
    ),
)

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
                **_MNIST,
                **_FALLING,
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
        presets={
            "default": {
                **_MNIST,
                **_FALLING,
                "epochs": 3,
                "config": {"hidden": 256, "learning_rate": 2e-3, "average_window": 0.08},
            },
            "reference": {
                **_MNIST,
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

FLOWS = (
    ModelSpec(
        name="flow-matching",
        summary="Rectified flow: a velocity that carries noise to images along straight lines",
        tiny=_TINY_FLOW,
        model=f"{_MODELS}.flow_matching:FlowMatching",
        config=f"{_FLOW_CONFIGS}:FlowMatchingConfig",
        accepts=("image",),
        options={"generate": f"{_FLOW_CONFIGS}:SamplingOptions"},
        presets={
            "default": {**_MNIST, **_FALLING, "epochs": 4, "config": _QUICK_FLOW},
            "reference": {
                **_MNIST,
                "epochs": 200,
                "config": {
                    "width": 128,
                    "patch": 1,
                    "average": 0.9999,
                    "learning_rate": 2e-4,
                    "conditional": False,
                },
            },
        },
        references=(
            "Liu et al. 2022, Flow Straight and Fast, arXiv:2209.03003",
            "Lipman et al. 2022, Flow Matching for Generative Modeling, arXiv:2210.02747",
        ),
    ),
    ModelSpec(
        name="ddpm",
        summary="Denoising diffusion: a network that tells the noise in an image",
        tiny=_TINY_FLOW,
        model=f"{_MODELS}.ddpm:DDPM",
        config=f"{_FLOW_CONFIGS}:DDPMConfig",
        accepts=("image",),
        options={"generate": f"{_FLOW_CONFIGS}:SamplingOptions"},
        presets={
            "default": {
                **_MNIST,
                **_FALLING,
                "epochs": 4,
                "config": {**_QUICK_FLOW, "answer": "velocity"},
            },
            "reference": {
                **_MNIST,
                "epochs": 200,
                "config": {
                    "width": 128,
                    "patch": 1,
                    "average": 0.9999,
                    "learning_rate": 2e-4,
                    "noise_schedule": "linear",
                    "conditional": False,
                },
            },
        },
        references=(
            "Ho et al. 2020, Denoising Diffusion Probabilistic Models, arXiv:2006.11239",
            "Song et al. 2021, Denoising Diffusion Implicit Models, arXiv:2010.02502",
            "Salimans and Ho 2022, Progressive Distillation ..., arXiv:2202.00512",
        ),
    ),
)

MODELS = (*GANS, *AUTOENCODERS, *FLOWS)
