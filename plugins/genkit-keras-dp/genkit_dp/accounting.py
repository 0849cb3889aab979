"""How much privacy a run has spent: the figures are dp-accounting's."""

from __future__ import annotations

import bisect
import math

import dp_accounting
from dp_accounting import rdp
from scipy import stats

_FOR_CUTS = 0.01  # the share of delta that pays for samples that are cut
_MOST_STEPS = 2**40
# Of the divergences: lower ones are slow to compute, and serve huge epsilons only.
_LEAST_ORDER = 1.5
# Largest chance of a cut, as a share of delta: enough for epsilon 15 at 1e5 steps.
_CUT_CHANCE = 1e-14


class Accountant:
    """The privacy spent after any number of steps, each on a Poisson sample of the data.

    A step is the Gaussian mechanism on a sample that holds each item with probability ``rate``
    (Abadi et al. 2016, "Deep Learning with Differential Privacy"; Mironov et al. 2019, "Renyi
    Differential Privacy of the Sampled Gaussian Mechanism"). Neighbouring data sets differ by one
    item that is there or isn't.

    A sample that is larger than ``rows`` is cut. If that happens with probability ``p`` a step,
    what holds without cuts holds with ``(1 + e^epsilon) * steps * p`` more delta: the cut run and
    the uncut one differ with probability ``steps * p``, on both of the neighbouring data sets
    (Chua et al. 2024, "Scalable DP-SGD: Shuffling vs. Poisson Subsampling").

    Args:
        items: in the data.
        rate: probability of each item to be in a step's sample.
        noise_multiplier: standard deviation of the noise over the clip norm.
        releases: how many noisy gradients of one sample a step gives out.
        delta: of the guarantee.

    Attributes:
        rows: how many hold nearly every sample.
    """

    def __init__(
        self, items: int, rate: float, noise_multiplier: float, releases: int, delta: float
    ) -> None:
        self.delta = delta
        self.rows = math.ceil(rate * items)
        while stats.binom.sf(self.rows, items, rate) > _CUT_CHANCE * delta:
            self.rows += 1  # not binom.isf: it knows no chance below 1e-16
        self._cut = float(stats.binom.sf(self.rows, items, rate))
        gaussian = dp_accounting.GaussianDpEvent(noise_multiplier)
        orders = [order for order in rdp.RdpAccountant().orders if order >= _LEAST_ORDER]
        one = rdp.RdpAccountant(orders)  # of neighbours by adding or removing one
        one.compose(
            dp_accounting.PoissonSampledDpEvent(
                rate, dp_accounting.SelfComposedDpEvent(gaussian, releases)
            )
        )
        self._orders, self._one_step = one.orders, one.rdp

    def epsilon(self, steps: int) -> float:
        """Return epsilon after this many steps; infinite where cut samples use up their delta."""
        if steps == 0:
            return 0.0
        for_noise = (1 - _FOR_CUTS) * self.delta
        epsilon = float(rdp.compute_epsilon(self._orders, steps * self._one_step, for_noise)[0])
        for_cuts = steps * self._cut * (1 + math.exp(min(epsilon, 700.0)))  # floats end at e^709
        return epsilon if for_cuts <= _FOR_CUTS * self.delta else math.inf

    def steps_within(self, budget: float) -> int:
        """Return the largest number of steps whose epsilon is at most ``budget``."""
        return bisect.bisect_right(range(_MOST_STEPS), budget, key=self.epsilon) - 1
