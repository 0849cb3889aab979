"""What a metric is: it is shown items a batch at a time, and gives figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from genkit.errors import UsageError
from genkit.evaluation.figure import Figure

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.evaluation.extractors.base import Extractor
    from genkit.evaluation.real_store import RealStore
    from genkit.models.model import Model
    from genkit.plugins.specs import Field, Schema


@dataclass(frozen=True)
class Context:
    """What is measured, and how: the same for all metrics of one evaluation.

    Args:
        schema: what the items are.
        extractor: turns items into features; None for data that has no extractor.
        seed: of samples, of bootstrap draws, of everything random.
        model: the model whose samples are measured; None where only samples are at hand.
        training: the data that the model was trained on, where a metric may look at it.
        real: the data that samples are compared with.
        card: what stands on every figure of this evaluation: counts, reference data, split, ...
        no_training: why metrics that look at the training data can't measure, where that is so.
        real_store: keeps what is computed of real data alone; None where nothing is kept.
        output_fields: names of the fields that the model generates, of which the first is what
            batches hold; ``schema.main_field()`` when left out.
        assets: arrays by name that came with the data: vocabularies, the tables of a codec.
    """

    schema: Schema
    extractor: Extractor | None = None
    seed: int = 0
    model: Model | None = None
    training: Source | None = None
    real: Source | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    no_training: str = ""
    real_store: RealStore | None = None
    output_fields: tuple[str, ...] = ()
    assets: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.output_fields:
            object.__setattr__(self, "output_fields", (self.schema.main_field(),))

    @property
    def items(self) -> Field:
        """What the items in batches are."""
        return self.schema[self.output_fields[0]]

    def of_real(
        self, name: str, make: Callable[[], Mapping[str, np.ndarray]]
    ) -> Mapping[str, np.ndarray]:
        """Return what is computed of real data alone: kept from an earlier evaluation, or made.

        What is made must depend on nothing but the data, the extractor and the seed.

        Args:
            name: what it is, with every setting that changes it; unlike any other's.
            make: computes arrays by name, the same each time.
        """
        return make() if self.real_store is None else self.real_store.arrays(name, make)

    def of_features(self, name: str, elsewhere: str = "") -> str:
        """Return what a figure of features is called.

        Of images it has the name that everybody knows it by; of other items there is no usual
        extractor, so the name says whose features they are: ``"frechet (bands)"``.

        Args:
            name: of the figure of images.
            elsewhere: what it is called of others, without the extractor; the same when left out.
        """
        assert self.extractor is not None, "figures of features have an extractor"
        if self.items.modality == "image":
            return name
        return f"{elsewhere or name} ({self.extractor.name})"

    def figure(
        self,
        name: str,
        interval: tuple[float, float, float],
        direction: str,
        /,
        **card: Any,
    ) -> Figure:
        """Make a figure whose card is the evaluation's and the metric's own.

        Args:
            name: of the figure.
            interval: ``(value, low, high)``.
            direction: ``"min"`` or ``"max"``.
            **card: what this metric adds: how the interval was made, its own settings.
        """
        value, low, high = (float(each) for each in interval)
        return Figure(name, value, low, high, direction, {**self.card, **card})


class Batch:
    """Items on their way to the metrics; features are made once, when the first one asks.

    Args:
        items: shape ``(n, ...)`` in the schema's range; where they vary in length a list of
            arrays, each of its own length.
        extractor: makes features; None where there is none.
        labels: class numbers, int, shape ``(n,)``: the data's, or those asked of a conditional
            model.
        begin: place of the first item in its stream, from 0; None if the batches of a stream come
            one after the other.
        fields: the same items with all their output fields by name, ``items`` among them, where the
            model generates several; ``numpy.ma.MaskedArray`` where values are missing. Generated
            ones are as the model presents them, and real ones as the data holds them: text may be
            ``str``, or numbers of its vocabulary.
    """

    def __init__(
        self,
        items: Any,
        extractor: Extractor | None = None,
        labels: np.ndarray | None = None,
        begin: int | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        self.items = items
        self.fields: Mapping[str, Any] = fields or {}
        self.begin = begin
        self.labels = labels
        self._extractor = extractor

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def features(self) -> np.ndarray:
        """The extractor's features, float32 of shape ``(n, dim)``."""
        assert self._extractor is not None, "a metric that wants features refuses without extractor"
        return self._extractor.features(self.items)

    @cached_property
    def view(self) -> np.ndarray:
        """The items as the extractor shows them for a look at copies, uint8 of shape ``(n, w)``."""
        assert self._extractor is not None, "a metric that wants a view refuses without extractor"
        return self._extractor.view(self.items)

    @cached_property
    def probabilities(self) -> np.ndarray:
        """The extractor's class probabilities, float32 of shape ``(n, classes)``."""
        assert self._extractor is not None, "a metric that wants classes refuses without extractor"
        return self._extractor.probabilities(self.features)


class Gathered(Protocol):
    """What a metric gathers of items, a part of it at a time."""

    def state(self) -> Mapping[str, np.ndarray]:
        """Return all of it, as arrays by name."""

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up the state of another."""


class Metric:
    """Base of every metric.

    An evaluation makes one, shows it the batches of each stream that it names, and computes. The
    order of the batches must not matter, and memory must not grow without bound.

    Many items may be shown in parts, in several processes: what each has gathered, ``state``, is
    merged in one, which computes. A metric that can be merged keeps all that it gathers in
    ``gathered``, or defines ``state`` and ``merge``; the others refuse.

    Example:
        class Brightness(genkit.Metric):
            streams = ("generated",)

            def __init__(self, context):
                super().__init__(context)
                self.means = []

            def update(self, stream, batch):
                self.means.extend(batch.items.mean(axis=(1, 2, 3)))

            def compute(self):
                yield self.context.figure(
                    "brightness", mean_interval(self.means), "max", interval="95 % t"
                )
    """

    streams: ClassVar[tuple[str, ...]] = ("generated", "real")
    """What it wants to see: ``generated`` samples, ``real`` items held out, ``training`` items."""

    gathered: Mapping[str, Gathered] | None = None
    """All that ``update`` changes, by name; None for a metric that can't be merged."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @classmethod
    def unfit(cls, context: Context) -> str:  # noqa: ARG003
        """Return why it can't measure this, in a few words; empty if it can."""
        return ""

    def update(self, stream: str, batch: Batch) -> None:
        """Look at a batch of a stream."""
        raise NotImplementedError(f"{type(self).__name__} defines no update.")

    def compute(self) -> Iterable[Figure]:
        """Return what was measured."""
        raise NotImplementedError(f"{type(self).__name__} defines no compute.")

    def state(self) -> dict[str, np.ndarray]:
        """Return all that was gathered, as arrays by name: what another process merges.

        Raises:
            UsageError: it can't be merged from parts.
        """
        return {
            f"{name}.{key}": array
            for name, part in self._mergeable().items()
            for key, array in part.state().items()
        }

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up what another metric has gathered, as if its batches had been shown here.

        Args:
            state: of one of the same class and context, which was shown other items of the same
                streams, each batch with its place, ``Batch.begin``.

        Raises:
            UsageError: it can't be merged from parts.
        """
        for name, part in self._mergeable().items():
            start = f"{name}."
            part.merge({k.removeprefix(start): v for k, v in state.items() if k.startswith(start)})

    def _mergeable(self) -> Mapping[str, Gathered]:
        if self.gathered is None:
            raise UsageError(
                f"{type(self).__name__} can't be merged from parts.", "Show all items to one."
            )
        return self.gathered
