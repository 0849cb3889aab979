"""What a report is made from: the files of a run and, for a full one, its model and data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import DataError, GenkitError
from genkit.plugins.registry import Registry, installed
from genkit.plugins.specs import Schema
from genkit.report.forms import is_scalar
from genkit.report.plots import loss_curves
from genkit.report.readable import blanked, masked
from genkit.report.renderers import shown_together
from genkit.report.rendering import Renderer, find_renderer
from genkit.report.reviewing import Reviews
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
        show_real: whether real items are shown one by one though the model can ``contrast`` them.
    """

    run: Run
    registry: Registry
    n: int = USUAL_N
    model: Model | None = None
    training: Source | None = None
    held_out: Source | None = None
    missing: str = ""
    tell: Tell = field(default=lambda _: None)
    show_real: bool = False

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

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the model's output fields."""
        return (self.model.output_fields if self.model is not None else ()) or (self.field,)

    @cached_property
    def assets(self) -> Mapping[str, Any]:
        """Arrays by name that belong to the data: vocabularies, for example."""
        return self.model.assets if self.model is not None else {}

    @cached_property
    def generated(self) -> Mapping[str, Any]:
        """The samples that the report shows, by field: the first ``n`` of the run's own seed."""
        assert self.model is not None, "only a full report generates"
        return self.generate(self.n)

    def generate(self, n: int, label: Any = None) -> Mapping[str, Any]:
        """Return samples of the run's own seed, by field, blank where a reviewer refuses one."""
        from genkit.models.given import values_from
        from genkit.models.outputs import concatenated

        assert self.model is not None, "only a full report generates"
        given = {} if self.real is None else values_from(self.real, self.model, n)
        batches = self.model.generate_items(n, self.run.plan.seed, label, given=given)
        return self.reviewed(concatenated(list(batches)))

    @cached_property
    def protects_data(self) -> bool:
        """Whether the run's trainer promises privacy for its data: a report keeps none of it."""
        return self.run.statement().protects_data

    def reviewed(self, items: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return items that the model made, blank where a reviewer refuses one.

        Args:
            items: by field, ``n`` each: some or all of the output fields.
        """
        allowed = self.allowed(items)
        if allowed.all():
            return items
        return {name: self._blanked(name, each, ~allowed) for name, each in items.items()}

    def allowed(self, items: Mapping[str, Any]) -> np.ndarray:
        """Return which items no reviewer refuses, as ``reviewed`` is given them."""
        assert self.model is not None, "only a full report has what a model made"
        assert self.model.schema is not None, "a loaded model knows its data"
        reviews = Reviews(self.model.schema, tuple(items), self.registry, self.assets)
        return reviews.allowed(items)

    def _blanked(self, field: str, items: Any, refused: np.ndarray) -> Any:
        assert self.schema is not None, "asked only where items are shown"
        if is_scalar(self.schema[field]):
            return masked(items, refused)
        renderer = find_renderer(self.schema, field, self.registry, self.assets)
        blank = (renderer or Renderer(self.schema, field, self.assets)).blank()
        return blanked(items, refused, blank)

    @property
    def real(self) -> Source | None:
        """Real items to set samples beside: held out where there are such."""
        return self.held_out or self.training

    @property
    def shown_singly(self) -> Source | None:
        """Real items that may be shown one by one.

        Those of a model that can ``contrast`` are rows about people as often as not, and a page is
        sent around: nothing but sums of them is shown until somebody asks for more.
        """
        return self.real if self.show_real or not self.can("contrast") else None

    def can(self, capability: str) -> bool:
        """Return whether there is a model that can do that."""
        if self.model is None or capability not in self.model.capabilities:
            return False
        asks = capability == "generate" and any(each.required for each in self.model.conditions)
        return self.real is not None or not asks  # what the model needs is taken from real items


def of_files(run: Run, registry: Registry | None = None) -> ReportInputs:
    """Return what a run's files tell; nothing is loaded."""
    return ReportInputs(run, registry or installed())


def of_model(
    path: Path,
    backend: str | None,
    n: int | None,
    tell: Tell,
    *,
    with_data: bool = True,
    show_real: bool = False,
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
    return ReportInputs(run, registry, n, model, training, held_out, missing, tell, show_real)


def evenly(source: Source, field: str, n: int) -> tuple[Any, dict[str, Any]]:
    """Take ``n`` items, spread evenly over the data: one field of them, and all fields."""
    from genkit.data import items_of

    items = _spread(source, n)
    return items_of(items, source.schema, field), items


def evenly_by_field(source: Source, fields: Iterable[str], n: int) -> dict[str, Any]:
    """Take ``n`` items, spread evenly over the data, by field, with missing values masked."""
    import numpy as np

    from genkit.data import items_of

    batch = _spread(source, n)
    items = {name: items_of(batch, source.schema, name) for name in fields}
    absent = {name: batch[f"{name}_missing"] for name in items if f"{name}_missing" in batch}
    return items | {name: np.ma.MaskedArray(items[name], mask) for name, mask in absent.items()}


def _spread(source: Source, n: int) -> dict[str, Any]:
    import numpy as np

    indices = np.linspace(0, len(source) - 1, min(n, len(source))).astype(np.int64)
    return source.gather(indices)
