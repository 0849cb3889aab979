"""A joint encoder with one for each field to stand in for it: JMVAE (Suzuki et al. 2016)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from genkit_multimodal.models.translating import Translating
from genkit_multimodal.posteriors import Mixture, kl_between, product, single

if TYPE_CHECKING:
    from genkit_multimodal.configs import JMVAEConfig


class JMVAE(Translating):
    """The posterior is that of an encoder that sees all fields.

    Suzuki et al. 2016, "Joint Multimodal Learning with Deep Generative Models", equations 3 and 7:
    the bound of all fields, and ``alpha`` times the divergence of the joint posterior from each
    field's own. Where some fields aren't given, the product of the others' own stands in for it;
    of items that lack some in training, that product is what learns.
    """

    config: JMVAEConfig

    @property
    def draws(self) -> int:
        return 1

    def more_networks(self) -> Sequence[Any]:
        modality_encoders = [each.encoder() for each in self.modalities.values()]
        width = sum(each.output_shape[-1] for each in modality_encoders)
        self.joint_encoders = modality_encoders
        self.joint_head = keras.Sequential(
            [
                keras.Input((width,)),
                layers.Dense(self.config.hidden, activation=self.config.activation),
                layers.Dense(2 * self.config.latent_dim, dtype="float32"),
            ]
        )
        return [*self.joint_encoders, self.joint_head]

    def joined(self, items: Mapping[str, Any], given: Any) -> Mixture:
        return self._joined(self.experts(items), items, given)

    def bound(self, items: Mapping[str, Any], given: Any, batch: Mapping[str, Any]) -> Any:
        mean, log_variance = self.experts(items)
        posterior = self._joined((mean, log_variance), items, given)
        z = posterior.draw(batch["choice"], batch["eps"])
        nll = self.weighted(self.nlls(items, z), given)[:, 0]
        kl = posterior.kl_to_prior()
        apart = kl_between(posterior.mean, posterior.log_variance, mean, log_variance)
        apart = ops.sum(given * apart, axis=0)
        loss = nll + batch["kl_weight"] * (kl + self.config.alpha * apart)
        return loss, {"reconstruction_loss": nll, "kl_loss": kl, "apart_loss": apart}

    def _joined(self, experts: tuple[Any, Any], items: Mapping[str, Any], given: Any) -> Mixture:
        """Return the joint posterior of items that have all fields, the product of the others."""
        pairs = zip(self.joint_encoders, self.modalities, strict=True)
        features = ops.concatenate([encoder(items[name]) for encoder, name in pairs], axis=-1)
        joint = ops.split(self.joint_head(features), 2, axis=-1)
        stood_in = product(*experts, given, prior=False)
        complete = ops.min(given, axis=0)[:, None]
        return single(
            *(complete * a + (1 - complete) * b for a, b in zip(joint, stood_in, strict=True))
        )
