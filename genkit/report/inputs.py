"""What a report is made from: the files of a run and, for a full one, its model and data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import DataError, GenkitError
from genkit.plugins.registry import Registry, installed
from genkit.plugins.specs import Schema
from genkit.report.plots import loss_curves
from genkit.report.renderers import shown_together
from genkit.report.reviewing import Review
from genkit.runs.run import Run

if TYPE_CHECKING:
    import numpy as np

    from genkit.data import Source
    from genkit.models.model import Model
    from genkit.plugins.specs import ModelSpec

Tell = Callable[[str], None]
USUAL_N = 36
"""Items in a grid of pictures."""


@dataclass(frozen=True)
class ReportInputs:
    """What the sections of a report are made from.

    Args:
        run: the run directory.
        registry: knows its model and data set.
        n: how many items are shown at once.
        model: the trained model; None for a report from the run's files alone.
        training: what it was trained on; None if it isn't at hand.
        held_out: items it has not seen; None where the data has no such split.
        missing: why data that was asked for isn't at hand, a sentence.
        tell: is told what is done next, in a few words.
    """

    run: Run
    registry: Registry
    n: int = USUAL_N
    model: Model | None = None
    training: Source | None = None
    held_out: Source | None = None
    missing: str = ""
    tell: Tell = field(default=lambda _: None)

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """What the run was made with; nothing if that can't be read."""
        try:
            return self.run.environment()
        except GenkitError:
            return {}

    @cached_property
    def schema(self) -> Schema | None:
        """What one item of its data is; None if the run doesn't tell."""
        try:
            return Schema.from_dict(self.environment["data"]["schema"])
        except (KeyError, TypeError, DataError):
            return None

    @cached_property
    def field(self) -> str:
        """Name of the field that its samples belong to."""
        assert self.schema is not None, "asked only where items are shown"
        if self.model is not None:
            return self.model.generated_field()
        try:
            spec: ModelSpec = self.registry.find("models", self.run.plan.qualified("model")).spec
        except GenkitError:
            return self.schema.main_field()  # the model's plugin is not installed
        return spec.output_fields(self.schema)[0]

    @cached_property
    def curves(self) -> Mapping[str, tuple[Any, Any]]:
        """Steps and values of each loss."""
        return loss_curves(self.run.iter_metrics())

    @cached_property
    def generated(self) -> np.ndarray:
        """The samples that the report shows, the first ``n`` of the run's own seed."""
        assert self.model is not None, "only a full report generates"
        return self.reviewed(self.model.generate(self.n, seed=self.run.plan.seed))

    @cached_property
    def protects_data(self) -> bool:
        """Whether the run's trainer promises privacy for its data: a report keeps none of it."""
        return self.run.statement().protects_data

    def reviewed(self, items: np.ndarray) -> np.ndarray:
        """Return items that the model made, blank where a reviewer refuses one.

        Args:
            items: shape ``(n, ...)``, as the model's schema says.
        """
        assert self.model is not None, "only a full report has what a model made"
        assert self.model.schema is not None, "a loaded model knows its data"
        allowed = Review(self.model.schema, self.field, self.registry).allowed(items)
        shown = items.copy()
        shown[~allowed] = (self.model.schema[self.field].range or (0.0, 0.0))[0]
        return shown

    @property
    def real(self) -> Source | None:
        """Real items to set samples beside: held out where there are such."""
        return self.held_out or self.training

    def can(self, capability: str) -> bool:
        """Return whether there is a model that can do that."""
        return self.model is not None and capability in self.model.capabilities


def of_files(run: Run, registry: Registry | None = None) -> ReportInputs:
    """Return what a run's files tell; nothing is loaded."""
    return ReportInputs(run, registry or installed())


def of_model(
    path: Path, backend: str | None, n: int | None, tell: Tell, *, with_data: bool = True
) -> ReportInputs:
    """Load a run's last checkpoint and, unless told otherwise, its data.

    Data that can't be opened, because the run was moved, is left out.

    Raises:
        GenkitError: not a run, or its model can't be loaded.
    """
    from genkit.runs.inputs import open_data
    from genkit.runs.loading import load

    tell(f"Loading {path}")
    run, registry = Run.open(path), installed()
    model = load(run, backend)
    assert model.schema is not None, "a loaded model knows its data"
    n = n or shown_together(model.schema, model.generated_field()) or USUAL_N
    if not with_data:
        return ReportInputs(run, registry, n, model, tell=tell)
    training = held_out = None
    missing = ""
    try:
        training = open_data(run.plan, registry)
        splits = registry.find("datasets", run.plan.qualified("dataset")).spec.splits
        if splits and run.plan.data.get("split") == splits[0]:
            held_out = open_data(run.plan, registry, unseen=True)
        if training.schema != model.schema:
            raise DataError("it has another schema now")
    except GenkitError as error:
        training = held_out = None
        missing = f"The data of this run can't be shown: {error}"
    return ReportInputs(run, registry, n, model, training, held_out, missing, tell)


def evenly(source: Source, field: str, n: int) -> tuple[Any, dict[str, Any]]:
    """Take ``n`` items, spread evenly over the data: one field of them, and all fields."""
    import numpy as np

    from genkit.data import items_of

    indices = np.linspace(0, len(source) - 1, min(n, len(source))).astype(np.int64)
    items = source.gather(indices)
    return items_of(items, source.schema, field), items
