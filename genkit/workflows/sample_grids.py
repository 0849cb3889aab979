"""Grids of samples that a run keeps while it trains: always from the same noise."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from genkit.errors import PluginError, UsageError
from genkit.models.outputs import concatenated, is_finite
from genkit.report.samples import Samples
from genkit.runs.names import step_name

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.runs.run import Run

SAMPLES_IN_GRID = 64
MOST_COLUMNS = 16  # of a grid whose columns are classes


def draw_samples(run: Run, step: int, model: Model) -> Path | None:
    """Show samples in a file of a run; if the disk or a plugin refuses, training goes on.

    Args:
        run: the run directory.
        step: the step that the model has done.
        model: what generates.

    Returns:
        the file; None if there is none.
    """
    if model.schema is None or "generate" not in model.capabilities:
        return None
    if any(condition.required for condition in model.conditions):
        return None  # nothing is given while it trains
    writer = None
    with _may_be_refused(step):
        writer = Samples(model)
    if writer is None or not writer.shows():
        return None
    together = writer.renderer.together if writer.renderer else 0
    classes = len(model.classes()) if model.conditional and not together else 0
    columns = classes if 0 < classes <= MOST_COLUMNS else None
    n = SAMPLES_IN_GRID // columns * columns if columns else together or SAMPLES_IN_GRID
    with model.averaged_weights():
        items = concatenated(list(model.generate_items(n, seed=run.settings.seed)))
    if not all(map(is_finite, items.values())):
        return None  # the losses of the next step tell of it
    folder, shown = run.samples, None
    with _may_be_refused(step):
        folder.mkdir(exist_ok=True)
        shown = writer.write_overview(items, folder / step_name(step), columns)
    return shown  # noqa: RET504 - the block above may have ended early


@contextmanager
def _may_be_refused(step: int) -> Iterator[None]:
    """Let training go on where the disk, a renderer or a reviewer refuses its samples."""
    try:
        yield
    except (OSError, PluginError, UsageError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        warnings.warn(
            f"The samples of step {step} can't be written: {reason}. Training goes on.",
            stacklevel=3,
        )
