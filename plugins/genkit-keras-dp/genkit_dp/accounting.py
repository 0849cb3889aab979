"""How much privacy a run has spent: the figures are dp-accounting's."""

from __future__ import annotations

import dp_accounting
from dp_accounting import rdp
from scipy import stats


class _Accountant(rdp.RdpAccountant):
    """An accountant that shows its Renyi divergences, which add up over equal steps."""

    def divergences(self) -> tuple[list[float], list[float]]:
        return list(self._orders), list(self._rdp)


class Accountant:
    """The privacy spent after any number of steps, each on a Poisson sample of the data.

    A step is the Gaussian mechanism on a sample that holds each item with probability ``rate``
    (Abadi et al. 2016, "Deep Learning with Differential Privacy"; Mironov et al. 2019, "Renyi
    Differential Privacy of the Sampled Gaussian Mechanism"). Neighbouring data sets differ by one
    item that is there or isn't.

    Args:
        rate: probability of each item to be in a step's sample.
        noise_multiplier: standard deviation of the noise over the clip norm.
        releases: how many noisy gradients of one sample a step gives out.
        delta: of the guarantee, without what ``overflow`` takes.
        overflow: probability that a sample is larger than a batch holds and is cut, a step: it is
            taken from delta.
    """

    def __init__(
        self, rate: float, noise_multiplier: float, releases: int, delta: float, overflow: float
    ) -> None:
        self.delta, self.overflow = delta, overflow
        self.event = dp_accounting.PoissonSampledDpEvent(
            rate,
            dp_accounting.SelfComposedDpEvent(
                dp_accounting.GaussianDpEvent(noise_multiplier), releases
            ),
        )
        one = _Accountant()
        one.compose(self.event)
        self._orders, self._one_step = one.divergences()

    def epsilon(self, steps: int) -> float:
        """Give epsilon after this many steps; 0 after none, infinite where delta is used up."""
        if steps == 0:
            return 0.0
        left = self.delta - steps * self.overflow
        if left <= 0:
            return float("inf")
        spent = [steps * divergence for divergence in self._one_step]
        return float(rdp.compute_epsilon(self._orders, spent, left)[0])

    def steps_within(self, budget: float) -> int:
        """Give the largest number of steps whose epsilon is at most ``budget``."""
        most = 1
        while self.epsilon(most) <= budget:
            most *= 2
        least = most // 2
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if self.epsilon(middle) <= budget else (least, middle)
        return least


def batch_rows(items: int, rate: float, tolerance: float) -> tuple[int, float]:
    """Give the rows that hold nearly every Poisson sample, and the chance that one is larger.

    Args:
        items: in the data.
        rate: probability of each to be drawn.
        tolerance: the largest chance to allow.
    """
    rows = min(items, int(stats.binom.isf(tolerance, items, rate)) + 1)
    return rows, float(stats.binom.sf(rows, items, rate))
