"""Multinomial diffusion: names that turn into others, step by step, until any is as likely.

Hoogeboom et al. 2021, "Argmax Flows and Multinomial Diffusion"; of what a network foretells, the
steps back follow as in Austin et al. 2021, "Structured Denoising Diffusion Models in Discrete
State-Spaces", so that those between two distant amounts of noise are right too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from genkit_tabular.models.modes import Encoding

_TINY = 1e-30
_MOST = 30.0  # a logarithm: by how much a mode may be likelier than usual
_LEAST = 1e-12  # what is asked is at least as probable: it is met however strange it is


class Multinomial:
    """Noise of the modes of all columns of a table, side by side.

    ``kept`` is everywhere the share of rows whose mode hasn't been drawn anew, of shape ``(n, 1)``
    or ``(1, 1)``; modes are one-hot, of shape ``(n, one_hot)``.

    Args:
        encoding: of the table.
        counts: how many rows have each code, by column.
    """

    def __init__(self, encoding: Encoding, counts: Sequence[NDArray[np.integer]]) -> None:
        self.encoding = encoding
        usual = [
            np.log((np.bincount(each.of_code, own) + 0.1) / (np.sum(own) + 0.1 * each.size))
            for each, own in zip(encoding.modes, counts, strict=True)
        ]
        self._usual = np.concatenate(usual).astype(np.float32)
        sizes = np.array([each.size for each in encoding.modes])
        self._sizes = sizes.astype(np.float32)
        self._column = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
        first = np.concatenate([np.arange(size) for size in sizes])
        self._place = first.astype(np.float32)
        self._even = (1.0 / sizes[self._column]).astype(np.float32)

    def any_modes(self, uniform: Any) -> Any:
        """Return modes of which any is as likely.

        Args:
            uniform: 0 to 1, shape ``(n, columns)``.
        """
        sizes = ops.convert_to_tensor(self._sizes)
        return self._one_hot(ops.minimum(ops.floor(uniform * sizes), sizes - 1.0))

    def noised(self, modes: Any, kept: Any, luck: Any, uniform: Any) -> Any:
        """Return modes of which some were drawn anew.

        Args:
            modes: one-hot.
            kept: see above.
            luck: 0 to 1, shape ``(n, columns)``: whether a mode is kept.
            uniform: the same: which it becomes otherwise.
        """
        stays = self._spread(ops.cast(luck < kept, "float32"))
        return stays * modes + (1.0 - stays) * self.any_modes(uniform)

    def chances(self, told: Any, seen: Any, kept: Any) -> Any:
        """Return how likely each mode is the one without noise.

        By Bayes' rule: what a network foretells from the other columns, as how much more likely
        than usual, and what the column itself shows, which is known.

        Args:
            told: shape ``(n, one_hot)``, zeros for as likely as usual.
            seen: modes at an amount of noise, one-hot.
            kept: of that amount.
        """
        usual, told = ops.convert_to_tensor(self._usual), ops.clip(told, -_MOST, _MOST)
        odds = ops.exp(told + usual) * self._mixed(seen, kept)
        return odds / self._spread(self._sums(odds))

    def back(  # noqa: PLR0917
        self, chances: Any, asked: Any, seen: Any, kept: Any, before: Any, uniform: Any
    ) -> tuple[Any, Any]:
        """Draw modes at a smaller amount of noise, on the way to some that are asked for.

        Args:
            chances: how likely each mode is the one without noise, given ``seen``.
            asked: how much of each mode is asked, 0 to 1, shape ``(n, one_hot)``; None for nothing.
            seen: modes at an amount of noise, one-hot.
            kept: of that amount.
            before: of the smaller one.
            uniform: 0 to 1, shape ``(n, columns)``.

        Returns:
            modes, one-hot; and the logarithm of how likely they are without what is asked, beside
            how likely they were drawn, shape ``(n,)``.
        """
        usual = towards = self._odds(chances, seen, kept, before)
        if asked is not None:
            wanted = (chances + _LEAST) * asked
            wanted = wanted / self._spread(self._sums(wanted))
            towards = self._odds(wanted, seen, kept, before)
        way = self._mixed(seen, kept / before) * towards
        modes = self._one_hot(ops.cast(self.encoding.modes_drawn(way, uniform), "float32"))
        apart = ops.log(usual + _TINY) - ops.log(towards + _TINY)
        return modes, ops.sum(modes * apart, axis=1)

    def surprise(self, modes: Any, chances: Any, seen: Any, kept: Any, before: Any) -> Any:
        """Return how far a step back is from the truth: the KL divergence of each row, in nats.

        Args:
            modes: those without noise, one-hot.
            chances: as for ``back``.
            seen: the same.
            kept: the same.
            before: the same.

        Returns:
            the sum over the columns, shape ``(n,)``.
        """
        truth, told = (self._odds(x, seen, kept, before) for x in (modes, chances))
        apart = ops.log(truth + _TINY) - ops.log(told + _TINY)
        return ops.sum(self._mixed(seen, kept / before) * truth * apart, axis=1)

    def _odds(self, chances: Any, seen: Any, kept: Any, before: Any) -> Any:
        """Return how likely each mode at less noise is, beside how likely ``seen`` follows it."""
        odds = chances / self._mixed(seen, kept)
        return self._mixed(odds, before, self._spread(self._sums(odds)))

    def _mixed(self, modes: Any, kept: Any, total: Any = 1.0) -> Any:
        """Return modes of which a share is kept, the rest divided evenly."""
        return kept * modes + (1.0 - kept) * ops.convert_to_tensor(self._even) * total

    def _sums(self, modes: Any) -> Any:
        """Return sums over the modes of each column, shape ``(n, columns)``."""
        whose = self._column[:, None] == np.arange(len(self._sizes))
        return ops.matmul(modes, ops.convert_to_tensor(whose.astype(np.float32)))

    def _spread(self, columns: Any) -> Any:
        """Return numbers of columns, shape ``(n, columns)``, for each of their modes."""
        return ops.take(columns, ops.convert_to_tensor(self._column), axis=1)

    def _one_hot(self, places: Any) -> Any:
        same = self._spread(places) == ops.convert_to_tensor(self._place)
        return ops.cast(same, "float32")
