"""Grids of samples that a run keeps while it trains: from the same noise and conditions always."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import DataError, PluginError, UsageError
from genkit.models.given import values_from
from genkit.models.outputs import concatenated, is_finite
from genkit.report.forms import is_scalar, is_text
from genkit.report.readable import ReadableColumns
from genkit.report.samples import Samples
from genkit.runs.names import step_name
from genkit.runs.sample_conditions import write_conditions

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.models.model import Model
    from genkit.runs.run import Run

SAMPLES_IN_GRID = 64
SAMPLES_BY_CONDITION = 16  # few enough to say what each was given
MOST_COLUMNS = 16  # of a grid whose columns are classes


def draw_samples(run: Run, step: int, model: Model, source: Source | None = None) -> Path | None:
    """Show samples in a file of a run; if the disk or a plugin refuses, training goes on.

    Args:
        run: the run directory.
        step: the step that the model has done.
        model: what generates.
        source: items, of which the first in an order that the run's seed draws have what the model
            generates nothing without; left out, such a model shows nothing.

    Returns:
        the file; None if there is none.
    """
    if model.schema is None or "generate" not in model.capabilities:
        return None
    asks = any(condition.required for condition in model.conditions)
    if asks and source is None:
        return None
    writer = None
    with _may_be_refused(step):
        writer = Samples(model)
    if writer is None or not writer.shows():
        return None
    usual = SAMPLES_BY_CONDITION if asks else SAMPLES_IN_GRID
    together = writer.renderer.together if writer.renderer else 0
    classes = len(model.classes()) if model.conditional and not together else 0
    columns = classes if 0 < classes <= MOST_COLUMNS else None
    n = usual // columns * columns if columns else together or usual
    asked: dict[str, Any] = {"seed": run.settings.seed}
    if asks and source is not None:
        with _may_be_refused(step):
            asked["given"] = values_from(source, model, n, **asked)
        if "given" not in asked:
            return None
    with model.averaged_weights():
        items = concatenated(list(model.generate_items(n, **asked)))
    if not all(map(is_finite, items.values())):
        return None  # the losses of the next step tell of it
    folder, shown = run.samples, None
    with _may_be_refused(step):
        folder.mkdir(exist_ok=True)
        if told := _readable(model, asked.get("given", {})):
            write_conditions(folder, told)
        shown = writer.write_overview(items, folder / step_name(step), columns)
    return shown  # noqa: RET504 - the block above may have ended early


def _readable(model: Model, given: Mapping[str, list[Any]]) -> dict[str, list[str]]:
    """Return values of conditions as people write them; arrays can't be."""
    assert model.schema is not None, "draw_samples() has looked"
    columns = {}
    for condition in model.conditions:
        name = condition.field_name(model.schema)
        field = model.schema[name]
        if condition.name in given and (is_text(field) or is_scalar(field)):
            values: Any = given[condition.name]
            values = values if is_text(field) else np.array(values)
            read = ReadableColumns(model.schema, (name,), model.assets).of({name: values})
            columns[condition.name] = read[name].texts()
    return columns


@contextmanager
def _may_be_refused(step: int) -> Iterator[None]:
    """Let training go on where the disk, a renderer or a reviewer refuses its samples."""
    try:
        yield
    except (OSError, DataError, PluginError, UsageError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        warnings.warn(
            f"The samples of step {step} can't be written: {reason}. Training goes on.",
            stacklevel=3,
        )
