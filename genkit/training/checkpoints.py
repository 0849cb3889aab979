"""Checkpoints: arrays in safetensors, the rest in JSON; written beside, then renamed into place.

A checkpoint is a folder named after its step. Under its final name it is complete.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialize

from genkit.errors import RunError, TrainingError
from genkit.fitting import Position

if TYPE_CHECKING:
    from genkit.engine.state import ModelState

KEPT = 2
_WEIGHTS, _TRAINING, _STATE = "model.safetensors", "training.safetensors", "state.json"
_PARTIAL = ".partial"


def save(directory: Path, state: ModelState, position: Position) -> Path:
    """Write a checkpoint of the model's state and the run's position; drop the oldest.

    Returns:
        the checkpoint's folder.

    Raises:
        TrainingError: a weight is no finite number; nothing is written then.
        OSError: the disk refuses; older checkpoints stay.
    """
    directory.mkdir(parents=True, exist_ok=True)
    final = directory / f"{position.step:08d}"
    if final.exists():
        return final  # the same step has the same state: never touch a good checkpoint
    for leftover in directory.glob(f"*{_PARTIAL}"):
        shutil.rmtree(leftover, ignore_errors=True)
    weights, training = state.read()
    check_finite(weights, position.step)
    partial = final.with_suffix(_PARTIAL)
    partial.mkdir()
    try:
        (partial / _WEIGHTS).write_bytes(serialize(weights))
        (partial / _TRAINING).write_bytes(serialize(training))
        (partial / _STATE).write_text(json.dumps(asdict(position)))
        for name in (_WEIGHTS, _TRAINING, _STATE):
            _sync(partial / name)
        _sync(partial)
        partial.rename(final)
        _sync(directory)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    for old in steps(directory)[:-KEPT]:
        shutil.rmtree(directory / f"{old:08d}", ignore_errors=True)
    return final


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
    return sorted(int(p.name) for p in directory.iterdir() if p.name.isdigit() and p.is_dir())


def last(directory: Path) -> Path:
    """Give the newest complete checkpoint.

    Raises:
        RunError: there is none.
    """
    found = steps(directory)
    if not found:
        raise RunError(
            f"Expected a checkpoint in {directory}; found none.",
            "The run ended before its first checkpoint: start it again.",
        )
    return directory / f"{found[-1]:08d}"


def restore(checkpoint: Path, state: ModelState) -> Position:
    """Load a checkpoint into a model, whichever backend wrote it.

    Raises:
        RunError: it is damaged or belongs to another model.
    """
    load_weights(checkpoint, state)
    state.load_training(_read(checkpoint / _TRAINING, state.training, "training state"))
    return read_position(checkpoint)


def load_weights(checkpoint: Path, state: ModelState) -> None:
    """Load only the weights and statistics of a checkpoint."""
    load_arrays(checkpoint / _WEIGHTS, state)


def load_arrays(file: Path, state: ModelState) -> None:
    """Load weights and statistics from a safetensors file."""
    state.load_weights(_read(file, state.weights, "weights"))


def read_position(checkpoint: Path) -> Position:
    """Read where the run stood.

    Raises:
        RunError: the file is missing or not as written.
    """
    path = checkpoint / _STATE
    known = {field.name for field in fields(Position)}
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise RunError(f"The checkpoint file {path} can't be read: {error}.") from error
    if (
        not isinstance(data, dict)
        or not set(data) <= known
        or not isinstance(data.get("step"), int)
    ):
        raise RunError(f"The checkpoint file {path} is damaged: expected the keys {sorted(known)}.")
    return Position(**data)


def _read(file: Path, expected: Mapping[str, Any], what: str) -> dict[str, np.ndarray]:
    """Read a safetensors file whose names and shapes must be the expected ones.

    The header is compared first: a hostile file takes no memory.
    """
    from genkit.engine.state import check_matches  # brings Keras, which listing steps needs not

    try:
        with safe_open(file, framework="numpy") as archive:
            shapes = {name: tuple(archive.get_slice(name).get_shape()) for name in archive.keys()}  # noqa: SIM118
            check_matches(expected, shapes, f"{what} in {file}")
            return {name: archive.get_tensor(name) for name in shapes}
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        raise RunError(f"The file {file} can't be read: {error}.") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
