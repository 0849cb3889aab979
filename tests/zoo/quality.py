"""How good a run's model is: ``python -m tests.zoo.quality RUN`` writes RUN/quality.json.

What ``genkit evaluate`` tells, of 10,000 samples against the test images; and of models with
latents also, on test images that training never saw:

- the error of reconstruction, also as a share of the pixels' variance;
- of variational autoencoders the two terms of the bound, and the bound from 100 samples, in nats.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import genkit
from genkit.evaluation import Figure
from genkit.plugins.registry import installed
from genkit.runs.inputs import open_data
from genkit.runs.run import Run

SAMPLES, IMPORTANCE = 10_000, 100
METRICS = ("fid", "kid", "prdc", "class-coverage", "memorisation", "membership-inference")


def main() -> None:
    """Measure the run that the command line names."""
    path = Path(sys.argv[1])
    model: Any = genkit.load(path)
    test = open_data(Run.open(path).plan, installed(), unseen=True)
    metrics = (*METRICS, *(["label-agreement"] if model.conditional else []))
    figures = genkit.evaluate(path, metrics=metrics, n=SAMPLES)
    latents: dict[str, Any] = {}
    if "reconstruct" in model.capabilities:
        latents |= _of_reconstructions(model, test)
    if hasattr(model, "log_weights") and model.prior is None:  # the bound is of a normal prior
        latents |= _of_the_bound(model, test)
    found = {
        "figures": {figure.name: _rounded(figure) for figure in figures},
        "card": _common(figures),
        "latents": {name: round(float(value), 4) for name, value in latents.items()},
    }
    (path / "quality.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _rounded(figure: Figure) -> list[float]:
    return [float(f"{each:.5g}") for each in (figure.value, figure.low, figure.high)]


def _common(figures: list[Figure]) -> dict[str, Any]:
    """Return what all cards say alike."""
    first, *others = (dict(figure.card) for figure in figures)
    return {k: v for k, v in first.items() if all(k in card and card[k] == v for card in others)}


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
