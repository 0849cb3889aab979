"""What is in a checkpoint's folder: three safetensors files, and ``state.json`` with their digests.

Nothing in them is ever executed. Sizes are compared with the model's before memory is taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialize

from genkit.errors import RunError
from genkit.files import reason_of, sync
from genkit.plan.fitting import Position

if TYPE_CHECKING:
    from genkit.engine.state import ModelState

WEIGHTS, TRAINING = "model.safetensors", "training.safetensors"
_CALLBACKS, _STATE = "callbacks.safetensors", "state.json"


def write(
    folder: Path,
    weights: Mapping[str, np.ndarray],
    training: Mapping[str, np.ndarray],
    position: Position,
) -> None:
    """Write a checkpoint's files onto the disk.

    Raises:
        OSError: the disk refuses.
    """
    arrays: dict[str, np.ndarray] = {}
    callbacks = {name: _pack(state, arrays, name) for name, state in position.callbacks.items()}
    contents = {
        WEIGHTS: serialize(dict(weights)),
        TRAINING: serialize(dict(training)),
        _CALLBACKS: serialize(arrays),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    data = {**asdict(position), "callbacks": callbacks, "files": digests}
    contents[_STATE] = json.dumps(data).encode()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        sync(folder / name)
    sync(folder)


def restore(checkpoint: Path, state: ModelState) -> Position:
    """Load a checkpoint into a model, whichever backend wrote it.

    Raises:
        RunError: it is damaged or belongs to another model.
    """
    position = read_position(checkpoint)
    load_weights(checkpoint, state)
    arrays = _read(checkpoint / TRAINING, _digests(checkpoint), state.training, "training state")
    state.load_training(arrays)
    return position


def load_weights(checkpoint: Path, state: ModelState) -> None:
    """Load only the weights and statistics of a checkpoint."""
    arrays = _read(checkpoint / WEIGHTS, _digests(checkpoint), state.weights, "weights")
    state.load_weights(arrays)


def load_fitting(
    checkpoint: Path,
    state: ModelState,
    adopt: Callable[[str, np.ndarray, np.ndarray], np.ndarray],
) -> dict[str, str]:
    """Load what fits of a checkpoint's weights: see ``load_fitting_arrays``."""
    return load_fitting_arrays(checkpoint / WEIGHTS, state, adopt, _digests(checkpoint))


