"""The generative adversarial network: any generator against any discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from genkit.errors import UsageError
from genkit.layers import augment_images, rescale
from genkit.layers.augmentation import AUGMENTATIONS, DRAWS
from genkit.losses import ADVERSARIAL_LOSSES, gradient_penalty, zero_centred_penalty
from genkit.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from genkit.plugins.config import Config
    from genkit.plugins.specs import Schema


class GAN(Model):
    """A generator and a discriminator trained against each other.

    Goodfellow et al. 2014, "Generative Adversarial Nets". Bring your own two Keras networks:

        gan = genkit.GAN(generator, discriminator)
        gan.fit(images, epochs=5)
        gan.generate(16)

    One step minimises, for the discriminator ``D`` and then for the generator ``G``,

        loss_D(D(x), D(G(z))) + gradient_penalty * mean (||grad D(between)|| - 1)^2
            + r1 * mean ||grad D(x)||^2 / 2 + r2 * mean ||grad D(G(z))||^2 / 2
        loss_G(D(G(z)))    or, of losses that see pairs, loss_G(D(x), D(G(z)))

    With ``penalty_interval`` the penalties are an update of their own at every so many steps, their
    weights times the interval (Karras et al. 2020, "Analyzing and Improving the Image Quality of
    StyleGAN", appendix B, "lazy regularization"); ``d_loss`` is then without them.

    Losses, penalties and updates combine freely; the named models are settings of them.

    Args:
        generator: built network, noise ``(batch, latent_dim)`` to items. With a second input, int32
            ``(batch,)``, it gets the label too, and the model is conditional.
        discriminator: built network, items to one score each (no sigmoid); likewise.
        loss: ``"minimax"``, ``"non-saturating"``, ``"least-squares"``, ``"hinge"``,
            ``"wasserstein"`` or ``"relativistic"``; see ``genkit.losses``.
        gradient_penalty: weight of the penalty on slopes other than 1 (Gulrajani et al. 2017).
        r1: weight of the penalty on slopes at real items (Mescheder et al. 2018).
        r2: the same at generated items.
        penalty_interval: steps from one update by the penalties to the next; 1: they are part of
            each step's loss.
        critic_steps: updates of the discriminator, each on a batch of its own, to one of the
            generator.
        augment: what is changed at random in the images that the discriminator sees, some of
            ``"color"``, ``"translation"`` and ``"cutout"``; see ``genkit.layers.augment_images``.
        generator_optimizer: Adam(0.0002, beta_1=0.5) if not given.
        discriminator_optimizer: likewise; with a ``penalty_interval`` of k > 1 its rate and the
            exponents of its betas are k / (k + 1) times those.
        output_range: the range of the generator's last activation, ``(-1, 1)`` for tanh; real
            items are moved to it and generated ones moved back to the data's own range. None if
            the generator works in the data's range.
        config: the settings it was made from, if any.
        schema: what the data is; ``fit`` fills it in.
    """

    def __init__(
        self,
        generator: Any,
        discriminator: Any,
        *,
        loss: str = "non-saturating",
        gradient_penalty: float = 0.0,
        r1: float = 0.0,
        r2: float = 0.0,
        penalty_interval: int = 1,
        critic_steps: int = 1,
        augment: Sequence[str] = (),
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        output_range: tuple[float, float] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
    ) -> None:
        super().__init__(config, schema)
        if loss not in ADVERSARIAL_LOSSES:
            raise UsageError(f"Expected one of {', '.join(ADVERSARIAL_LOSSES)}; received {loss!r}.")
        if unknown := set(augment) - set(AUGMENTATIONS):
            raise UsageError(
                f"Expected some of {', '.join(AUGMENTATIONS)}; received {', '.join(unknown)}."
            )
        self.generator = generator
        self.discriminator = discriminator
        self.adversarial = ADVERSARIAL_LOSSES[loss]
        self.gradient_penalty, self.r1, self.r2 = gradient_penalty, r1, r2
        if penalty_interval < 1 or (penalty_interval > 1 and not (gradient_penalty or r1 or r2)):
            raise UsageError(
                "Expected a penalty_interval of at least 1, above 1 with gradient_penalty, r1 or "
                f"r2 alone; received {penalty_interval}."
            )
        self.penalty_interval = penalty_interval
        if critic_steps > 1:
            self.batches_per_step = critic_steps
        self.augment = tuple(augment)
        self.output_range = output_range
        self.conditional = _takes_label(generator)
        self.add_optimizer(
            "discriminator",
            discriminator_optimizer or _default_adam(lazy_share(penalty_interval)),
            discriminator,
        )
        self.add_optimizer("generator", generator_optimizer or _default_adam(), generator)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        shape = self.generator.inputs[0].shape[1:]
        return {"z": rng.standard_normal((n, *shape), dtype="float32")}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        noise = self.noise(rng, n)
        if self.gradient_penalty:
            item = self.discriminator.inputs[0].shape[1:]
            noise["mix"] = rng.random((n, *(1 for _ in item)), dtype="float32")
        if self.augment:
            noise["augment"] = rng.random((n, 2, DRAWS), dtype="float32")
        return noise

    def score(self, items: Any, batch: dict[str, Any]) -> Any:
        """Let the discriminator judge items in the networks' range: shape ``(batch, 1)``."""
        return self._call(self.discriminator, items, batch)

    def discriminator_loss(self, batch: dict[str, Any]) -> Any:
        """Score real against generated items, with the penalties on the discriminator's slope."""
        real, fake = self._real(batch), self._fake(batch)
        loss = self.adversarial.discriminator(self.score(real, batch), self.score(fake, batch))
        return loss + self._penalties(real, fake, batch)

    def penalty_loss(self, batch: dict[str, Any]) -> Any:
        """Weigh the penalties alone, for all steps of an interval."""
        real = self._real(batch) if self.gradient_penalty or self.r1 else None
        fake = self._fake(batch) if self.gradient_penalty or self.r2 else None
        return self.penalty_interval * self._weighed_slopes(real, fake, batch)

    def generator_loss(self, batch: dict[str, Any]) -> Any:
        """Pass as real."""
        return self._passing(self.score(self._fake(batch), batch), batch)

    def schedule(self, step: int) -> dict[str, Any]:  # type: ignore[override] # no total needed
        if self.penalty_interval == 1:
            return {}
        return {"penalised": step % self.penalty_interval == 0}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        batches = batch if isinstance(batch, tuple) else (batch,)
        for each in batches:
            d_loss, _ = minimize("discriminator", self.discriminator_loss, each)
            if each.get("penalised", False):
                minimize("discriminator", self.penalty_loss, each)
        g_loss, _ = minimize("generator", self.generator_loss, batches[-1])
        return {"d_loss": d_loss, "g_loss": g_loss}

    def decode(self, z: Any, label: Any = None) -> Any:
        inputs = z if label is None else [z, label]
        fake = self.generator(inputs, training=False)
        if self.output_range is None:
            return fake
        return rescale(fake, self.output_range, self._data_range())

    def _passing(self, fake_scores: Any, batch: dict[str, Any]) -> Any:
        """Return the generator's loss, of pairs with real items if it sees these."""
        if not self.adversarial.paired:
            return self.adversarial.generator(fake_scores)
        return self.adversarial.generator(self.score(self._real(batch), batch), fake_scores)

    def _penalties(self, real: Any, fake: Any, batch: dict[str, Any]) -> Any:
        """Return the penalties that are part of each step's loss."""
        return 0.0 if self.penalty_interval > 1 else self._weighed_slopes(real, fake, batch)

    def _weighed_slopes(self, real: Any, fake: Any, batch: dict[str, Any]) -> Any:
        def score(items: Any) -> Any:
            return self.score(items, batch)

        penalty = 0.0
        if self.gradient_penalty:
            penalty += self.gradient_penalty * gradient_penalty(score, real, fake, batch["mix"])
        if self.r1:
            penalty += self.r1 * zero_centred_penalty(score, real)
        if self.r2:
            penalty += self.r2 * zero_centred_penalty(score, fake)
        return penalty

    def _call(self, network: Any, inputs: Any, batch: dict[str, Any]) -> Any:
        if _takes_label(network):
            inputs = [inputs, self._label(batch)]
        return network(inputs, training=True)

    def _label(self, batch: dict[str, Any]) -> Any:
        assert self.schema is not None, "fit() sets the schema before the first step"
        return batch[self.schema.name_of("label")]

    def _real(self, batch: dict[str, Any]) -> Any:
        """Return the batch's items as the discriminator sees them."""
        real = batch[self.generated_field()]
        if self.output_range is None:
            return self._augmented(ops.cast(real, "float32"), batch, 0)
        return self._augmented(rescale(real, self._data_range(), self.output_range), batch, 0)

    def _fake(self, batch: dict[str, Any]) -> Any:
        """Return generated items as the discriminator sees them."""
        return self._augmented(self._call(self.generator, batch["z"], batch), batch, 1)

    def _augmented(self, items: Any, batch: dict[str, Any], which: int) -> Any:
        if not self.augment:
            return items
        return augment_images(items, batch["augment"][:, which], self.augment)

    def usual_output(self, schema: Schema) -> tuple[str, ...]:
        """Name the first field of the shape that the discriminator takes."""
        taken = tuple(self.discriminator.inputs[0].shape[1:])
        fitting = [name for name, field in schema.fields.items() if field.shape == taken]
        return tuple(fitting[:1]) or super().usual_output(schema)

    def _data_range(self) -> tuple[float, float]:
        if self.schema is None or (limits := self.schema[self.generated_field()].range) is None:
            raise UsageError(
                "With output_range the model must know the range of the data; it knows none.",
                "Train it first, or leave output_range out.",
            )
        return limits


def _takes_label(network: Any) -> bool:
    return len(network.inputs) > 1


def lazy_share(interval: int) -> float:
    """Return what an optimizer's rate and the exponents of its decays are multiplied by.

    Penalties at an interval make one update more in each: so that as much is learned, and
    forgotten, in as many steps, Adam's learning rate is to be ``share`` times what it was and each
    beta ``beta ** share``, with ``share = interval / (interval + 1)`` (Karras et al. 2020, appendix
    B). Without an interval the share is 1.

    Args:
        interval: ``penalty_interval``.
    """
    return interval / (interval + 1) if interval > 1 else 1.0


def _default_adam(share: float = 1.0) -> Any:
    return keras.optimizers.Adam(2e-4 * share, beta_1=0.5**share, beta_2=0.999**share)
