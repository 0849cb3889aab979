"""Models that make all columns of a row at once, from latent numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

import genkit
from genkit_tabular.codec import PLACES
from genkit_tabular.models.conditioned import DRAWS
from genkit_tabular.models.modes import Encoding, Modes
from genkit_tabular.models.table_model import TableModel

_CANDIDATES = 16
_GOLDEN = 0.6180339887498949
_NEVER = -1e9
_FINE = 2**24  # whole numbers below it are exact as float32


class FactoredModel(TableModel):
    """A model whose columns are independent given latent numbers.

    Subclasses define ``rows``. Of a row of which something is asked ``_CANDIDATES`` are made, each
    with other latent numbers, and one is chosen by how probable what is asked was in it: sampling
    importance resampling (Rubin 1988). So every row has what is asked.
    """

    encoding: Encoding

    latent = 0
    """How many uniform numbers a row is made of, beside one a column."""

    def make(self) -> None:
        self.encoding = Encoding([Modes.of(each) for each in self.learned])

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        shape = (n, 2 * len(self.learned) + self.latent + _CANDIDATES)
        return {DRAWS: rng.integers(0, PLACES - 1, shape, dtype=np.int32)}

    def rows(self, uniform: Any, shares: list[Any] | None) -> tuple[Any, Any, Any]:
        """Return chances of modes and positions of rows, as ``Encoding.draw`` takes them.

        The third is a logarithm, shape ``(n,)`` or 0: by how much a row counts as a candidate,
        beside how probable what is asked is in it.

        Args:
            uniform: above 0 and below 1, shape ``(n, latent)``.
            shares: as for ``Encoding.draw_asked``; None where nothing is asked.
        """
        raise NotImplementedError

    def decode(self, **inputs: Any) -> dict[str, Any]:
        draws, columns = inputs[DRAWS], len(self.learned)
        whole = draws // (PLACES // _FINE)
        free, choices = whole[:, columns:-_CANDIDATES], whole[:, -_CANDIDATES:]
        is_asked = self.is_asked(inputs)
        if is_asked:
            first, last, asked = self.asked(inputs)
            bound = ops.any(asked, axis=1)
        shares = self._shares(first, last) if is_asked else None

        def made(number: Any) -> tuple[Any, Any, Any, Any]:
            uniform = (ops.cast(_moved(free, number), "float32") + 0.5) / _FINE
            return uniform[:, :columns], *self.rows(uniform[:, columns:], shares)

        def turn(number: Any, state: Any) -> Any:
            uniform, chances, positions, weight = made(number)
            codes, likely = self.encoding.draw_asked(chances, positions, shares, uniform)
            likely = likely + weight
            total = ops.logaddexp(state["total"], likely)
            luck = ops.cast(ops.take(choices, number, axis=1), "float32") / _FINE
            taken = ops.logical_and(bound, luck < ops.exp(likely - total))
            codes = ops.where(taken[:, None], codes, state["codes"])
            return {"codes": codes, "total": total}

        uniform, chances, positions, _ = made(0)
        codes = self.encoding.draw(chances, positions, uniform)
        if not is_asked:
            return self.outputs(codes, draws[:, :columns])
        state = {"codes": codes, "total": ops.full_like(uniform[:, 0], _NEVER)}
        turns = ops.where(ops.any(bound), _CANDIDATES, 0)
        codes = genkit.loop(turn, state, turns)["codes"]
        return self.outputs(codes, self.places_within(codes, first, last, draws[:, :columns]))

    def _shares(self, first: Any, last: Any) -> list[Any]:
        """Return by column how much of each code is asked, shape ``(n, codes of it)``."""
        share = ops.cast(last - first, "float32") / float(PLACES - 1)
        return [share[:, own] for own in self.encoding.codes]


def normal(uniform: Any) -> Any:
    """Return standard normal numbers of uniform ones, above 0 and below 1."""
    return math.sqrt(2.0) * ops.erfinv(2.0 * uniform - 1.0)


def _moved(whole: Any, turn: Any) -> Any:
    """Return whole numbers below ``_FINE``, moved on by as much at each turn."""
    steps = np.floor(np.arange(1, whole.shape[1] + 1) * _GOLDEN % 1 * _FINE).astype(np.int32)
    return (whole + ops.cast(turn, "int32") * ops.convert_to_tensor(steps)) % _FINE
