"""The arms: what the same classifier is trained on, and how that data is put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.source import ArraySource, allocate
from genkit.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.plugins.specs import Field
    from genkit.report.reviewing import Review
    from genkit.workflows.augmentation.learner import Learner


@dataclass(frozen=True)
class Arm:
    """One way to put training data together.

    Args:
        name: ``real``, ``real+classical``, ``synthetic``, ``real+synthetic`` or ``all``.
        ratio: synthetic items for each real one; None where there are none.
        real: whether the real items are in it.
        classical: whether it has classical augmentation.
    """

    name: str
    ratio: float | None = None
    real: bool = True
    classical: bool = False

    @property
    def key(self) -> str:
        """The arm with its ratio, ``real+synthetic 2:1``."""
        return self.name if self.ratio is None else f"{self.name} {self.ratio:g}:1"

    def count(self, n_real: int) -> int:
        """Count the synthetic items for so many real ones; at least one."""
        return max(1, round(n_real * self.ratio)) if self.ratio is not None else 0

    def data(self, real: ArraySource, synthetic: ArraySource | None) -> ArraySource:
        """Put the training data together.

        Args:
            real: the labelled subset.
            synthetic: it takes the first ones; all where reviewers left fewer. None where the arm
                has none.
        """
        if self.ratio is None:
            return real
        assert synthetic is not None, "an arm with a ratio has synthetic items"
        first = np.arange(min(self.count(len(real)), len(synthetic)))
        parts = [synthetic.gather(first)]
        if self.real:
            parts.insert(0, real.arrays)
        joined = {name: np.concatenate([part[name] for part in parts]) for name in real.arrays}
        return ArraySource(joined, real.schema)


def synthesize(
    model: Model, n: int, seed: int, learner: Learner, review: Review
) -> tuple[ArraySource, np.ndarray]:
    """Generate labelled items; the classes take turns, so the first items are balanced too.

    They get the dtype of the data, rounded where that holds whole numbers: a classifier could
    otherwise tell the two apart by their number format. Above 1 GiB they live in a file.

    Args:
        model: a trained model that can be asked for the learner's condition.
        n: how many.
        seed: item ``i`` depends only on ``(seed, i)``.
        learner: what the items are for.
        review: what it refuses is left out, with its label.

    Returns:
        the items that may be used, and which of the ``n`` they are, rising.

    Raises:
        TrainingError: the model gives values that are not finite, or all items are refused.
        PluginError: a reviewer failed.
    """
    schema, label = learner.schema, learner.label
    labels = np.arange(n) % len(schema[label].classes)
    asked = [schema[label].classes[number] for number in labels]
    fields = {name: field for name, field in schema.fields.items() if name != label}
    items = {
        name: allocate((n, *_sizes(name, field)), field.dtype) for name, field in fields.items()
    }
    allowed = np.empty(n, bool)
    start = kept = 0
    for presented in model.generate_items(n, seed, given={learner.condition: asked}):
        mine = review.allowed(presented[model.generated_field()])
        batch = learner.viewed(presented)
        allowed[start : start + len(mine)] = mine
        start += len(mine)
        for name, field in fields.items():
            items[name][kept : kept + mine.sum()] = _as_data(batch[name], field)[mine]
        kept += int(mine.sum())
    if not kept:
        raise TrainingError(
            f"All {n} generated items were refused: {', '.join(review.told()['reasons'])}.",
            "See who refuses: genkit list reviewers",
        )
    chosen = {name: array[:kept] for name, array in items.items()}
    chosen[label] = labels[allowed].astype(schema[label].dtype)
    return ArraySource(chosen, schema), np.flatnonzero(allowed)


def _sizes(name: str, field: Field) -> tuple[int, ...]:
    sizes = tuple(size for size in field.shape if size is not None)
    if len(sizes) < len(field.shape):
        raise UsageError(
            f"Expected items of one shape; those of {name} vary in length.",
            "Choose a model whose items don't.",
        )
    return sizes


def _as_data(batch: np.ndarray, field: Any) -> np.ndarray:
    if not np.isfinite(batch).all():
        raise TrainingError(
            "Expected finite values from the generator; it gives NaN or infinity.",
            "Train it for fewer steps, or with a smaller learning rate: --set learning_rate=...",
        )
    limited = batch if field.range is None else np.clip(batch, *field.range)
    whole = np.issubdtype(field.dtype, np.integer) and np.issubdtype(limited.dtype, np.floating)
    return np.asarray((np.rint(limited) if whole else limited).astype(field.dtype))
