"""Callbacks whose state is part of a checkpoint, and whose faults have a name.

A callback's state is what it gives with ``get_state()`` and takes with ``set_state(state)``. One
without them, like Keras' own, is asked for its attributes: those that hold numbers or arrays and
have changed since it was made. Text is never taken: what a file says must not become a path.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np

from genkit.errors import CallbackError, GenkitError
from genkit.files import reason_of
from genkit.models.training import monitors

# Keras negates `min_delta` when the first epoch of a sitting ends: given back, it would be wrong.
_KERAS_OWN = frozenset({"params", "_model", "validation_data", "min_delta"})


class Callbacks:
    """The callbacks of one sitting, called in turn.

    Args:
        callbacks: ``keras.callbacks.Callback`` objects.
        model: what they watch.
        **params: what they find in their ``params``.
    """

    def __init__(self, callbacks: Sequence[Any], model: Any, **params: Any) -> None:
        history = keras.callbacks.History()
        history.set_model(model)
        self._all = [history, *callbacks]
        self._named = dict(_names(callbacks))
        self._made = {name: _plain_attributes(c) for name, c in self._named.items()}
        self._known: dict[str, set[str]] = {}
        for callback in callbacks:
            with _reraised_as_callback_error(callback):
                callback.set_model(model)
                callback.set_params(params)

    @property
    def watch_steps(self) -> bool:
        """Whether any of them does something at single steps."""
        return any(map(_is_told_of_steps, self._named.values()))

    @property
    def wait_for_steps(self) -> bool:
        """Whether any of them must see each step's losses before the next step begins."""
        watching = filter(_is_told_of_steps, self._named.values())
        return any(not getattr(callback, "may_lag", False) for callback in watching)

    def call(self, event: str, *arguments: Any) -> None:
        """Call a hook such as ``"on_epoch_end"`` of each.

        Raises:
            CallbackError: one of them raised.
        """
        call(self._all, event, *arguments)

    def check_monitors(self, logged: Collection[str], *, epoch_ended: bool = False) -> None:
        """Refuse a callback that waits for a value that is never logged: see ``monitors.check``."""
        monitors.check(self._named.values(), logged, epoch_ended=epoch_ended)

    def begin(self, saved: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Call ``on_train_begin``, then give back the state they had.

        Returns:
            the names of callbacks that had state and aren't here.
        """
        self.call("on_train_begin", {})
        for name, callback in self._named.items():
            begun = _plain_attributes(callback)
            self._known[name] = _changed(self._made[name], begun)
            if name in saved:
                with _reraised_as_callback_error(callback):
                    self._give_back(name, callback, saved[name])
        return sorted(saved.keys() - self._named.keys())

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the state of each that has any: numbers, arrays, and lists and dicts of them."""
        return {name: state for name, c in self._named.items() if (state := self._state(name, c))}

    def close(self) -> None:
        """Let go of what those that have a ``close`` hold open."""
        for callback in self._named.values():
            if hasattr(callback, "close"):
                callback.close()

    def _state(self, name: str, callback: Any) -> dict[str, Any]:
        if hasattr(callback, "get_state"):
            with _reraised_as_callback_error(callback):
                return cast("dict[str, Any]", callback.get_state())
        now = _plain_attributes(callback)
        self._known[name] |= _changed(self._made[name], now)
        return {attribute: now[attribute] for attribute in now if attribute in self._known[name]}

    def _give_back(self, name: str, callback: Any, state: Mapping[str, Any]) -> None:
        if hasattr(callback, "set_state"):
            callback.set_state(state)
            return
        for attribute, value in state.items():
            # Only what the callback has, and never a method: the file is a stranger's.
            held = vars(callback).get(attribute, _NOTHING)
            known = held is not _NOTHING and attribute not in _KERAS_OWN
            if known and (held is None or _is_plain(held)):
                setattr(callback, attribute, value)
                self._known[name].add(attribute)


def call(callbacks: Sequence[Any], event: str, *arguments: Any) -> None:
    """Call a hook of each callback that has it: Keras' own, or one of GenKit's.

    GenKit's are ``on_run_begin(folder)`` with the run directory, before anything else;
    ``on_samples(step, picture)`` with the file of samples that was written, a grid or a page; and
    ``on_run_end(state)`` with ``"done"``, ``"stopped"`` or ``"failed"``, after everything else.

    Raises:
        CallbackError: one of them raised.
    """
    for callback in callbacks:
        if hasattr(callback, event):
            with _reraised_as_callback_error(callback):
                getattr(callback, event)(*arguments)


class CSVLogger(keras.callbacks.CSVLogger):
    """Keras' logger of epoch means, which goes on where a run stopped.

    Args:
        filename: the file, in the run directory.
        separator: between values.
    """

    def __init__(self, filename: str = "epochs.csv", separator: str = ",") -> None:
        super().__init__(filename, separator)

    def on_train_begin(self, logs: Any = None) -> None:
        self.append = self.params["first_step"] > 0 and Path(self.filename).exists()
        super().on_train_begin(logs)

    def get_state(self) -> dict[str, Any]:
        """Return the length of what is written, in bytes."""
        if not self.csv_file.closed:  # training may have ended already
            self.csv_file.flush()
        return {"size": Path(self.filename).stat().st_size}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Drop what was written after the checkpoint."""
        size = int(state["size"])
        if size <= Path(self.filename).stat().st_size:  # else somebody else cut it
            self.csv_file.truncate(size)
            self.csv_file.seek(size)
        self.append_header = size == 0


_NOTHING = object()


def _names(callbacks: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    counts: dict[str, int] = {}
    for callback in callbacks:
        name = type(callback).__name__
        count = counts[name] = counts.get(name, -1) + 1
        yield (f"{name}-{count}" if count else name), callback


def _plain_attributes(callback: Any) -> dict[str, Any]:
    return {
        name: copy.deepcopy(value)
        for name, value in vars(callback).items()
        if name not in _KERAS_OWN and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    """Return whether a value consists of numbers and arrays only."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf"
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return isinstance(value, (bool, int, float, np.generic))


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {
        name
        for name in before.keys() | after.keys()
        if not _same(before.get(name), after.get(name))
    }


def _same(first: Any, second: Any) -> bool:
    try:
        return first is second or bool(np.all(first == second))
    except ValueError:  # lists of arrays of different shapes
        return False


def _is_told_of_steps(callback: Any) -> bool:
    """Return whether a callback does something at single steps."""
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    default: Callable[..., Any] = keras.callbacks.Callback
    return any(
        getattr(getattr(callback, name), "__func__", None) is not getattr(default, name)
        for name in hooks
    )


@contextmanager
def _reraised_as_callback_error(callback: Any) -> Iterator[None]:
    """Name the callback in what it raises."""
    try:
        yield
    except GenkitError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {reason_of(error).rstrip('.')}"
        raise CallbackError(
            f"The callback {type(callback).__name__} raised {what}.",
            "Mend it or leave it out; genkit resume goes on from the last checkpoint.",
        ) from error
