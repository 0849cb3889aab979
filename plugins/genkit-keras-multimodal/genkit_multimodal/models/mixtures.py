"""Posteriors that mix: MMVAE (Shi et al. 2019) and MoPoE-VAE (Sutter et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keras import ops

from genkit.errors import DataError
from genkit_multimodal.models.translating import Translating
from genkit_multimodal.posteriors import (
    Mixture,
    mixture_of_products,
    normal_log_density,
    subsets_of,
)

if TYPE_CHECKING:
    import genkit
    from genkit_multimodal.configs import MMVAEConfig, MoPoEConfig


_MOST_FIELDS = 7


class MMVAE(Translating):
    """The posterior is the mixture of the given fields' own.

    Shi et al. 2019, "Variational Mixture-of-Experts Autoencoders for Multi-Modal Deep Generative
    Models", equation 3: latents are drawn from each field's posterior in turn, weighed by the
    density of the whole mixture, and decode all fields. Prior and posteriors are normal, where the
    paper's experiments take Laplace's; of several samples the plain importance-weighted bound is
    minimised, without the paper's doubly reparameterised gradient.
    """

    config: MMVAEConfig

    @property
    def draws(self) -> int:
        return len(self.modalities) * self.config.samples

    def joined(self, items: Mapping[str, Any], given: Any) -> Mixture:
        alone = subsets_of(len(self.modalities), 1, 1)
        return mixture_of_products(*self.experts(items), given, alone)

    def bound(self, items: Mapping[str, Any], given: Any, batch: Mapping[str, Any]) -> Any:
        posterior, samples = self.joined(items, given), self.config.samples
        total = reconstruction = divergence = 0.0
        for number in range(len(self.modalities)):
            noise = batch["eps"][:, number * samples : (number + 1) * samples]
            scale = ops.exp(0.5 * posterior.log_variance[number])[:, None]
            z = posterior.mean[number][:, None] + scale * noise
            zeros = ops.zeros_like(z[:, :1])
            log_prior = normal_log_density(z, zeros, zeros)
            log_ratio = posterior.log_density(z) - log_prior
            nll = self.weighted(self.nlls(items, z), given)
            log_weights = -nll - batch["kl_weight"] * log_ratio
            log_mean = ops.logsumexp(log_weights, axis=1) - math.log(samples)
            share = posterior.weight[number]
            total -= share * log_mean
            reconstruction += share * ops.mean(nll, axis=1)
            divergence += share * ops.mean(log_ratio, axis=1)
        return total, {"reconstruction_loss": reconstruction, "kl_loss": divergence}


class MoPoE(Translating):
    """The posterior is the mixture of the products of all subsets of the given fields' own.

    Sutter et al. 2021, "Generalized Multimodal ELBO", equations 7 and 8: a latent is drawn from
    one component, all fields are decoded, and the components' divergences from the prior count by
    their weights.
    """

    config: MoPoEConfig

    def __init__(self, config: MoPoEConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        if len(self.modalities) > _MOST_FIELDS:
            raise DataError(
                f"Expected at most {_MOST_FIELDS} fields, which have {2**_MOST_FIELDS - 1} "
                f"subsets; received {len(self.modalities)}.",
                "Take mvae, mmvae or jmvae.",
            )

    @property
    def draws(self) -> int:
        return 1

    def joined(self, items: Mapping[str, Any], given: Any) -> Mixture:
        return mixture_of_products(*self.experts(items), given, subsets_of(len(self.modalities)))

    def bound(self, items: Mapping[str, Any], given: Any, batch: Mapping[str, Any]) -> Any:
        posterior = self.joined(items, given)
        z = posterior.draw(batch["choice"], batch["eps"])
        nll = self.weighted(self.nlls(items, z), given)[:, 0]
        kl = posterior.kl_to_prior()
        return nll + batch["kl_weight"] * kl, {"reconstruction_loss": nll, "kl_loss": kl}
