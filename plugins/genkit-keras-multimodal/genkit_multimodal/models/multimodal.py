"""What all models of several modalities share: one latent, an encoder and a decoder a field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import keras
from keras import layers, ops

import genkit
from genkit_multimodal.modalities import MODALITIES, Modality, modalities_of, weights_of
from genkit_multimodal.posteriors import Mixture

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from genkit_multimodal.configs import MultimodalConfig


class MultimodalVAE(genkit.Model):
    """A variational autoencoder with one latent for all fields of an item.

    Each field has an encoder, to a normal posterior, and a decoder. What a subclass says is how
    the posteriors of the fields that are given join, and what is minimised; latents are then drawn,
    fields decoded and likelihoods bounded here. Fields that may be missing count where they are
    there.

    Args:
        config: see ``genkit info mvae``.
        schema: data with two fields or more of the modalities it knows.

    Attributes:
        modalities: what stands for each field, in the order of the schema.
    """

    config: MultimodalConfig
    schema: genkit.Schema
    kinds: ClassVar[Mapping[str, type[Modality]]] = MODALITIES
    """Classes by modality; a subclass may bring its own."""

    def __init__(self, config: MultimodalConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.modalities = modalities_of(schema, config, self.kinds)
        self.likelihood_weights = weights_of(self.modalities, config)
        self.encoders = [self.posterior_network(each) for each in self.modalities.values()]
        self.decoders = [each.decoder() for each in self.modalities.values()]
        adam = keras.optimizers.Adam(config.learning_rate)
        self.add_optimizer("vae", adam, *self.encoders, *self.decoders, *self.more_networks())

    @property
    def draws(self) -> int:
        """How many latents an item takes in training."""
        raise NotImplementedError

    def joined(self, items: Mapping[str, Any], given: Any) -> Mixture:
        """Return the posterior of the latent.

        Args:
            items: by field, as ``to_network`` returns them; what isn't given may be anything.
            given: 1 for what is given, else 0: float32 ``(fields, batch)``.
        """
        raise NotImplementedError

    def bound(self, items: Mapping[str, Any], given: Any, batch: Mapping[str, Any]) -> Any:
        """Return what is minimised, in nats an item, ``(batch,)``, and its terms by name.

        Args:
            items: by field, as ``to_network`` returns them.
            given: 1 for what is there, else 0: float32 ``(fields, batch)``.
            batch: with ``eps``, normal noise ``(batch, draws, latent_dim)``; ``choice``, uniform
                ``(batch, draws)``; and ``kl_weight``.
        """
        raise NotImplementedError

    def more_networks(self) -> Sequence[Any]:
        """Build what else is trained; by default nothing."""
        return ()

    def posterior_network(self, modality: Modality) -> keras.Sequential:
        """Build a field's encoder with the two numbers a latent: mean and log variance."""
        head = layers.Dense(2 * self.config.latent_dim, dtype="float32")
        return keras.Sequential([modality.encoder(), head])

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"z": rng.standard_normal((n, self.config.latent_dim), dtype="float32")}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        shape = (n, self.draws)
        return {
            "eps": rng.standard_normal((*shape, self.config.latent_dim), dtype="float32"),
            "choice": rng.random(shape, dtype="float32"),
        }

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:  # noqa: ARG002
        warmup = self.config.kl_warmup_steps
        return {"kl_weight": self.config.kl_weight * (min(1.0, step / warmup) if warmup else 1.0)}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, logs = minimize("vae", self.mean_bound, batch)
        return {"loss": loss, **logs}

    def mean_bound(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the mean of ``bound`` over a batch, and of its terms."""
        each, terms = self.bound(self.inputs_of(batch), self._there(batch), batch)
        return ops.mean(each), {name: ops.mean(term) for name, term in terms.items()}

    def decode(self, z: Any) -> dict[str, Any]:
        outputs = (decoder(z) for decoder in self.decoders)
        return {
            name: modality.from_network(made)
            for (name, modality), made in zip(self.modalities.items(), outputs, strict=True)
        }

    def inputs_of(self, items: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of items as networks see them."""
        return {name: each.to_network(items[name]) for name, each in self.modalities.items()}

    def experts(self, items: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return each field's own posterior: mean, log variance ``(fields, batch, latent_dim)``."""
        pairs = zip(self.encoders, self.modalities, strict=True)
        outputs = ops.stack([encoder(items[name]) for encoder, name in pairs])
        mean, log_variance = ops.split(outputs, 2, axis=-1)
        return mean, log_variance

    def nll_of(self, name: str, x: Any, z: Any) -> Any:
        """Return ``-log p(x | z)`` of a field for several latents an item, in nats.

        Args:
            name: of the field.
            x: its values, as ``to_network`` returns them.
            z: ``(batch, draws, latent_dim)``.

        Returns:
            shape ``(batch, draws)``.
        """
        draws = z.shape[1]
        decoder = self.decoders[list(self.modalities).index(name)]
        outputs = decoder(ops.reshape(z, (-1, z.shape[2])))
        repeated = x if draws == 1 else ops.repeat(x, draws, axis=0)
        return ops.reshape(self.modalities[name].nll(repeated, outputs), (-1, draws))

    def nlls(self, items: Mapping[str, Any], z: Any) -> Any:
        """Return ``nll_of`` all fields: ``(fields, batch, draws)``."""
        return ops.stack([self.nll_of(name, items[name], z) for name in self.modalities])

    def weighted(self, nlls: Any, counted: Any) -> Any:
        """Return the weighted sum of the fields' terms.

        Args:
            nlls: ``(fields, batch, draws)``.
            counted: 1 for fields that count, else 0: ``(fields, batch)``.

        Returns:
            shape ``(batch, draws)``.
        """
        weights = ops.convert_to_tensor(list(self.likelihood_weights.values()), dtype="float32")
        return ops.sum(weights[:, None, None] * counted[..., None] * nlls, axis=0)

    def _there(self, batch: Mapping[str, Any]) -> Any:
        """Return which fields of a batch are there, float32 ``(fields, batch)``."""
        found = []
        for name, modality in self.modalities.items():
            if modality.field.missing:
                flags = ops.reshape(batch[f"{name}_missing"], (-1, modality.values))
                found.append(1 - ops.cast(ops.any(flags, axis=1), "float32"))
            else:
                found.append(ops.ones_like(batch["eps"][:, 0, 0]))
        return ops.stack(found)
