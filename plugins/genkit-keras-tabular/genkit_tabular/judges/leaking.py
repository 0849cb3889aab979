"""Do generated rows tell who was learned from? The attack, and distances as an alarm."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from genkit.evaluation import Context, Figure
from genkit_tabular.judges.judging import DRAWS, OfRows
from genkit_tabular.judges.nearest import Places, Ruler

_FALSE = 0.01
_TRIED, _KNOWN, _MADE = 2000, 5000, 10_000
"""Rows of each kind that are attacked; that the attacker knows; generated ones that it sees."""
_NEIGHBOURS = 5
_LEAST, _SHARE = 100, 0.25
"""The rows that are hardest to hide: a quarter of those tried, 100 at least."""
_CLOSE = 1e-3


class Membership(OfRows):
    """Whether an attacker can tell training rows from others, by the rows that were generated.

    The attacker knows other rows of the population: half of those held out. A row that lies nearer
    to a generated one than to any of these is taken for a training row, the more the nearer (after
    van Breugel et al. 2023, arXiv:2302.12580, with distances for densities). What counts are the
    rows that are hardest to hide, farthest from their neighbours (Meeus et al. 2023,
    arXiv:2306.10308), and how many of them are found where 1 % of the others are taken for one
    (Carlini et al. 2022, arXiv:2112.03570): the true-positive rate. Without a leak it is .01. A
    planted leak, half of the attacked training rows among the generated ones, shows what the attack
    can find: .5 and more.

    Then an alarm: the share of generated rows that lie nearer to a training row than to a held-out
    one, of equally many. A model that leaks may well have .5: it is no proof of anything (Yao et
    al. 2025, "The DCR Delusion").
    """

    @classmethod
    def unfit(cls, context: Context) -> str:
        if reason := super().unfit(context):
            return reason
        n = 0 if context.real is None else len(context.real)
        least = 2 * _LEAST
        return f"{least} held-out rows or more are needed, there are {n}" if n < least else ""

    def compute(self) -> Iterable[Figure]:
        made, real, training = map(self.rows, self.streams)
        ruler = Ruler(training, self.judged.equal)
        made, real, training = (
            ruler.places(rows[:most])
            for rows, most in ((made, _MADE), (real, 2 * _KNOWN), (training, 2 * _KNOWN))
        )
        known, others = real[: len(real) // 2], real[len(real) // 2 :]
        size = min(_TRIED, len(others), len(training))
        tried = np.concatenate([training[:size], others[:size]])
        apart = ruler.nearest(tried, known, min(_NEIGHBOURS, len(known)))
        alone = _most_alone(apart.mean(1))
        member, tried, apart = (np.arange(2 * size) < size)[alone], tried[alone], apart[alone, 0]
        near = ruler.nearest(tried, made)[:, 0]
        planted = np.minimum(near, ruler.nearest(tried, tried[member][::2])[:, 0])
        for suffix, nearest in (("", near), (" (planted leak)", planted)):
            scores = np.log((apart + _CLOSE) / (nearest + _CLOSE))
            yield self.context.figure(
                f"membership{suffix}",
                _found(scores[member], scores[~member], self.context.seed),
                "min",
                interval=f"95 % bootstrap, {DRAWS} draws",
                false_positives=_FALSE,
                floor=_FALSE,
                members=int(member.sum()),
                others=int((~member).sum()),
                attacked="a quarter of the rows, the farthest from their neighbours",
                known=len(known),
            )
        yield self._alarm(ruler, made, training, real)

    def _alarm(self, ruler: Ruler, made: Places, training: Places, real: Places) -> Figure:
        size, some = min(len(training), len(real), _KNOWN), made[:_TRIED]
        to_training, to_real = (ruler.nearest(some, rows[:size])[:, 0] for rows in (training, real))
        nearer = (to_training < to_real) + (to_training == to_real) / 2
        share, error = nearer.mean(), 1.96 * nearer.std() / len(nearer) ** 0.5
        return self.context.figure(
            "nearer-training",
            (share, share - error, share + error),
            "min",
            interval="95 % normal",
            rows=len(some),
            compared=size,
            expected=0.5,
        )


def _most_alone(apart: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return which rows are farthest from their neighbours, a quarter of them or enough."""
    few = max(2 * _LEAST, round(_SHARE * len(apart)))
    return np.sort(np.argsort(-apart, kind="stable")[:few])


def _found(
    members: NDArray[np.float32], others: NDArray[np.float32], seed: int
) -> tuple[float, float, float]:
    """Return the true-positive rate at 1 % false positives, with its interval."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    drawn = [
        _true_positives(rng.choice(members, len(members)), rng.choice(others, len(others)))
        for _ in range(DRAWS)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    value = _true_positives(members, others)
    # Where none is found all draws find none; 3 in n may still be missed (the rule of three).
    return value, min(value, float(low)), max(value, float(high), 3 / len(members))


def _true_positives(members: NDArray[np.float32], others: NDArray[np.float32]) -> float:
    threshold = np.sort(others)[-1 - int(_FALSE * len(others))]
    return float((members > threshold).mean())
