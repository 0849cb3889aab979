"""The record of what makes a source of another library's objects."""

from __future__ import annotations

import re
from dataclasses import dataclass

from genkit.plugins.specs import Spec

_TYPE = re.compile(r"[A-Za-z_]\w*:[A-Za-z_]\w*")


@dataclass(frozen=True, kw_only=True)
class OpenerSpec(Spec):
    """A way to train on objects of another library.

    Args:
        types: the classes whose objects it opens, and those of their subclasses: each the top-level
            module and the class' own name, ``"pandas:DataFrame"``. They are recognised by these
            names, so that nobody imports the library to ask.
        opener: reference to a callable: object in, ``genkit.data.Source`` out; or a mapping of
            names to arrays.
        modality: of what it makes of them, where a model must accept that: it then opens them for
            such models, before the openers without, and for no others.
    """

    types: tuple[str, ...]
    opener: str
    modality: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("opener")
        named = isinstance(self.types, tuple) and all(_TYPE.fullmatch(each) for each in self.types)
        self._require(self.types and named, "types: a tuple of 'module:Class'")

    def distance(self, data: object) -> int | None:
        """Return how far an object's class is from one of the types; None if it is of none.

        Args:
            data: 0 stands for its own class, 1 for the next of its bases. Nothing is imported.
        """
        for distance, each in enumerate(type(data).__mro__):
            if f"{each.__module__.partition('.')[0]}:{each.__name__}" in self.types:
                return distance
        return None
