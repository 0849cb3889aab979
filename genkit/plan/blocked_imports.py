"""Import a library without what it would take along and can do without."""

from __future__ import annotations

import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Refusal(Loader):
    """A finder that imports none of some packages, for one thread; others import as ever."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._thread = threading.get_ident()

    def find_spec(
        self,
        name: str,
        path: object = None,  # noqa: ARG002
        target: object = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if name in self._names and threading.get_ident() == self._thread:
            return ModuleSpec(name, self)  # who only asks whether it is there goes on
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        raise ModuleNotFoundError(f"{spec.name} is not wanted here", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: there is never a module."""


@contextmanager
def blocked_imports(names: Collection[str]) -> Iterator[None]:
    """Have some packages not found inside the block; what is imported already stays.

    Args:
        names: top-level names.
    """
    refusal = _Refusal(names)
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)
