"""A column that a model learns."""

from __future__ import annotations

from dataclasses import dataclass

from genkit_tabular.codec import Codec
from genkit_tabular.columns import Column


@dataclass(frozen=True)
class Learned:
    """A column that a model learns.

    Args:
        column: what it is.
        codec: its codes.
        classes: names of categories, in order of their numbers.
    """

    column: Column
    codec: Codec
    classes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.column.name
