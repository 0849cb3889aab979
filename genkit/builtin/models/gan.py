"""The generative adversarial network: any generator against any discriminator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from genkit.errors import UsageError
from genkit.layers import rescale
from genkit.losses import discriminator_non_saturating, generator_non_saturating
from genkit.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from genkit.config import Config
    from genkit.specs import Schema


class GAN(Model):
    """A generator and a discriminator trained against each other.

    Goodfellow et al. 2014, "Generative Adversarial Nets", with the non-saturating generator loss
    of section 3. Bring your own two Keras networks:

        gan = genkit.GAN(generator, discriminator)
        gan.fit(images, epochs=5)
        gan.generate(16)

    Args:
        generator: built network, noise ``(batch, latent_dim)`` to items.
        discriminator: built network, items to one logit each (no sigmoid).
        generator_optimizer: Adam(0.0002, beta_1=0.5) if not given.
        discriminator_optimizer: likewise.
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
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        output_range: tuple[float, float] | None = None,
        config: Config | None = None,
        schema: Schema | None = None,
    ) -> None:
        super().__init__(config, schema)
        self.generator = generator
        self.discriminator = discriminator
        self.output_range = output_range
        self.add_optimizer(
            "discriminator", discriminator_optimizer or _default_adam(), discriminator
        )
        self.add_optimizer("generator", generator_optimizer or _default_adam(), generator)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        shape = self.generator.input_shape[1:]
        return {"z": rng.standard_normal((n, *shape), dtype="float32")}

    def discriminator_loss(self, batch: dict[str, Any]) -> Any:
        """Tell real from generated; see ``discriminator_non_saturating``."""
        fake = self.generator(batch["z"], training=True)
        return discriminator_non_saturating(
            self.discriminator(self._real(batch), training=True),
            self.discriminator(fake, training=True),
        )

    def generator_loss(self, batch: dict[str, Any]) -> Any:
        """Pass as real; see ``generator_non_saturating``."""
        fake = self.generator(batch["z"], training=True)
        return generator_non_saturating(self.discriminator(fake, training=True))

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        d_loss, _ = minimize("discriminator", self.discriminator_loss, batch)
        g_loss, _ = minimize("generator", self.generator_loss, batch)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def decode(self, z: Any) -> Any:
        fake = self.generator(z, training=False)
        if self.output_range is None:
            return fake
        return rescale(fake, self.output_range, self._data_range())

    def _real(self, batch: dict[str, Any]) -> Any:
        real = batch[self._field_name()]
        if self.output_range is None:
            return keras.ops.cast(real, "float32")
        return rescale(real, self._data_range(), self.output_range)

    def _field_name(self) -> str:
        assert self.schema is not None, "fit() sets the schema before the first step"
        for name, field in self.schema.fields.items():
            if field.modality in ("image", "vector"):
                return name
        return next(iter(self.schema.fields))

    def _data_range(self) -> tuple[float, float]:
        if self.schema is None or (limits := self.schema[self._field_name()].range) is None:
            raise UsageError(
                "With output_range the model must know the range of the data; it knows none.",
                "Train it first, or leave output_range out.",
            )
        return limits


def _default_adam() -> Any:
    return keras.optimizers.Adam(learning_rate=2e-4, beta_1=0.5)
