"""A column that a model learns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genkit_tabular.codec import Codec
from genkit_tabular.columns import Column
from genkit_tabular.keys import values_of
from genkit_tabular.parsing import written


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

    def shown(self, keys: NDArray[np.int64], absent: NDArray[np.bool_]) -> np.ndarray:
        """Return values as people hold them: names, numbers, dates; masked where missing.

        Args:
            keys: of the values.
            absent: which are missing.
        """
        if self.column.is_named:
            names = np.array(self.classes or ("",), object)
            values: np.ndarray = names[keys]
        else:
            values = values_of(self.column, keys)
            values = written(self.column, values) if self.column.is_written else values
        return np.ma.MaskedArray(values, absent) if self.column.missing else values
