"""The arms: what the same classifier is trained on, and how that data is put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.source import ArraySource, allocate
from genkit.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.plugins.specs import Field, Schema
    from genkit.report.reviewing import Review


@dataclass(frozen=True)
class Arm:
    """One way to put training data together.

    Args:
        name: ``real``, ``real+classical``, ``synthetic``, ``real+synthetic`` or ``all``.
        ratio: synthetic items for each real one; None where there are none.
        real: whether the real items are in it.
        classical: whether all items are changed at random in training.
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


def plain_schema(schema: Schema, generated: Sequence[str]) -> Schema:
    """Keep what is generated and the label, and drop what generated items don't have."""
    names = dict.fromkeys((*generated, schema.name_of("label")))
    return type(schema)({name: schema[name] for name in names})


def synthesize(
    model: Model, n: int, seed: int, schema: Schema, review: Review
) -> tuple[ArraySource, np.ndarray]:
    """Generate labelled items; the classes take turns, so the first items are balanced too.

    They get the dtype of the data, rounded where that holds whole numbers: a classifier could
    otherwise tell the two apart by their number format. Above 1 GiB they live in a file.

    Args:
        model: a trained conditional model.
        n: how many.
        seed: item ``i`` depends only on ``(seed, i)``.
        schema: of the real data; see ``plain_schema``.
        review: what it refuses is left out, with its label.

    Returns:
        the items that may be used, and which of the ``n`` they are, rising.

    Raises:
        TrainingError: the model gives values that are not finite, or all items are refused.
        PluginError: a reviewer failed.
    """
    label = schema.name_of("label")
    fields = {name: field for name, field in schema.fields.items() if name != label}
    items = {
        name: allocate((n, *_sizes(name, field)), field.dtype) for name, field in fields.items()
    }
    allowed = np.empty(n, bool)
    start = kept = 0
    for batch in model.generate_items(n, seed):
        mine = review.allowed(batch[model.generated_field()])
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
    labels = model.class_numbers(n, None).astype(schema[label].dtype)[allowed]
    chosen = {name: array[:kept] for name, array in items.items()}
    return ArraySource({**chosen, label: labels}, schema), np.flatnonzero(allowed)


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
    whole = np.issubdtype(np.dtype(field.dtype), np.integer)
    return np.asarray((np.rint(limited) if whole else limited).astype(field.dtype))
