"""Checks of callbacks, on a toy model."""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.plugins.entry_points import DISTRIBUTION
from genkit.plugins.specs import resolve
from genkit.testing.check import checks
from genkit.testing.choosing import subject_of
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from genkit.runs.run import Run
    from genkit.testing.subjects import Subject

_STEPS, _PAUSE = 16, 8  # an epoch of the toy data has 8


@checks("callbacks")
def check_runs_in_training(subject: Subject) -> None:
    """It is made with the arguments in ``tiny``, and toy training with it comes to its end."""
    _train(subject, "whole", _STEPS)


@checks("callbacks")
def check_writes_only_where_it_says(subject: Subject) -> None:
    """It writes nothing but the paths that its record names, in the run directory."""
    outside = subject.folder / "outside"
    outside.mkdir()
    with chdir(outside):
        run = _train(subject, "inside", _STEPS)
        plain = _train(subject, "plain", _STEPS, with_it=False)
    allowed = [str(run.path / path) for path in subject.spec.writes.values()]
    for file in [*_files(outside), *_files(run.path)]:
        own = file.is_relative_to(run.path) and (
            (plain.path / file.relative_to(run.path)).exists()
            or any(str(file) == each or str(file).startswith(each + os.sep) for each in allowed)
        )
        if not own:
            raise CheckFailed(
                f"Expected files in {', '.join(subject.spec.writes.values()) or 'no place'} only; "
                f"it wrote {file.name}.",
                "Name in the record's `writes` each argument that is a path.",
            )


@checks("callbacks")
def check_state_survives_a_resume(subject: Subject) -> None:
    """After a stop and a resume, what it counts is as after training without a stop."""
    from genkit.runs.run import Run

    straight = _train(subject, "straight", _STEPS)
    first = _train(subject, "resumed", _PAUSE)
    resumed = Run.open(first.path)
    resumed.go_on_until(_STEPS)
    _train(subject, "resumed", _STEPS, run=resumed)
    expected, received = _state(straight), _state(resumed)
    if not _same(expected, received):
        raise CheckFailed(
            f"Expected its state after a resume to be that without a stop, {expected}; received "
            f"{received}.",
            "Keep it in plain numbers and arrays, or define get_state() and set_state(state).",
        )


def _train(
    subject: Subject, name: str, steps: int, *, run: Run | None = None, with_it: bool = True
) -> Run:
    """Train a toy model with the callback; give the run."""
    toy: Any = subject_of("trainers", f"{DISTRIBUTION}/gradient")
    run = run or toy.new_run(subject.folder / name, steps)
    callbacks = [_callback(subject, run.path)] if with_it else []
    toy.trainer().fit(toy.build(), toy.source, run, callbacks)
    return run


def _callback(subject: Subject, folder: Path) -> Any:
    """Make the callback as a recipe would, with its paths in a run directory."""
    spec = subject.spec
    paths = {key: str(folder / path) for key, path in spec.writes.items()}
    try:
        return resolve(spec.callback)(**{**spec.tiny, **paths})
    except ImportError as error:
        raise Skipped(f"it needs what is not installed: {error}") from error


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _state(run: Run) -> dict[str, Any]:
    from genkit.runs import checkpoint_files, checkpoints

    return checkpoint_files.read_position(checkpoints.last(run.checkpoints)).callbacks


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[k], second[k]) for k in first)
    return bool(np.array_equal(first, second))
