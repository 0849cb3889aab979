"""How good a run's model is: ``python -m tests.zoo.quality RUN`` writes RUN/quality.json.

What is measured follows from what the model can do. All on test data that training never saw:

- every model that generates: what share of 10,000 samples the classifier puts into the rarest and
  the commonest class, how many classes have at least 1 %, and how far the nearest of 60,000
  training images is, in the median of 1,000 samples, as a multiple of the same for test images
  (below 1: nearer than new real images are; near 0: copies);
- how far the classifier's features of 10,000 samples are from those of the test images, as the
  Frechet distance of two normal distributions (Heusel et al. 2017, equation 6). It compares rows of
  this table only: other features than this classifier's give other numbers;
- conditional models: how often the classifier sees the label that was asked for;
- models with latents: the error of reconstruction, also as a share of the pixels' variance;
- variational autoencoders: the two terms of the bound, and the bound from 100 samples, in nats.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import genkit
from genkit.datasets import open_data
from genkit.evaluation.extractors import Extractor, open_extractor
from genkit.evaluation.opening import OWN_EXTRACTORS
from genkit.registry import installed
from genkit.runs import Run

SAMPLES, NEIGHBOURS, IMPORTANCE = 10_000, 1_000, 100


def main() -> None:
    """Measure the run that the command line names."""
    path = Path(sys.argv[1])
    run = Run.open(path)
    model: Any = genkit.load(path)
    train = open_data(run.plan, installed())
    test = open_data(run.plan, installed(), unseen=True)
    found = _of_samples(model, train, test, run.plan.dataset)
    if "reconstruct" in model.capabilities:
        found |= _of_reconstructions(model, test)
    if hasattr(model, "log_weights"):
        found |= _of_the_bound(model, test)
    text = json.dumps({key: round(float(value), 4) for key, value in found.items()}, indent=1)
    (path / "quality.json").write_text(text + "\n", encoding="utf-8")


def _of_samples(model: Any, train: Any, test: Any, dataset: str) -> dict[str, float]:
    classifier = open_extractor(OWN_EXTRACTORS[dataset], test.schema["image"])
    real = test.gather(np.arange(len(test)))
    right = np.mean(classes_seen(classifier, real["image"]) == real["label"])
    samples = np.concatenate(list(model.generate_batches(SAMPLES, seed=1)))
    classes = classes_seen(classifier, samples)
    count = len(test.schema["label"].classes)
    shares = np.bincount(classes, minlength=count) / len(classes)
    found = {
        "classifier_accuracy": right,
        "classes_covered": np.sum(shares >= 0.01),
        "rarest_class": shares.min(),
        "commonest_class": shares.max(),
        "nearest_training_image": _nearness(samples, train, real["image"]),
        "feature_distance": frechet(classifier, samples, real["image"]),
    }
    if model.conditional:
        # Without a label the classes take turns.
        found["label_agreement"] = np.mean(classes == np.arange(SAMPLES) % count)
    return found


def classes_seen(classifier: Extractor, images: np.ndarray) -> np.ndarray:
    """Give the most likely class of each image: int, shape ``(n,)``."""
    classes: np.ndarray = classifier.probabilities(classifier.features(images)).argmax(axis=1)
    return classes


def frechet(classifier: Extractor, samples: np.ndarray, real: np.ndarray) -> float:
    """Give the Frechet distance between the classifier's features of two sets of images."""
    (mean, spread), (other_mean, other_spread) = (
        (features.mean(axis=0), np.cov(features, rowvar=False))
        for features in (classifier.features(x) for x in (samples, real))
    )
    # The trace of a product's square root is the sum of its eigenvalues' roots.
    roots = np.sqrt(np.maximum(np.linalg.eigvals(spread @ other_spread).real, 0))
    between = np.trace(spread) + np.trace(other_spread) - 2 * roots.sum()
    return float(((mean - other_mean) ** 2).sum() + between)


def _nearness(samples: np.ndarray, train: Any, real: np.ndarray) -> float:
    known = _flat(train.gather(np.arange(len(train)))["image"])
    generated, new = (nearest(_flat(x[:NEIGHBOURS]), known) for x in (samples, real))
    return float(np.median(generated) / np.median(new))


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32)


def nearest(some: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give each row's distance to the nearest of the known ones."""
    squares = (some**2).sum(axis=1)[:, None] - 2 * some @ known.T + (known**2).sum(axis=1)
    distances: np.ndarray = np.sqrt(np.maximum(squares.min(axis=1), 0))
    return distances


def _of_reconstructions(model: Any, test: Any) -> dict[str, float]:
    items = test.gather(np.arange(len(test)))
    label = {"label": items["label"].tolist()} if model.conditional else {}
    limits = test.schema["image"].range
    real = (items["image"] - limits[0]) / (limits[1] - limits[0])
    again = (model.reconstruct(items["image"], **label) - limits[0]) / (limits[1] - limits[0])
    error = np.mean((again - real) ** 2)
    return {"reconstruction_mse": error, "error_over_variance": error / real.var()}


def _of_the_bound(model: Any, test: Any) -> dict[str, float]:
    from genkit.evaluation import importance_nll

    items = test.gather(np.arange(len(test)))
    label = {"label": items["label"].tolist()} if model.conditional else {}
    terms = model.map_items("bound_terms", items=items["image"], **_noise(model, len(test), label))
    nll = importance_nll(model, items["image"], IMPORTANCE, **label)
    reconstruction, divergence = terms.mean(axis=0)
    return {
        "reconstruction_nats": reconstruction,
        "kl_nats": divergence,
        "elbo_nats": -(reconstruction + divergence),
        f"nll_{IMPORTANCE}_nats": nll.mean(),
    }


def _noise(model: Any, n: int, label: dict[str, Any]) -> dict[str, np.ndarray]:
    noise = np.random.default_rng(0).standard_normal((n, model.config.latent_dim), np.float32)
    return {"noise": noise, **model.label_input(n, label.get("label"))}


if __name__ == "__main__":
    main()
