"""Posteriors that multiply: MVAE (Wu and Goodman 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from genkit_multimodal.models.translating import Translating
from genkit_multimodal.posteriors import Mixture, product, single, subsets_of

if TYPE_CHECKING:
    from genkit_multimodal.configs import MVAEConfig


class MVAE(Translating):
    """The posterior is the product of the given fields' own and of the prior.

    Wu and Goodman 2018, "Multimodal Generative Models for Scalable Weakly-Supervised Learning",
    equation 5: the bounds of all fields, of each alone and of some random subsets are added up;
    each decodes the fields that it is given.
    """

    config: MVAEConfig

    @property
    def draws(self) -> int:
        fields = len(self.modalities)
        return 1 + fields + (self.config.random_subsets if fields > 2 else 0)  # noqa: PLR2004

    def joined(self, items: Mapping[str, Any], given: Any) -> Mixture:
        return single(*product(*self.experts(items), given, prior=True))

    def bound(self, items: Mapping[str, Any], given: Any, batch: Mapping[str, Any]) -> Any:
        experts = self.experts(items)
        total, terms = 0.0, {}
        for number, members in enumerate(self._members(batch["choice"])):
            counted = given * members
            posterior = single(*product(*experts, counted, prior=True))
            part = slice(number, number + 1)
            z = posterior.draw(batch["choice"][:, part], batch["eps"][:, part])
            nll = self.weighted(self.nlls(items, z), counted)[:, 0]
            # Without any of its fields a bound is that of nothing: no term, and no gradient.
            kl = posterior.kl_to_prior() * ops.max(counted, axis=0)
            total += nll + batch["kl_weight"] * kl
            if number == 0:
                terms = {"reconstruction_loss": nll, "kl_loss": kl}
        return total, terms

    def _members(self, choice: Any) -> list[Any]:
        """Return the subsets of fields to bound: float32 ``(fields, 1)`` or ``(fields, batch)``."""
        count = len(self.modalities)
        fixed = np.concatenate([np.ones((1, count), "float32"), subsets_of(count, 1, 1)])
        members = [ops.convert_to_tensor(row[:, None]) for row in fixed]
        if self.draws > len(fixed):
            others = ops.convert_to_tensor(subsets_of(count, 2, count - 1))
            for number in range(len(fixed), self.draws):
                places = ops.cast(choice[:, number] * len(others), "int32")
                members.append(ops.transpose(ops.take(others, places, axis=0)))
        return members
