"""A GAN on 500 images, with and without differentiable augmentation.

python -m tests.experiments.little_data --seeds 2 --steps 1500

For each seed both train on the same 500 MNIST images for the same steps. Then, of 5,000 samples,
what ``genkit evaluate`` tells: FID, precision and recall in the features of the MNIST classifier,
against the test images. And of the discriminator: the share of the 500 training images and of 500
test images that it takes for real. Far apart, it knows the training images by heart.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import genkit

IMAGES, SAMPLES = 500, 5_000
AUGMENT = "color translation cutout"


def main() -> None:
    """Train, measure and print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--backend", default="tensorflow")
    options = parser.parse_args()
    genkit.activate(options.backend)
    for seed in range(options.seeds):
        for augment in ("", AUGMENT):
            with tempfile.TemporaryDirectory() as folder:
                found = _measured(_trained(augment, seed, options, folder).path)
            print(json.dumps({"seed": seed, "augment": augment, **found}), flush=True)


def _trained(augment: str, seed: int, options: argparse.Namespace, folder: str) -> Any:
    return genkit.train(
        "dcgan",
        data={"limit": IMAGES},
        config={"augment": augment},
        steps=options.steps,
        seed=seed,
        backend=options.backend,
        runs_dir=folder,
        verbose=False,
        sample_every=options.steps,
    )


def _measured(run: Path) -> dict[str, Any]:
    from genkit.builtin.datasets.mnist import MnistConfig, open_mnist

    figures = genkit.evaluate(run, metrics=["fid", "prdc"], n=SAMPLES, verbose=False)
    model = genkit.load(run)
    known, new = (
        open_mnist(MnistConfig(split=split)).gather(np.arange(IMAGES))["image"]
        for split in ("train", "test")
    )
    return {
        **{figure.name: round(figure.value, 4) for figure in figures},
        "training_images_real": _share_taken_for_real(model, known),
        "test_images_real": _share_taken_for_real(model, new),
    }


def _share_taken_for_real(model: Any, images: np.ndarray) -> float:
    scores = model.discriminator(images / 127.5 - 1, training=False)
    return round(float(np.mean(np.asarray(scores) > 0)), 3)


if __name__ == "__main__":
    main()
