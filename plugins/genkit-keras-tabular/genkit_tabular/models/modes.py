"""A column as a mode and a position in it: what networks that know no order of codes learn.

A mode is a run of codes. Where a value is in its mode is told by rank, so that positions are even
over the mode; a name, a gap and a frequent value are modes of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from genkit_tabular.learned import Learned
from genkit_tabular.models.among import among

_RUNS = 10  # modes that the rarer values of a column are divided into, with as many rows each
_FEW = 2 * _RUNS  # codes: each is a mode
_ATOM = 0.05  # of the rows: a value that has more of them is a mode
_LEAST = 1e-12  # what is asked is at least as probable: it is met however strange it is


@dataclass(frozen=True)
class Modes:
    """The modes of a column.

    Args:
        of_code: the mode of each code, int32, rising from 0.
        low: where in its mode each code begins, from 0 to 1, by the rows that have it.
        high: where it ends.
    """

    of_code: NDArray[np.int32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @property
    def size(self) -> int:
        """How many modes there are."""
        return int(self.of_code[-1]) + 1

    @property
    def ranked(self) -> bool:
        """Whether a mode has several codes, so that a position tells them apart."""
        return self.size < len(self.of_code)

    @classmethod
    def of(cls, each: Learned) -> Modes:
        """Divide the codes of a column into modes."""
        counts = each.codec.counts.astype(np.float64)
        begins = np.ones(len(counts), bool)
        if not (each.column.is_named or len(counts) <= _FEW):
            alone = counts > _ATOM * counts.sum()
            alone[len(each.codec.low) :] = True  # what is missing
            rest = np.where(alone, 0.0, counts)
            run = (np.cumsum(rest) - rest) * _RUNS // max(rest.sum(), 1.0)
            begins[1:] = (np.diff(run) > 0) | alone[1:] | alone[:-1]
        return cls._of_runs(counts, begins)

    @classmethod
    def whole(cls, each: Learned) -> Modes:
        """Take all codes of a column as one mode, that of what is missing the last."""
        counts = each.codec.counts.astype(np.float64)
        return cls._of_runs(counts, np.arange(len(counts)) == 0)

    @classmethod
    def _of_runs(cls, counts: NDArray[np.float64], begins: NDArray[np.bool_]) -> Modes:
        of_code = (np.cumsum(begins) - 1).astype(np.int32)
        weights = counts + 0.1  # a value that no row has is rare, not impossible
        sums = np.concatenate([[0.0], np.cumsum(weights)])
        start = sums[:-1][begins][of_code]
        total = np.bincount(of_code, weights)[of_code]
        low = (sums[:-1] - start) / total
        high = (sums[1:] - start) / total
        return cls(of_code, low.astype(np.float32), high.astype(np.float32))


class Encoding:
    """Rows of codes as rows of numbers: modes one-hot, side by side, and positions behind them.

    Args:
        modes: of the columns, in order.
    """

    def __init__(self, modes: Sequence[Modes]) -> None:
        self.modes = tuple(modes)
        sizes = [each.size for each in self.modes]
        ends = np.cumsum(sizes).tolist()
        self.columns = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        """Where the modes of each column are."""
        ends = np.cumsum([len(each.of_code) for each in self.modes]).tolist()
        self.codes = [
            slice(end - len(each.of_code), end) for end, each in zip(ends, self.modes, strict=True)
        ]
        """Where the codes of each column are."""
        self.ranked = [place for place, each in enumerate(self.modes) if each.ranked]
        """Columns that have positions."""
        self.one_hot = sum(sizes)
        self.width = self.one_hot + len(self.ranked)

    def encode(self, codes: Any, within: Any) -> Any:
        """Return rows as numbers, modes 0 or 1, positions -1 to 1.

        Args:
            codes: int32 of shape ``(n, columns)``.
            within: where in its code each value is, 0 to 1, shape ``(n, ranked columns)``.

        Returns:
            float32 of shape ``(n, width)``.
        """
        parts, positions = [], []
        for place, each in enumerate(self.modes):
            own = codes[:, place]
            of_code = ops.convert_to_tensor(each.of_code)
            parts.append(one_hot(ops.take(of_code, own), each.size))
            if each.ranked:
                low, high = (ops.take(ops.convert_to_tensor(x), own) for x in (each.low, each.high))
                spot = within[:, len(positions)]
                positions.append(2.0 * (low + (high - low) * spot) - 1.0)
        return ops.concatenate([*parts, *(each[:, None] for each in positions)], axis=1)

    def split(self, numbers: Any) -> list[Any]:
        """Return what belongs to the modes of each column, numbers of shape ``(n, size)``."""
        return [numbers[:, each] for each in self.columns]

    def chances(self, logits: Any) -> Any:
        """Return how probable the modes of each column are, side by side.

        Args:
            logits: shape ``(n, one_hot)``.
        """
        # Not ops.softmax, which warns of a column with one mode.
        apart = [own - ops.logsumexp(own, axis=1, keepdims=True) for own in self.split(logits)]
        return ops.exp(ops.concatenate(apart, axis=1))

    def draw(self, chances: Any, positions: Any, uniform: Any) -> Any:
        """Draw codes: int32 of shape ``(n, columns)``.

        Args:
            chances: of the modes of each column, adding up to 1, shape ``(n, one_hot)``.
            positions: -1 to 1, shape ``(n, ranked columns)``.
            uniform: 0 to 1, shape ``(n, columns)``.
        """
        of_all = self.modes_drawn(chances, uniform)
        codes = []
        for place, each in enumerate(self.modes):
            mode = of_all[:, place]
            if each.ranked:
                mode = _code_at(each, mode, positions[:, self.ranked.index(place)])
            codes.append(mode)
        return ops.stack(codes, 1)

    def modes_drawn(self, chances: Any, uniform: Any) -> Any:
        """Return the mode of each column: int32 of shape ``(n, columns)``.

        Args:
            chances: as for ``draw``; those of a column may add up to anything.
            uniform: 0 to 1, shape ``(n, columns)``.
        """
        parts, drawn = self.split(chances), {}
        # Columns of one size are drawn together, so that what is compiled doesn't grow with them.
        for size in sorted({each.size for each in self.modes}):
            places = [place for place, each in enumerate(self.modes) if each.size == size]
            weights = ops.reshape(ops.stack([parts[place] for place in places], 1), (-1, size))
            luck = ops.reshape(ops.stack([uniform[:, place] for place in places], 1), (-1,))
            found = ops.reshape(among(weights, luck), (-1, len(places)))
            drawn |= {place: found[:, number] for number, place in enumerate(places)}
        return ops.stack([drawn[place] for place in range(len(self.modes))], 1)

    def draw_asked(
        self, chances: Any, positions: Any, shares: Sequence[Any], uniform: Any
    ) -> tuple[Any, Any]:
        """Draw codes, of columns of which something is asked among those that are.

        Positions don't count there: codes of a mode are as probable as they are frequent.

        Args:
            chances: as for ``draw``.
            positions: the same.
            shares: by column how much of each code is asked, shape ``(n, codes of it)``. A row of
                ones asks for nothing.
            uniform: as for ``draw``.

        Returns:
            int32 of shape ``(n, columns)``; and the logarithm of how probable what is asked was,
            shape ``(n,)``.
        """
        drawn, likely = self.draw(chances, positions, uniform), 0.0
        codes = []
        for place, (own, each) in enumerate(zip(self.split(chances), self.modes, strict=True)):
            of_code = ops.take(own, ops.convert_to_tensor(each.of_code), axis=1)
            wanted = (of_code + _LEAST) * ops.convert_to_tensor(each.high - each.low)
            wanted = wanted * shares[place]
            asked = ops.any(shares[place] < 1, axis=1)
            total = ops.log(ops.sum(wanted, axis=1) + 1e-30)
            likely = likely + ops.where(asked, total, 0.0)
            codes.append(ops.where(asked, among(wanted, uniform[:, place]), drawn[:, place]))
        return ops.stack(codes, 1), likely


def one_hot(places: Any, size: int) -> Any:
    """Return places one-hot: float32 of shape ``(n, size)``.

    Not ops.one_hot, which looks at values on PyTorch, so that no step could be recorded.
    """
    return ops.cast(places[:, None] == ops.arange(size, dtype="int32"), "float32")


def _code_at(modes: Modes, mode: Any, position: Any) -> Any:
    """Return the code at a position, -1 to 1, of a mode: int32 of shape ``(n,)``."""
    inside = ops.clip((position + 1.0) / 2.0, 0.0, 1.0 - 1e-6)
    at = ops.cast(mode, "float32") + inside
    ends = (modes.of_code + modes.high)[:-1].astype(np.float32)
    found = ops.sum(ops.cast(at[:, None] >= ops.convert_to_tensor(ends)[None], "int32"), axis=1)
    # What is rounded at the end of a mode must not be in the next one.
    of_code = modes.of_code
    first = np.searchsorted(of_code, np.arange(modes.size)).astype(np.int32)
    last = (np.searchsorted(of_code, np.arange(modes.size), "right") - 1).astype(np.int32)
    low, high = (ops.take(ops.convert_to_tensor(x), mode) for x in (first, last))
    return ops.minimum(ops.maximum(found, low), high)
