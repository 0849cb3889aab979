"""Membership inference: can an attacker tell what a model was trained on?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from genkit.errors import DataError
from genkit.evaluation.figure import Figure
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.auc import DELONG, auc_interval
from genkit.evaluation.metrics.kept import Kept, require
from genkit.evaluation.metrics.pairs import nearest
from genkit.evaluation.metrics.widths import no_view

LIMIT = 5_000
SAMPLES = 10_000


class MembershipInference(Metric):
    """The AUC of an attacker who tells training items from held-out ones: 0.5 is a guess.

    The attacker takes the best that the model gives away for one item:

    - a bound on its likelihood (``bound_terms``, as VAEs have), at the posterior mean;
    - or its reconstruction error (capability ``reconstruct``);
    - or, where there are samples only, the distance to the nearest of them, in the extractor's view
      (Chen et al. 2020, "GAN-Leaks", section 5.2, the full black-box attack).

    Training items should score higher, and the AUC is that of this one rule: below 0.5 is chance,
    or training data that differs from the held-out; it is not turned round, which would make every
    chance result look like a small success.
    """

    streams = ("generated", "real", "training")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        limits = {"generated": SAMPLES, "real": LIMIT, "training": LIMIT}
        self._kept = {stream: Kept(n, context.seed) for stream, n in limits.items()}
        # Chosen by the same draws as the items.
        self._labels = {stream: Kept(n, context.seed) for stream, n in limits.items()}
        self._attack = attack(context)
        self.gathered = {
            **{f"{stream}-items": kept for stream, kept in self._kept.items()},
            **{f"{stream}-labels": kept for stream, kept in self._labels.items()},
        }

    @classmethod
    def unfit(cls, context: Context) -> str:
        if context.training is None:
            return "it needs the training data"
        return no_view(context) if attack(context) == NEAREST else ""

    def update(self, stream: str, batch: Batch) -> None:
        if self._attack == NEAREST:
            self._kept[stream].add(batch.view, batch.begin)
        elif stream != "generated":
            self._kept[stream].add(batch.items, batch.begin)
            if _conditional(self.context.model):
                if batch.labels is None:
                    raise DataError(f"Expected {stream} items with labels; received none.")
                self._labels[stream].add(batch.labels, batch.begin)

    def compute(self) -> Iterable[Figure]:
        counts = {stream: len(self._kept[stream]) for stream in ("real", "training")}
        require(2, **counts)
        if self._attack == NEAREST:
            require(1, generated=len(self._kept["generated"]))
        training, real = self._scores("training"), self._scores("real")
        name, space = "membership-inference", {}
        if self._attack == NEAREST:
            assert self.context.extractor is not None, "unfit without"
            name = self.context.of_features(name)
            space = {"space": self.context.extractor.space}
        yield self.context.figure(
            name,
            auc_interval(training, real),
            "min",
            attack=self._attack,
            **space,
            guess=0.5,
            at_most=LIMIT,
            interval=DELONG,
        )

    def _scores(self, stream: str) -> np.ndarray:
        """Return each item's score: the higher, the likelier training data."""
        items, model = self._kept[stream].rows, self.context.model
        if self._attack == NEAREST:
            return -nearest(items, self._kept["generated"].rows)[0]
        assert model is not None, "the other attacks ask the model"
        label = self._labels[stream].rows if _conditional(model) else None
        if self._attack == RECONSTRUCTION:
            made = model.reconstruct(items, label=label)
            error = (made.astype(np.float64) - items).reshape(len(items), -1)
            errors: np.ndarray = np.square(error).mean(axis=1)
            return -errors
        (drawn,) = model.noise(np.random.default_rng(0), 1).values()
        zero = np.zeros((len(items), *drawn.shape[1:]), np.float32)
        inputs = {} if label is None else {"label": label.astype(np.int32)}
        terms = model.map_items("bound_terms", items=items, noise=zero, **inputs)
        scores: np.ndarray = -terms.astype(np.float64).sum(axis=1)
        return scores


BOUND = "bound on the likelihood, at the posterior mean"
RECONSTRUCTION = "reconstruction error"
NEAREST = "distance to the nearest of the samples"


def attack(context: Context) -> str:
    """Choose the strongest attack that a model and its items allow; that on samples is always."""
    model, items = context.model, context.items
    if not items.computable or items.varies:  # what is kept and compared are arrays of one shape
        return NEAREST
    if hasattr(model, "bound_terms"):
        return BOUND
    if "reconstruct" in getattr(model, "capabilities", ()):
        return RECONSTRUCTION
    return NEAREST


def _conditional(model: Any) -> bool:
    return bool(getattr(model, "conditional", False))
