"""What is measured: each case is a GenKit model, the batches it sees, and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from genkit.data import as_source, training_rng

SEED = 0
IMAGES = 60_000


@dataclass(frozen=True)
class Case:
    """One thing to measure.

    Args:
        build: makes the untrained GenKit model for 28x28 gray images in [0, 255].
        batch_size: images a step.
        steps: training steps in one measurement of a pair.
        samples: images to generate in one measurement; such a case does no training step.
    """

    build: Callable[[], Any]
    batch_size: int
    steps: int
    samples: int = 0


def images() -> np.ndarray:
    """Return 60,000 gray images of MNIST's size: uint8 ``(60000, 28, 28, 1)``."""
    return np.random.default_rng(SEED).integers(0, 256, (IMAGES, 28, 28, 1), dtype=np.uint8)


def feed(case: Case, model: Any) -> Iterator[dict[str, np.ndarray]]:
    """Return batches without end as a hand-written loop makes them: shuffled images and noise."""
    pixels, rng, size = images(), np.random.default_rng(SEED), case.batch_size
    shapes = {name: array.shape for name, array in model.noise(rng, size).items()}
    draw = {"z": rng.standard_normal, "mix": rng.random}
    while True:
        order = rng.permutation(IMAGES)
        for start in range(0, IMAGES - size + 1, size):
            batch = {name: draw[name](shape, np.float32) for name, shape in shapes.items()}
            batch["image"] = pixels[order[start : start + size]]
            yield batch


def batches(case: Case, model: Any) -> list[dict[str, np.ndarray]]:
    """Return the first batches of the case as a hand-written loop would see them."""
    pixels = np.random.default_rng(SEED).integers(
        0, 256, (8, case.batch_size, 28, 28, 1), dtype=np.uint8
    )
    return [
        {"image": image, **model.noise(training_rng(SEED, step), case.batch_size)}
        for step, image in enumerate(pixels)
    ]


def _dcgan() -> Any:
    from genkit.builtin.models.dcgan import DCGAN
    from genkit.builtin.models.gan_configs import DCGANConfig

    return DCGAN(DCGANConfig(), images_schema())


def _vae() -> Any:
    from genkit.builtin.models.vae import VAE
    from genkit.builtin.models.vae_configs import VAEConfig

    return VAE(VAEConfig(), images_schema())


def _mlp_gan() -> Any:
    from tests.benchmarks.models import mlp_gan

    return mlp_gan(images_schema())


def _wgan_gp() -> Any:
    from tests.benchmarks.models import WGANGP

    return WGANGP(images_schema())


def images_schema() -> Any:
    """Return the schema of ``images`` without its pixels."""
    return as_source(np.zeros((1, 28, 28, 1), np.uint8)).schema


CASES = {
    "dcgan": Case(_dcgan, batch_size=64, steps=4),
    "vae": Case(_vae, batch_size=128, steps=10),
    "mlp-gan": Case(_mlp_gan, batch_size=64, steps=400),
    "wgan-gp": Case(_wgan_gp, batch_size=64, steps=4),
    "generation": Case(_dcgan, batch_size=64, steps=0, samples=10_000),
}