def load_fitting_arrays(
    file: Path,
    state: ModelState,
    adopt: Callable[[str, np.ndarray, np.ndarray], np.ndarray],
    digests: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Load those weights and statistics that have the name and the shape of the model's own.

    Args:
        file: of weights, a safetensors file.
        state: of the model that they are for.
        adopt: given a name, our value and theirs, gives theirs in our form: ``Model.adopt``.
        digests: SHA-256 by file name, where they are known.

    Returns:
        why each of the others was not taken, by name; theirs and ours.
    """
    with _opened(file, digests) as (archive, shapes):
        ours = {name: tuple(variable.shape) for name, variable in state.weights.items()}
        values, _ = state.read()
        adopted = {
            name: adopt(name, values[name], archive.get_tensor(name))
            for name in ours.keys() & shapes.keys()
        }
        fitting = [name for name, array in adopted.items() if array.shape == ours[name]]
        state.load_some_weights({name: adopted[name] for name in fitting})
    reasons = dict.fromkeys(ours.keys() - shapes.keys(), "not there")
    reasons |= dict.fromkeys(shapes.keys() - ours.keys(), "not in this model")
    for name in ours.keys() & shapes.keys() - set(fitting):
        reasons[name] = f"{shapes[name]} there, {ours[name]} here"
    return dict(sorted(reasons.items()))


def load_arrays(file: Path, state: ModelState) -> None:
    """Load weights and statistics from a safetensors file that stands alone."""
    state.load_weights(_read(file, None, state.weights, "weights"))


def most_weights(checkpoint: Path) -> int:
    """Return a bound on the numbers a checkpoint's weights can hold, from the file's size."""
    return file_holds(checkpoint / WEIGHTS)


def file_holds(file: Path) -> int:
    """Return how many numbers of four bytes fit into a file.

    Raises:
        RunError: it is missing.
    """
    try:
        return file.stat().st_size // 4
    except OSError as error:
        raise RunError(f"The file {file} can't be read: {reason_of(error)}.") from error


def read_position(checkpoint: Path) -> Position:
    """Read where the run stood.

    Raises:
        RunError: the file is missing or not as written.
    """
    data = _read_state(checkpoint)
    saved = data.pop("callbacks")
    digests = data.pop("files")
    position = Position(**data)
    arrays = _read(checkpoint / _CALLBACKS, digests, None, "callbacks") if saved else {}
    position.callbacks = {name: _unpack(state, arrays) for name, state in saved.items()}
    return position


def read_mean_losses(checkpoint: Path, checkpoint_every: int) -> dict[str, float]:
    """Read the mean losses since the checkpoint before, and what was found at its very step.

    Returns:
        losses by name, those on held-out data and watched figures too; of a figure that is better
        the higher it is the negative, so that the lowest is the best of each.

    Raises:
        RunError: the file is missing or not as written.
    """
    state = _read_state(checkpoint)
    means = {}
    if state["step"] % checkpoint_every == 0:
        means = {name: sum_ / checkpoint_every for name, sum_ in state["window_sums"].items()}
    if state["validated"] == state["step"]:
        means |= state["validation"]
    if state["watched_at"] == state["step"]:
        higher = state["higher_is_better"]
        means |= {k: -v if k in higher else v for k, v in state["watched"].items()}
    return means


_KINDS: dict[str, Callable[[Any], bool]] = {
    "step": lambda v: type(v) is int and 0 <= v < 10**12,
    "seconds": lambda v: _is_number(v) and v >= 0,
    "epoch_sums": lambda v: _is_table(v, _is_number),
    "window_sums": lambda v: _is_table(v, _is_number),
    "first": lambda v: _is_table(v, _is_number),
    "metrics": lambda v: v is None or _is_table(v, _is_number),
    "validation": lambda v: _is_table(v, _is_number),
    "validated": lambda v: type(v) is int and v >= 0,
    "watched": lambda v: _is_table(v, _is_number),
    "watched_at": lambda v: type(v) is int and v >= 0,
    "higher_is_better": lambda v: isinstance(v, list) and all(isinstance(n, str) for n in v),
    "finished": lambda v: isinstance(v, bool),
    "callbacks": lambda v: _is_table(v, lambda state: isinstance(state, dict)),
    "files": lambda v: _is_table(v, lambda digest: isinstance(digest, str)),
}
assert _KINDS.keys() == {field.name for field in fields(Position)} | {"files"}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_table(value: Any, of: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(of, value.values()))


def _read_state(checkpoint: Path) -> dict[str, Any]:
    path = checkpoint / _STATE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"The checkpoint file {path} can't be read: {reason_of(error)}.") from error
    if isinstance(data, dict):  # those from before there was validation have none, or no figures
        watched = {"watched": {}, "watched_at": 0, "higher_is_better": []}
        data = {"validation": {}, "validated": 0, **watched, **data}
    if not isinstance(data, dict) or data.keys() != _KINDS.keys():
        raise RunError(f"The checkpoint file {path} is damaged: expected the keys {list(_KINDS)}.")
    for key, is_right in _KINDS.items():
        if not is_right(data[key]):
            raise RunError(
                f"The checkpoint file {path} is damaged: received {str(data[key])[:80]} as {key}."
            )
    return data


def _digests(checkpoint: Path) -> dict[str, str]:
    digests: dict[str, str] = _read_state(checkpoint)["files"]
    return digests


def _read(
    file: Path, digests: Mapping[str, str] | None, expected: Mapping[str, Any] | None, what: str
) -> dict[str, np.ndarray]:
    """Read a safetensors file; its digest, and its names and shapes, must be the expected ones.

    The header is compared before memory is taken: a hostile file gets none.
    """
    from genkit.engine.state import check_matches  # brings Keras, which listing steps needs not

    with _opened(file, digests) as (archive, shapes):
        if expected is not None:
            check_matches(expected, shapes, f"{what} in {file}")
        return {name: archive.get_tensor(name) for name in shapes}


@contextmanager
def _opened(
    file: Path, digests: Mapping[str, str] | None
) -> Iterator[tuple[Any, dict[str, tuple[int, ...]]]]:
    """Open a safetensors file whose digest is the expected one; give its arrays' shapes too."""
    try:
        if digests is not None and _digest(file) != digests.get(file.name):
            raise RunError(
                f"The file {file} is not as it was written: its SHA-256 differs.",
                "Delete this checkpoint's folder to go on from the one before.",
            )
        with safe_open(file, framework="numpy") as archive:
            names = archive.keys()
            yield archive, {name: tuple(archive.get_slice(name).get_shape()) for name in names}
    except (OSError, SafetensorError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"The file {file} can't be read: {reason_of(error)}.") from error


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _pack(value: Any, arrays: dict[str, np.ndarray], key: str) -> Any:
    """Return a state in JSON's words; its arrays go into ``arrays``, under keys that begin so."""
    if isinstance(value, np.ndarray):
        arrays[key] = np.ascontiguousarray(value)
        return {"array": key}
    if isinstance(value, dict):
        return {"dict": {k: _pack(v, arrays, f"{key}/{k}") for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_pack(v, arrays, f"{key}/{i}") for i, v in enumerate(value)]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not np.isfinite(value):
        return {"float": str(value)}
    return value


def _unpack(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return what ``_pack`` was given.

    Raises:
        RunError: it isn't what ``_pack`` writes.
    """
    if isinstance(value, list):
        return [_unpack(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    try:
        ((kind, content),) = value.items()
        if kind == "array":
            return arrays[content]
        if kind == "float":
            return {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}[content]
        if kind == "dict":
            return {k: _unpack(v, arrays) for k, v in content.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise RunError(f"The checkpoint's callback state is damaged: received {str(value)[:80]}.")
