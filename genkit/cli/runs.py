"""``genkit runs``: what is in the runs folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from genkit.cli.output import JsonFlag, emit, say, table


def runs(
    runs_dir: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = Path("runs"),
    as_json: JsonFlag = False,
) -> int:
    """List the runs, newest first, with their state and last losses.

    States: done, running, stopped (by a signal), killed, failed.

    Examples:
      genkit runs
      genkit runs --json
    """
    from genkit.runs.folder import find_runs

    rows: list[dict[str, Any]] = []
    for run in find_runs(runs_dir):
        status = run.status()
        last = (run.metrics() or [{}])[-1]
        rows.append(
            {
                "run": str(run.path),
                "model": run.plan.model,
                "dataset": run.plan.dataset,
                "backend": run.plan.backend,
                "state": status.get("state", "damaged"),
                "step": last.get("step", 0),
                "metrics": {k: v for k, v in last.items() if k not in ("step", "epoch", "seconds")},
            }
        )
    emit({"runs": rows}, as_json, lambda: _show(rows, runs_dir))
    return 0


def _show(rows: list[dict[str, Any]], runs_dir: Path) -> None:
    if not rows:
        say(f"No runs in {runs_dir}. Begin with: genkit run vae")
        return
    cells = [
        [
            row["run"],
            row["model"],
            row["dataset"],
            row["backend"],
            row["state"],
            str(row["step"]),
            "  ".join(
                f"{k}\N{NO-BREAK SPACE}{'nan' if v is None else f'{v:.4g}'}"
                for k, v in row["metrics"].items()
            ),
        ]
        for row in rows
    ]
    table("", ["run", "model", "data", "backend", "state", "step", "last losses"], cells)
