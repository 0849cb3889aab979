"""Mode coverage: for densities whose modes are known."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

import genkit
from genkit.evaluation import Batch, Context, Figure, bootstrap_interval, proportion_interval

_NEAR = 3.0
_SHARE = 0.1


class ModeCoverage(genkit.Metric):
    """How many modes samples reach, and how many samples are near a mode.

    Srivastava et al. 2017, "VEEGAN: Reducing Mode Collapse in GANs ...", section 5.1: a sample is
    of high quality if it is within three standard deviations of the nearest mode (of the data
    itself ``1 - exp(-4.5) = 0.989`` are). A mode is covered by a tenth of its fair share of
    samples, of high quality: one stray sample doesn't cover it.
    """

    streams = ("generated",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._modes = context.real.modes  # unfit() knows that there are some
        # The last place counts samples near none.
        self._counts = np.zeros(len(self._modes.centres) + 1, np.int64)

    @classmethod
    def unfit(cls, context: Context) -> str:
        return "" if getattr(context.real, "modes", None) else "the data's modes are not known"

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002 - there is but one
        apart = np.linalg.norm(batch.items[:, None] - self._modes.centres, axis=2)
        nearest = apart.argmin(axis=1)
        near = apart.min(axis=1) <= _NEAR * self._modes.scale
        nearest[~near] = len(self._counts) - 1
        self._counts += np.bincount(nearest, minlength=len(self._counts))

    def compute(self) -> Iterable[Figure]:
        n, modes = int(self._counts.sum()), len(self._counts) - 1
        least = _SHARE * n / modes

        def covered(places: np.ndarray) -> float:
            return float(np.mean(np.bincount(places, minlength=modes + 1)[:modes] >= least))

        places = np.repeat(np.arange(modes + 1), self._counts)
        yield self.context.figure(
            "mode-coverage",
            bootstrap_interval(places, covered, seed=self.context.seed),
            "max",
            modes=modes,
            covered=f"by {_SHARE:g} of a mode's share of the samples, within {_NEAR:g} sd of it",
            interval="95 % percentile bootstrap",
        )
        yield self.context.figure(
            "high-quality",
            proportion_interval(n - int(self._counts[-1]), n),
            "max",
            near=f"within {_NEAR:g} standard deviations of a mode",
            interval="95 % Wilson interval of a proportion",
        )
