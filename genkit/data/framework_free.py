"""Import a library without the frameworks that it would take along."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from genkit.plan.activation import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Iterator


def import_grain() -> Any:
    """Import grain; a framework that isn't imported yet stays out.

    Grain imports JAX, for its profiler, wherever JAX is installed: 0.6 s, and a warning at every
    fork, in a process that may train with another framework.
    """
    if "grain" in sys.modules:
        return sys.modules["grain"]
    logging = import_module("absl.logging")
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)  # it warns that JAX's profiler is missing
    try:
        with _without_frameworks():
            return import_module("grain")
    finally:
        logging.set_verbosity(verbosity)


class _Refusal:
    """A finder that knows no framework, for one thread; others import as ever."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        if name in BACKENDS and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is not wanted here", name=name)


@contextmanager
def _without_frameworks() -> Iterator[None]:
    refusal = _Refusal()
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)
