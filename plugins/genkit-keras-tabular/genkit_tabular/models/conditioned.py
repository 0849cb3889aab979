"""What is asked of rows: as people write it, and as a model draws by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

import genkit
from genkit_tabular.asking import limits_of
from genkit_tabular.codec import PLACES
from genkit_tabular.learned import Learned

DRAWS = " draws"
"""The name of the noise. No condition is called so: their names don't begin with a blank."""


class Conditioned(genkit.Model):
    """A model that can be asked for values, ranges and gaps of its columns."""

    learned: tuple[Learned, ...]

    @property
    def sizes(self) -> list[int]:
        """How many codes each learned column has."""
        return [each.codec.size for each in self.learned]

    def encode_condition(self, name: str, values: Sequence[Any]) -> np.ndarray:
        each = next(each for each in self.learned if each.name == name)
        rows: dict[Any, NDArray[np.int32]] = {}
        for value in values:
            if (type(value), value) not in rows:
                limits = limits_of(each.column, each.codec, each.classes, value)
                rows[type(value), value] = limits.reshape(-1)
        found = [rows[type(value), value] for value in values]
        return np.stack(found) if found else np.zeros((0, 2 * each.codec.size), np.int32)

    def is_asked(self, inputs: Mapping[str, Any]) -> bool:
        """Whether anything may be asked of rows, by what ``decode`` is given."""
        return any(each.name in inputs for each in self.conditions)

    def asked(self, inputs: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """Return what is asked of all columns, side by side.

        Args:
            inputs: conditions by name, as ``decode`` is given them.

        Returns:
            first place and that behind the last of each code, int32 of shape ``(n, codes)``; and
            which columns are asked for, bool of shape ``(n, columns)``.
        """
        n = ops.shape(inputs[DRAWS])[0]
        first, last, asked = [], [], []
        for each in self.learned:
            if (limits := self.asked_in_column(each, inputs)) is None:
                size = each.codec.size
                whole = ops.zeros((n, size), "int32"), ops.full((n, size), PLACES - 1, "int32")
                limits = *whole, ops.zeros((n,), "bool")
            for kept, part in zip((first, last, asked), limits, strict=True):
                kept.append(part)
        return ops.concatenate(first, 1), ops.concatenate(last, 1), ops.stack(asked, 1)

    def places_within(self, codes: Any, first: Any, last: Any, draws: Any) -> Any:
        """Return where in their codes values are, as far as it is asked: int32 like ``codes``.

        Args:
            codes: int32 of shape ``(n, columns)``.
            first: first place of each code that is asked for, as ``asked`` returns it.
            last: that behind the last.
            draws: whole numbers below ``PLACES``, of the shape of ``codes``.
        """
        starts = np.cumsum([0, *self.sizes[:-1]]).astype(np.int32)
        at = codes + ops.convert_to_tensor(starts)
        low = ops.take_along_axis(first, at, axis=1)
        width = ops.maximum(ops.take_along_axis(last, at, axis=1) - low, 1)
        return low + draws % width

    def asked_in_column(
        self, each: Learned, inputs: Mapping[str, Any]
    ) -> tuple[Any, Any, Any] | None:
        """Return what is asked of a column, as ``asked`` does of all; None for nothing at all."""
        if each.name not in inputs or not can_be_asked(each.name):
            return None
        absent, limits = ops.cast(inputs[f"{each.name}_missing"], "bool"), inputs[each.name]
        size = each.codec.size  # limits are zeros where nothing is asked
        last = ops.where(absent[:, None], PLACES - 1, limits[:, size:])
        return limits[:, :size], last, ops.logical_not(absent)


def can_be_asked(name: str) -> bool:
    """Whether a column can be a condition: a flag must tell its name from its value."""
    return bool(name) and "=" not in name and name == name.strip() and name != "label"
