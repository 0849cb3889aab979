"""Models that draw rows on the host: the compiled part hands on noise and what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from genkit_tabular.codec import PLACES
from genkit_tabular.models.conditioned import DRAWS
from genkit_tabular.models.table_model import TableModel

_CANDIDATES = 16
"""How many ways a row of which something is asked is drawn, to choose one."""

LEAST = 1e-12
"""What is asked is at least as probable: it is met however strange it is beside the rest."""

_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Asked:
    """What is asked of some rows.

    Args:
        first: first place of each code, by column, shape ``(n, codes)``.
        last: that behind the last.
        given: whether anything is asked, shape ``(n,)``, by column.
    """

    first: Sequence[NDArray[np.int32]]
    last: Sequence[NDArray[np.int32]]
    given: Sequence[NDArray[np.bool_]]

    def kinds(
        self, column: int, rows: NDArray[np.intp]
    ) -> Iterator[tuple[NDArray[np.intp], tuple[NDArray[np.float64], NDArray[np.float64]]]]:
        """Yield the places of rows of which the same is asked in a column, and what.

        Args:
            column: its place.
            rows: of each row its place here, shape ``(n,)``.

        Yields:
            places in ``rows``; and what is asked of each code, from which share of its places to
            which, shape ``(codes,)`` both.
        """
        if not self.given[column].any():
            return
        kinds, kind_of = self._kinds[column]
        of_rows = np.where(self.given[column], kind_of, -1)[rows]
        for number in np.unique(of_rows[of_rows >= 0]):
            first, last = kinds[number].reshape(2, -1) / (PLACES - 1)
            yield np.flatnonzero(of_rows == number), (first, last)

    @cached_property
    def _kinds(self) -> list[tuple[NDArray[np.int32], NDArray[np.intp]]]:
        """The different things that are asked of each column, and which is asked of each row."""
        pairs = (np.concatenate(each, axis=1) for each in zip(self.first, self.last, strict=True))
        found = (np.unique(each, axis=0, return_inverse=True) for each in pairs)
        return [(kinds, kind_of.reshape(-1)) for kinds, kind_of in found]


class HostModel(TableModel):
    """A model whose rows are drawn in NumPy, the same on every backend.

    Subclasses define ``draw_codes``. Of a row of which something is asked several are drawn, each
    with what is asked, and one is chosen by how probable that was in it: sampling importance
    resampling (Rubin 1988). Each has a stream of its own, so that row i follows from (seed, i).
    """

    generation_batch = 4096  # NumPy takes as long to begin as for so many rows

    def decode(self, **inputs: Any) -> dict[str, Any]:
        draws, made = inputs[DRAWS], {}
        for place, each in enumerate(self.learned):
            # Not [:, place, None]: of a stack, TensorFlow's graphs take it without the new axis.
            own = draws[:, 2 * place : 2 * place + 2]
            if (limits := self.asked_in_column(each, inputs)) is not None:
                first, last, asked = limits
                own = ops.concatenate([own, ops.cast(asked, "int32")[:, None], first, last], 1)
            made[each.name] = own
        n = ops.shape(draws)[0]
        return {
            column.name: made.get(column.name, ops.zeros((n, 2), "int32"))
            for column in self.table.columns
        }

    def asked_of(self, items: dict[str, np.ndarray]) -> tuple[NDArray[np.uint64], Asked]:
        """Return the keys of the rows' streams, and what is asked of them.

        Args:
            items: what ``decode`` has packed.
        """
        packed = [items[each.name] for each in self.learned]
        asked = Asked(*zip(*map(_unpacked, packed, self.sizes), strict=True))
        draws = packed[0][:, :2].astype(np.uint64)
        return (draws[:, 0] << np.uint64(31)) | draws[:, 1], asked

    def present(self, items: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        keys, asked = self.asked_of(items)
        codes = self._codes(keys, asked)
        places = (uniforms(keys, 1 << 40, len(self.learned)) * (PLACES - 1)).astype(np.int64)
        shown = dict(items)
        rows = np.arange(len(keys))
        for place, each in enumerate(self.learned):
            own = codes[:, place]
            first, last = asked.first[place][rows, own], asked.last[place][rows, own]
            within = first + places[:, place] % np.maximum(last - first, 1)
            shown[each.name] = np.stack([own, within], 1)
        return super().present(shown)

    def _codes(self, keys: NDArray[np.uint64], asked: Asked) -> NDArray[np.int32]:
        """Draw the codes of rows, each with what is asked of it."""
        n, columns = len(keys), len(self.learned)
        codes = np.zeros((n, columns), np.int32)
        wanted = np.any(asked.given, axis=0)
        free, bound = np.flatnonzero(~wanted), np.flatnonzero(wanted)
        if len(free):
            codes[free], _ = self.draw_codes(uniforms(keys[free], 0, columns), asked, free)
        if len(bound):
            rows = np.repeat(bound, _CANDIDATES)
            attempt = np.tile(np.arange(_CANDIDATES, dtype=np.uint64), len(bound))
            streams = keys[rows] ^ _mixed(attempt)
            drawn, likely = self.draw_codes(uniforms(streams, 0, columns), asked, rows)
            weights = likely.reshape(-1, _CANDIDATES)
            sums = np.cumsum(weights / weights.max(1, keepdims=True), axis=1)
            luck = uniforms(keys[bound], 1 << 41, 1) * sums[:, -1:]
            chosen = np.minimum((sums <= luck).sum(1), _CANDIDATES - 1)
            codes[bound] = drawn.reshape(-1, _CANDIDATES, columns)[np.arange(len(bound)), chosen]
        return codes

    def draw_codes(
        self, uniform: NDArray[np.float64], asked: Asked, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Draw codes, with what is asked.

        Args:
            uniform: numbers from 0 to 1, shape ``(n, columns)``.
            asked: what is asked.
            rows: of each row its place in what is asked, shape ``(n,)``.

        Returns:
            int32 of shape ``(n, columns)``; and how probable what is asked was, shape ``(n,)``.
        """
        raise NotImplementedError


def _unpacked(
    array: NDArray[np.int32], size: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.bool_]]:
    """Return what is asked of a column: first and last places, and of which rows."""
    n, width = array.shape
    if width == 2:  # noqa: PLR2004 - the draws alone: nothing is asked
        whole = np.zeros((1, size), np.int32), np.full((1, size), PLACES - 1, np.int32)
        first, last = (np.broadcast_to(each, (n, size)) for each in whole)
        return first, last, np.zeros(n, bool)
    return array[:, 3 : 3 + size], array[:, 3 + size :], array[:, 2] > 0


def uniforms(keys: NDArray[np.uint64], begin: int, count: int) -> NDArray[np.float64]:
    """Return uniform numbers of streams, each its own: splitmix64 of key and place.

    Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".

    Args:
        keys: of the streams, shape ``(n,)``.
        begin: place of the first number.
        count: how many of each.

    Returns:
        below 1, shape ``(n, count)``.
    """
    places = np.arange(begin + 1, begin + count + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed = _mixed(keys)[:, None] + places * _ODD
        return (_mixed(mixed) >> np.uint64(11)) / 2.0**53


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return x ^ (x >> np.uint64(31))
