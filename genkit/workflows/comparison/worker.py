"""What one process of a comparison does; the job comes on stdin.

    python -m genkit.workflows.comparison.worker

start      makes the untrained run whose checkpoint all backends begin from
train      trains a cell, or goes on with it
parity     does a few steps without layer randomness and gives their losses
evaluate   measures the quality of a trained cell
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.files import read_json, write_json
from genkit.plan import activation
from genkit.workflows.jobs import serve

if TYPE_CHECKING:
    from genkit.plan.plan import Plan

_MIB = 2**20


def _start(order: Mapping[str, Any]) -> dict[str, Any]:
    from genkit.plan.plan import Plan
    from genkit.workflows.train import execute

    run = Path(order["run"])
    if run.exists():
        shutil.rmtree(run)  # half made: it holds no training
    plan = Plan.model_validate(order["plan"])
    execute(plan, run.parent, run.name, verbose=False)
    return {"done": True, "backend": plan.backend}


def _train(order: Mapping[str, Any]) -> dict[str, Any]:
    from genkit.plan.plan import Plan
    from genkit.runs.run import Run
    from genkit.workflows.resume import resume
    from genkit.workflows.train import execute

    plan = Plan.model_validate(order["plan"])
    activation.activate(plan.backend)
    from genkit.workflows.comparison.stopwatch import Stopwatch

    run, result = Path(order["run"]), Path(order["result"])
    callbacks = []
    if _is_stepwise(plan):
        callbacks = [Stopwatch(order["began"], lambda seconds: _note_first_step(order, seconds))]
    trained = False
    if not run.exists():
        outcome = execute(plan, run.parent, run.name, callbacks).outcome
        trained = True
    elif Run.open(run).status()["state"] != "done":
        outcome = resume(run, callbacks=callbacks).outcome
        trained = True
    if trained and outcome.signal:
        return _first_step(result)
    peak = _peak_memory() if trained else None  # else it was killed before it could tell
    return {**_first_step(result), "peak_memory_mib": peak, "done": True}


def _is_stepwise(plan: Plan) -> bool:
    """Return whether training goes in steps, so that it has a first one."""
    from genkit.plugins.registry import installed
    from genkit.plugins.specs import resolve

    trainer = resolve(installed().find("trainers", plan.qualified("trainer")).spec.trainer)
    return bool(trainer.stepwise)


def _note_first_step(order: Mapping[str, Any], seconds: float) -> None:
    """Keep the time of the first step at once: a later sitting can't measure it again."""
    found = {"settings": order["settings"], "seconds_to_first_step": round(seconds, 3)}
    write_json(Path(order["result"]), found)


def _first_step(result: Path) -> dict[str, Any]:
    found = read_json(result) if result.exists() else {}
    return {"seconds_to_first_step": found.get("seconds_to_first_step")}


def _peak_memory() -> float | None:
    """Return the most memory that this process has held on the host, in MiB."""
    try:
        import resource
    except ImportError:  # not on this system
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (_MIB if sys.platform == "darwin" else 1024), 1)


def _parity(order: Mapping[str, Any]) -> dict[str, Any]:
    from genkit.plan.plan import Plan
    from genkit.workflows.comparison.parity import first_losses

    rows, random_layers = first_losses(Plan.model_validate(order["plan"]), Path(order["run"]))
    return {"rows": rows, "random_layers": random_layers, "done": True}


def _evaluate(order: Mapping[str, Any]) -> dict[str, Any]:
    from genkit.workflows.evaluate import evaluate

    wanted = order["settings"]
    figures = evaluate(
        Path(order["run"]),
        metrics=wanted["metrics"] or None,
        n=wanted["n"],
        backend=order["plan"]["backend"],
        verbose=order["verbose"],
    )
    return {"figures": [figure.to_dict() for figure in figures], "done": True}


_DEEDS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "start": _start,
    "train": _train,
    "parity": _parity,
    "evaluate": _evaluate,
}

if __name__ == "__main__":
    serve(_DEEDS)
