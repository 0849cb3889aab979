"""The three risks that European data protection asks about, each as an attack that is tried."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit.evaluation import Context, Figure
from genkit_tabular.judges.judging import FEWEST, OfRows
from genkit_tabular.judges.nearest import Ruler

_TRIED, _KNOWN, _MADE = 500, 5000, 10_000
_COLUMNS, _PREDICATES = 3, 40_000
"""Columns of a predicate, and how many are drawn to find 500 that one generated row meets."""
_SECRETS = 15
_NEAR = 0.05
"""A number is guessed where it is off by at most so great a share of the rows."""

_TINY = 1e-9

Rows = NDArray[np.float64]


class Attacks(OfRows):
    """How much better attackers fare with training rows than with held-out ones.

    The attacks of Giomi et al. 2023 (arXiv:2211.10459), written anew. ``singling-out``: a condition
    on three columns that one generated row meets is met by exactly one real row. ``linkability``:
    two halves of a row's columns have the same generated row as their nearest. ``inference``: a
    column is guessed from the generated row that is nearest in all others. Each figure is the
    success with training rows beyond that with held-out ones, ``(s - c) / (1 - c)``, 0 for none;
    the planted leak is the same attack on copies of training rows.
    """

    @classmethod
    def unfit(cls, context: Context) -> str:
        if reason := super().unfit(context):
            return reason
        n = 0 if context.real is None else len(context.real)
        return f"{FEWEST} held-out rows or more are needed, there are {n}" if n < FEWEST else ""

    def compute(self) -> Iterable[Figure]:
        made, real, training = map(self.rows, self.streams)
        ruler = Ruler(training, self.judged.equal)
        size = min(len(training), len(real), _KNOWN)
        real, training = real[:size], training[:size]
        for suffix, rows in (("", made[:_MADE]), (" (planted leak)", training)):
            hits = [self._singled_out(rows, known) for known in (training, real)]
            yield self._risk(f"singling-out{suffix}", *hits)
            if len(self.judged.learned) < 2:  # noqa: PLR2004 - nothing to link, nothing to guess by
                continue
            tried = [
                self._linked_and_guessed(ruler, rows, known[:_TRIED]) for known in (training, real)
            ]
            (linked, guessed), (linked_real, guessed_real) = tried
            yield self._risk(f"linkability{suffix}", linked, linked_real)
            risks = _beyond(guessed.mean(0), guessed_real.mean(0))
            yield self._risk(
                f"inference{suffix}",
                guessed.mean(1),
                guessed_real.mean(1),
                column=self.judged.learned[self._secrets[risks.argmax()]].name,
                column_risk=float(risks.max()),
            )

    @property
    def _secrets(self) -> NDArray[np.intp]:
        """The columns that are guessed: all, or 15 that are drawn."""
        order = np.random.Generator(np.random.Philox(key=self.context.seed))
        return np.sort(order.permutation(len(self.judged.learned))[:_SECRETS])

    def _risk(self, name: str, hits: Rows, control: Rows, **card: object) -> Figure:
        """Return a figure of the share of successes, one a row, beyond that of the control."""
        success, without = float(hits.mean()), float(control.mean())
        error = 1.96 * (hits.var() / len(hits) + control.var() / len(control)) ** 0.5
        # Where nothing varies 3 in n may still be missed (the rule of three).
        ends = (success - error, min(1, success + max(error, 3 / len(hits))))
        return self.context.figure(
            name,
            tuple(float(_beyond(each, without)) for each in (success, *ends)),
            "min",
            interval="95 % normal",
            tried=len(hits),
            success=success,
            control=without,
            **card,
        )

    def _singled_out(self, made: Rows, known: Rows) -> Rows:
        """Return which conditions that one generated row meets are met by one known row."""
        rng = np.random.Generator(np.random.Philox(key=self.context.seed))
        middle = np.array([np.median(each[~np.isnan(each)]) if len(each) else 0 for each in made.T])
        hits: list[bool] = []
        for _ in range(_PREDICATES):
            row = made[rng.integers(len(made))]
            columns = rng.permutation(made.shape[1])[:_COLUMNS]
            if self._met(made, row, columns, middle).sum() == 1:
                hits.append(bool(self._met(known, row, columns, middle).sum() == 1))
            if len(hits) == _TRIED:
                break
        return np.array(hits or [False], float)

    def _met(
        self, rows: Rows, row: Rows, columns: NDArray[np.intp], middle: Rows
    ) -> NDArray[np.bool_]:
        """Return which rows have what a row has: the same name, or a number as far out."""
        met = np.ones(len(rows), bool)
        for place in columns:
            column, value = rows[:, place], row[place]
            if np.isnan(value):
                met &= np.isnan(column)
            elif self.judged.equal[place]:
                met &= column == value
            else:
                met &= column >= value if value >= middle[place] else column <= value
        return met

    def _linked_and_guessed(self, ruler: Ruler, made: Rows, known: Rows) -> tuple[Rows, Rows]:
        """Return which rows are linked, and which columns are guessed, shape ``(n, secrets)``."""
        count, secrets = made.shape[1], self._secrets
        rows, others = ruler.places(known), ruler.places(made)
        halves = [list(range(start, count, 2)) for start in (0, 1)]
        nearest = ruler.nearest_without(rows, others, [*halves, *([place] for place in secrets)])
        off = np.abs(others[nearest[2:].T, secrets] - rows[:, secrets])
        guessed = off <= np.where(self.judged.equal[secrets], 0, _NEAR)
        return (nearest[0] == nearest[1]).astype(float), guessed.astype(float)


def _beyond(success: Any, without: Any) -> Any:
    """Return how far a success lies beyond that without; 0 for none, 1 for certainty."""
    return np.maximum(0.0, success - without) / np.maximum(1 - without, _TINY)
