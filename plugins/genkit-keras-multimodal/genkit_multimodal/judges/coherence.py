"""Whether fields of an item agree: those generated together, and those made from others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import genkit
from genkit.evaluation import Batch, Context, Figure, mean_interval, proportion_interval
from genkit_multimodal.judges.classifier import STEPS, judge_of, key_of
from genkit_multimodal.posteriors import subsets_of

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 1000  # generated items, and test items
_MOST_FIELDS = 6  # of whose subsets all are tried


class Coherence(genkit.Metric):
    """Joint and cross coherence by classifiers, each with its own accuracy beside.

    As Shi et al. 2019 and Sutter et al. 2021 measure it: of items drawn from the prior, how often
    all fields are of one class; of real test items, how often a field made from some of the others
    is of the item's class, over all subsets of them.
    """

    streams: ClassVar[tuple[str, ...]] = ("generated",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.agreed: list[np.ndarray] = []

    @classmethod
    def unfit(cls, context: Context) -> str:
        if "translate" not in getattr(context.model, "capabilities", ()):
            return "the model makes no fields from others"
        if len(context.output_fields) > _MOST_FIELDS:
            return f"more than {_MOST_FIELDS} fields"
        if context.training is None or context.real is None:
            return context.no_training or "the data it was trained on is not at hand"
        if key_of(context.training.schema) is None or key_of(context.real.schema) is None:
            return "the data has no classes to judge by"
        return ""

    @cached_property
    def judges(self) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
        """What names the class of an item, by field."""
        return {name: judge_of(self.context, name) for name in self.context.output_fields}

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002
        if sum(map(len, self.agreed)) >= _MOST:
            return
        classes = np.stack([judge(batch.fields[name]) for name, judge in self.judges.items()])
        self.agreed.append((classes == classes[0]).all(axis=0))

    def compute(self) -> Iterator[Figure]:
        together = np.concatenate(self.agreed)
        joint = proportion_interval(int(together.sum()), len(together))
        yield self._figure("joint-coherence", joint, n=len(together))
        real: Any = self.context.real
        items = real.gather(np.arange(min(_MOST, len(real))))
        classes = items[key_of(real.schema)]
        by_count, by_pair = self._cross(items, classes)
        for count, rows in by_count.items():
            interval = mean_interval(np.mean(rows, axis=0))
            yield self._figure(f"cross-coherence ({count} given)", interval, n=len(classes))
        for pair, right in by_pair.items():
            interval = proportion_interval(int(right.sum()), len(right))
            yield self._figure(f"coherence ({pair})", interval, n=len(classes))
        for name, judge in self.judges.items():
            right = judge(items[name]) == classes
            interval = proportion_interval(int(right.sum()), len(right))
            yield self._figure(f"judge ({name})", interval, n=len(classes))

    def _cross(
        self, items: dict[str, np.ndarray], classes: np.ndarray
    ) -> tuple[dict[int, list[np.ndarray]], dict[str, np.ndarray]]:
        """Return whether each field made from others is of the item's class.

        Returns:
            a list of bool arrays ``(items,)`` by how many fields were given; and those of one field
            from one other by what they are called.
        """
        model: Any = self.context.model
        names = list(self.context.output_fields)
        by_count: dict[int, list[np.ndarray]] = defaultdict(list)
        by_pair = {}
        for row in subsets_of(len(names), 1, len(names) - 1):
            given = [name for name, there in zip(names, row, strict=True) if there]
            made = model.translate({name: items[name] for name in given}, seed=self.context.seed)
            for name, answers in made.items():
                right = self.judges[name](answers[:, 0]) == classes
                by_count[len(given)].append(right)
                if len(given) == 1:
                    by_pair[f"{name} from {given[0]}"] = right
        return by_count, by_pair

    def _figure(self, name: str, interval: tuple[float, float, float], n: int) -> Figure:
        return self.context.figure(name, interval, "max", items=n, judge=f"CNN, {STEPS} steps")
