"""What the commands that look at a run's data share: its model and items, and where they write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genkit.cli import completion, run_completion, setting_completion
from genkit.errors import UsageError
from genkit.files import check_path

if TYPE_CHECKING:
    from genkit.models.autoencoder import Autoencoder

DataOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="Another setting of the run's data set, e.g. split=train; where the data has a test "
        "split, that is taken. Repeatable.",
        autocompletion=setting_completion.data_keys,
    ),
]
BackendOption = Annotated[
    str | None,
    typer.Option(
        help="jax, torch or tensorflow; by default the run's own.",
        autocompletion=completion.backends,
    ),
]
CheckpointOption = Annotated[
    str | None,
    typer.Option(
        metavar="STEP|best",
        help="The step of a checkpoint the run has kept, or best; by default the newest.",
        autocompletion=run_completion.checkpoints,
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        metavar="NUMBER",
        help="How many processes generate together: what comes out is the same.",
    ),
]


def load_with_items(
    run: Path,
    capability: str,
    n: int | None,
    data: list[str] | None,
    loading: tuple[str | None, str | None],
) -> tuple[Autoencoder, dict[str, Any]]:
    """Load a run's model, and items of its data set by field.

    Args:
        run: the run directory.
        capability: what the model must be able to do.
        n: how many items; all if None.
        data: settings of the data set to change, ``key=value``.
        loading: backend and checkpoint, as ``genkit.load`` takes them.

    Raises:
        UsageError: the model can't do that, there are too few items, or they have another shape.
    """
    import numpy as np

    from genkit.plan.plan import parse_settings
    from genkit.plugins.registry import installed
    from genkit.runs.inputs import open_data
    from genkit.runs.loading import load
    from genkit.runs.run import Run

    if n is not None and n < 1:
        raise UsageError(f"Expected --n of at least 1; received {n}.")
    changes = parse_settings(data or (), "--data")
    opened = Run.open(run)
    model: Any = load(run, *loading)
    if capability not in model.capabilities:
        raise UsageError(
            f"The model of {run} can {', '.join(model.capabilities)}; not {capability}."
        )
    source = open_data(opened.plan, installed(), changes, unseen=True)
    if source.schema != model.schema:
        raise UsageError("Expected data like that of the run; received another schema.")
    if n is not None and n > len(source):
        raise UsageError(f"Expected --n of at most {len(source)}, the items there are; got {n}.")
    return model, source.gather(np.arange(len(source) if n is None else n))


def label_of(model: Autoencoder, items: dict[str, Any]) -> dict[str, Any]:
    """Return the ``label`` argument for a conditional model; nothing for others."""
    if not model.conditional:
        return {}
    assert model.schema is not None, "a loaded model knows its data"
    return {"label": [int(each) for each in items[model.schema.name_of("label")]]}


def encoded_of(model: Autoencoder, items: dict[str, Any]) -> Any:
    """Return what the model encodes and generates of the items, shape ``(n, ...)``."""
    return items[model.generated_field()]


def writable(run: Path, out: Path | None, name: str) -> Path:
    """Return the file to write: ``out``, or that name in the run's folder of what it generated."""
    file = out or run / "generated" / name
    check_path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
