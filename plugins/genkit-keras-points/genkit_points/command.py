"""The verb ``genkit density``; imported when somebody types it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say
from genkit.errors import UsageError


def density(  # noqa: PLR0917
    context: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    n: Annotated[int, typer.Option("--n", help="How many points the mean is over.")] = 2000,
    cells: Annotated[int, typer.Option(help="Cells of the picture, each way.")] = 80,
    label: Annotated[
        str | None, typer.Option(help="Of a conditional model, one class, by its name.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG file; RUN/generated/density.png if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Draw a model's log density beside the data's, and give its mean over held-out points.

    How much of the probability the picture holds is told too: nearly 1, or else the model is
    elsewhere or --solver-steps are too few.

    Examples:
      genkit density runs/mine
      genkit density runs/mine --solver-steps 64 --cells 200 --out density.png
    """
    if n < 2 or not 2 <= cells <= 1000:  # noqa: PLR2004
        raise UsageError(f"Expected --n of 2 or more, --cells of 2 to 1000; received {n}, {cells}.")

    from genkit.evaluation import mean_interval
    from genkit_points.heat import draw, model_cells

    model: Any = genkit.load(run, backend)
    points, name = _held_out(run, model, label, n)
    found = model.density(points, label, **context.obj)
    mean, low, high = mean_interval(found)
    logs, mass = model_cells(model, cells, label, context.obj)
    path = out or run / "generated" / "density.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    draw(logs, points, model.schema[name].range, path, f"mean log density {mean:.3f}")
    summary = {
        "run": str(run),
        "path": str(path),
        "n": len(points),
        "label": label,
        "options": context.obj,
        "mean_log_density": mean,
        "interval": [low, high],
        "mass": mass,
    }
    emit(summary, as_json, lambda: _show(summary))
    return 0


def _held_out(run: Path, model: Any, label: str | None, n: int) -> tuple[Any, str]:
    """Return up to ``n`` points that training didn't see, of one class if one is asked for."""
    import numpy as np

    source = genkit.open_data(run, unseen=True)
    name = source.schema.name_of("points")
    number = None if label is None else model.class_number(label)
    items = source.gather(np.arange(len(source)))
    points = items[name]
    if number is not None:
        points = points[items[source.schema.name_of("label")] == number]
    if len(points) < 2:  # noqa: PLR2004
        raise UsageError(f"Expected two points or more of {label or 'the data'}; there are none.")
    return points[:n], name


def _show(summary: dict[str, Any]) -> None:
    low, high = summary["interval"]
    say(f"mean log density {summary['mean_log_density']:.4f} ({low:.4f} to {high:.4f}) nats")
    say(f"the picture holds {summary['mass']:.1%} of the probability: {summary['path']}")
