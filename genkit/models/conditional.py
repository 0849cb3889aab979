"""What generation is given beside noise: the class of each item."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from genkit.errors import UsageError
from genkit.plugins.names import suggestion

if TYPE_CHECKING:
    from genkit.plugins.schema import Schema

Label: TypeAlias = int | str | Sequence[int | str] | None


class Conditional:
    """The part of ``genkit.Model`` that knows what may be asked of it."""

    schema: Schema | None
    assets: Mapping[str, np.ndarray]

    conditional = False
    """Whether ``decode`` takes a ``label`` too: class numbers, int32 of shape ``(batch,)``."""

    def classes(self) -> tuple[str, ...]:
        """Name the classes that a conditional model knows, in order of their numbers."""
        assert self.schema is not None, "a conditional model is built from its schema"
        from genkit.data import vocabulary_of

        return vocabulary_of(self.schema, self.schema.name_of("label"), self.assets)

    def class_number(self, label: int | str) -> int:
        """Return the number of a class.

        Args:
            label: an integer is the number itself. Text is the class' name, or else its number,
                unless classes are called by numbers: there ``"2"`` is the class "2" or none.

        Raises:
            UsageError: the model takes no label, or knows no such class.
        """
        if not self.conditional:
            raise UsageError(
                f"{type(self).__name__} takes no label: it knows no classes.",
                "Train a model that generates by label, on data with labels: "
                "docs/how-to/generate-by-label.md",
            )
        classes = self.classes()
        number = label
        if isinstance(label, str):
            if label in classes:
                return classes.index(label)
            number = int(label) if label.isdecimal() and not _called_by_numbers(classes) else -1
        if not 0 <= int(number) < len(classes):
            raise UsageError(
                f"Expected one of {_listed(classes)}; received {label!r}.",
                suggestion(label, classes) if isinstance(label, str) else "",
            )
        return int(number)

    def class_numbers(self, n: int, label: Label) -> np.ndarray:
        """Return the numbers of the classes of ``n`` items, int32 of shape ``(n,)``.

        Args:
            n: how many items.
            label: the class of all, or one for each; without it the classes take turns.

        Raises:
            UsageError: as for ``class_number``; or another number of labels than of items.
        """
        if label is None:
            return np.arange(n, dtype=np.int32) % np.int32(len(self.classes()))
        if isinstance(label, (int, np.integer, str)):
            return np.full(n, self.class_number(label), np.int32)
        if len(label) != n:
            raise UsageError(f"Expected one label, or {n} of them; received {len(label)}.")
        return np.array([self.class_number(each) for each in label], np.int32)


def _called_by_numbers(classes: Sequence[str]) -> bool:
    return any(re.fullmatch(r"[-+]?\d+([.,]\d+)?", name) for name in classes)


def _listed(classes: Sequence[str]) -> str:
    most = 12
    plain = _called_by_numbers(classes)
    shown = ", ".join(
        name if plain else f"{number} ({name})" for number, name in enumerate(classes[:most])
    )
    last = classes[-1] if plain else len(classes) - 1
    return f"{shown}, ... {last}" if len(classes) > most else shown
