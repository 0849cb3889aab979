"""Bounds of likelihoods: of all fields, of each, and of each given the others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

import genkit
from genkit.evaluation import Batch, Context, Figure, mean_interval
from genkit_multimodal.models.translating import log_mean_exp

_MOST = 256  # test items
_SAMPLES = 50


class Bounds(genkit.Metric):
    """The evidence lower bound, and negative log-likelihoods by importance sampling, in nats.

    Burda et al. 2016, "Importance Weighted Autoencoders", equation 8. One field's likelihood is
    bounded with latents from the posterior of all fields, as Suzuki et al. 2016 have it, and from
    that of the field alone; its likelihood given the others is the mean of ``p(x | z)`` over
    latents from the others' posterior.
    """

    streams: ClassVar[tuple[str, ...]] = ("real",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.found: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)

    @classmethod
    def unfit(cls, context: Context) -> str:
        has_bounds = hasattr(context.model, "bound_terms")
        return "" if has_bounds else "the model has no latent of several fields"

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002
        seen = sum(map(len, self.found["elbo", "max"]))
        names = list(self.context.output_fields)
        items = {name: np.asarray(batch.fields[name])[: _MOST - seen] for name in names}
        if seen >= _MOST:
            return
        likelihood, ratio = self._terms(items, [], [], seen)
        self.found["elbo", "max"].append((likelihood + ratio).mean(axis=1))
        self._keep(f"nll (K={_SAMPLES})", likelihood + ratio)
        for name in names:
            others = [each for each in names if each != name]
            self._keep(f"nll ({name}, K={_SAMPLES})", sum(self._terms(items, [name], [], seen)))
            self._keep(
                f"nll ({name} alone, K={_SAMPLES})", sum(self._terms(items, [name], [name], seen))
            )
            self._keep(
                f"nll ({name} given the others, K={_SAMPLES})",
                self._terms(items, [name], others, seen)[0],
            )

    def compute(self) -> Iterator[Figure]:
        for (name, direction), parts in self.found.items():
            each = np.concatenate(parts)
            yield self.context.figure(
                name, mean_interval(each), direction, items=len(each), samples=_SAMPLES
            )

    def _terms(
        self, items: dict[str, np.ndarray], of: list[str], given: list[str], seen: int
    ) -> tuple[np.ndarray, np.ndarray]:
        model: Any = self.context.model
        seed = (self.context.seed + seen) % 2**31  # other latents for other items
        found: tuple[np.ndarray, np.ndarray] = model.bound_terms(items, of, given, _SAMPLES, seed)
        return found

    def _keep(self, name: str, log_weights: Any) -> None:
        self.found[name, "min"].append(-log_mean_exp(log_weights))
