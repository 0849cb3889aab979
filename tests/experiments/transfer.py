"""A VAE of 500 images that begins from another data set's, against one that begins from nothing.

python -m tests.experiments.transfer --from RUN --seeds 3

RUN is a ``vae`` trained on MNIST. For each seed two train on the same 500 images of Fashion-MNIST
for the same steps, one with ``--init RUN``. Measured on 2,000 test images: the negative evidence
lower bound, in nats an image; the lower, the better.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import genkit

IMAGES, TEST_IMAGES, EVERY = 500, 2_000, 100


def main() -> None:
    """Train, measure and print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--backend", default="tensorflow")
    options = parser.parse_args()
    genkit.activate(options.backend)
    for seed in range(options.seeds):
        for init in (None, options.source):
            print(json.dumps(_measured(init, seed, options)), flush=True)


def _measured(init: Path | None, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    from genkit.builtin.datasets.fashion_mnist import FashionMnistConfig, open_fashion_mnist

    test = open_fashion_mnist(FashionMnistConfig(split="test"))
    images = test.gather(np.arange(TEST_IMAGES))["image"]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        run = genkit.train(
            "vae",
            dataset="fashion-mnist",
            data={"limit": IMAGES},
            steps=options.steps,
            batch_size=100,
            seed=seed,
            init=init,
            backend=options.backend,
            runs_dir=folder,
            checkpoint_every=EVERY,
            keep=options.steps // EVERY + 1,
            verbose=False,
        )
        bounds = {
            step: _bound(genkit.load(run, checkpoint=step), images)
            for step in range(EVERY, options.steps + 1, EVERY)
        }
    return {"seed": seed, "init": init is not None, "bound_by_step": bounds}


def _bound(model: Any, images: np.ndarray) -> float:
    noise = np.random.default_rng(0).standard_normal(
        (len(images), model.config.latent_dim), np.float32
    )
    terms = model.map_items("bound_terms", items=images, noise=noise)
    return round(float(terms.sum(axis=1).mean()), 1)


if __name__ == "__main__":
    main()
