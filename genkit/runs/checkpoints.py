"""Checkpoints: which there are, how one comes into being, which are kept.

A checkpoint is a folder named after its step. Under its final name it is complete, until it is
renamed again to be deleted. What is in it: ``genkit.runs.checkpoint_files``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from genkit.errors import RunError, TrainingError, UsageError
from genkit.files import sync
from genkit.plan.fitting import FitSettings, Position
from genkit.runs import checkpoint_files
from genkit.runs.names import step_name

if TYPE_CHECKING:
    from genkit.engine.state import ModelState

_PARTIAL = ".partial"
_ATTEMPTS = 20
_Read = TypeVar("_Read")


def write_checkpoint(
    directory: Path, state: ModelState, position: Position, settings: FitSettings
) -> Path:
    """Write a checkpoint of the model's state and the run's position; drop what isn't kept.

    Returns:
        the checkpoint's folder.

    Raises:
        TrainingError: a weight is no finite number; nothing is written then.
        RunError: the disk refuses; older checkpoints stay.
    """
    final = directory / step_name(position.step)
    if final.exists():
        return final  # the same step has the same state: never touch a good checkpoint
    weights, training = state.read()
    check_finite(weights, position.step)
    partial = final.with_suffix(_PARTIAL)
    try:
        for leftover in directory.glob(f"*{_PARTIAL}"):
            shutil.rmtree(leftover, ignore_errors=True)
        partial.mkdir()
        checkpoint_files.write(partial, weights, training, position)
        partial.rename(final)
        sync(directory)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise refused(position.step, error) from error
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _drop_old(directory, settings)
    return final


def refused(step: int, error: OSError) -> RunError:
    """Warn that the disk refuses a checkpoint."""
    return RunError(
        f"The checkpoint of step {step} can't be written: {error.strerror}.",
        "Older checkpoints are whole: make room, then genkit resume the run.",
    )


def _drop_old(directory: Path, settings: FitSettings) -> None:
    """Keep the newest few and the best; a folder that is being deleted is no checkpoint."""
    found = steps(directory)
    kept = set(found[-settings.keep :])
    if settings.keep_best is not None and (least := best(directory, settings)) is not None:
        kept.add(least)
    for step in found:
        if step not in kept:
            old = directory / step_name(step)
            try:
                old.rename(old.with_suffix(_PARTIAL))
            except OSError:
                continue  # what can't be deleted is kept
            shutil.rmtree(old.with_suffix(_PARTIAL), ignore_errors=True)


def best(directory: Path, settings: FitSettings) -> int | None:
    """Return the step of the checkpoint where ``settings.keep_best`` was best.

    A loss of training counts as its mean over the steps since the checkpoint before, one on
    held-out data and a watched figure as it was found at the step.
    """
    found = {}
    for step in steps(directory):
        checkpoint = directory / step_name(step)
        try:
            losses = checkpoint_files.read_mean_losses(checkpoint, settings.checkpoint_every)
        except RunError:
            continue  # an old one that is damaged must not end the training that goes on
        if settings.keep_best in losses:
            found[step] = losses[settings.keep_best]
    return min(found, key=lambda step: found[step], default=None)


def check_finite(weights: Mapping[str, np.ndarray], step: int) -> None:
    """Refuse weights that are NaN or infinite.

    Raises:
        TrainingError: with the first such weight.
    """
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise TrainingError(
                f"The weights {name!r} became NaN or infinite by step {step}.",
                "Lower the learning rate, or clip gradients; the last checkpoint is from before.",
            )


def steps(directory: Path) -> list[int]:
    """List the steps of the complete checkpoints, oldest first."""
    if not directory.is_dir():
        return []
    names = [p.name for p in directory.iterdir() if re.fullmatch(r"[0-9]{8,12}", p.name)]
    return sorted(int(name) for name in names if (directory / name).is_dir())


def last(directory: Path) -> Path:
    """Return the newest complete checkpoint.

    Raises:
        RunError: there is none.
    """
    found = steps(directory)
    if not found:
        raise RunError(
            f"Expected a checkpoint in {directory}; found none.",
            "The run ended before its first checkpoint: start it again.",
        )
    return directory / step_name(found[-1])


def chosen(directory: Path, which: str | int | None, settings: FitSettings) -> Path:
    """Return the checkpoint of a step, the ``"best"``, or the newest for None.

    Raises:
        RunError: there is none.
        UsageError: neither a step nor "best".
    """
    if which is None:
        return last(directory)
    if which == "best":
        if settings.keep_best is None:
            raise UsageError("The run keeps no best checkpoint.", "Train it with --keep-best LOSS.")
        step = best(directory, settings)
    elif str(which).isascii() and str(which).isdigit():
        step = int(which) if int(which) in steps(directory) else None
    else:
        raise UsageError(f"Expected a checkpoint as a step or 'best'; received {which!r}.")
    if step is None:
        there = ", ".join(map(str, steps(directory))) or "none"
        raise RunError(f"Expected the checkpoint {which} in {directory}; there are {there}.")
    return directory / step_name(step)


def read_steadily(choose: Callable[[], Path], read: Callable[[Path], _Read]) -> _Read:
    """Read a checkpoint; choose anew if the training that still goes on deletes it meanwhile."""
    for _ in range(_ATTEMPTS):
        checkpoint = choose()
        try:
            return read(checkpoint)
        except RunError:
            if checkpoint.exists():
                raise
    raise RunError(f"The checkpoints of {checkpoint.parent} change faster than they can be read.")
