"""StyleGAN2 (Karras et al. 2020), with adaptive augmentation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

import genkit
from genkit.engine import workers
from genkit.layers import rescale
from genkit.losses import ADVERSARIAL_LOSSES, zero_centred_penalty
from genkit_style.augmentation import Strength, augmented, draw
from genkit_style.configs import StyleGAN2Config
from genkit_style.discriminator import Discriminator
from genkit_style.mapping import Centre, Mapping
from genkit_style.sizes import image_side, noise_count
from genkit_style.styled import RANGE, Styled
from genkit_style.synthesis import Synthesis

_FOLLOWING = 0.01  # how quickly the mean path length follows (Karras et al. 2020, appendix B)
_TINY = 1e-12


class StyleGAN2(Styled, genkit.Model):
    """A generator that draws in styles, against a residual discriminator.

    Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN": noise is mapped to
    a style, and the style weighs the channels of every convolution. R1 and path-length penalties
    are taken lazily, each at every so many steps with its weight times that many; the optimizers'
    rates and decays are corrected for the updates that come to it (their appendix B).

    Args:
        config: see ``genkit info stylegan2``.
        schema: data with square images whose side is a power of two.
    """

    def __init__(self, config: StyleGAN2Config, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.side, self.channels = image_side(schema)
        classes = _class_count(config.conditional, schema)
        self.conditional = bool(classes)
        self.width = config.latent_dim
        self.mapping = Mapping(
            self.width, self.width, config.mapping_layers, classes, name="mapping"
        )
        self.centre = Centre(self.width, classes, name="centre")
        self.synthesis = Synthesis(
            self.side,
            self.channels,
            self.width,
            config.base,
            config.most,
            config.noise_inputs,
            name="synthesis",
        )
        self.discriminator = Discriminator(
            self.side,
            self.channels,
            config.base,
            config.most,
            classes,
            config.mapping_layers,
            config.frozen,
            name="discriminator",
        )
        self._numbers: dict[str, np.ndarray] = {}  # what options stand for, by digest
        self.adversarial = ADVERSARIAL_LOSSES[config.loss]
        self.mean_length = self.add_state("mean_path_length", merge="first")
        self.strength = (
            Strength(self, config.augment_target, config.augment_images)
            if config.augment_target
            else None
        )
        lazy_r1 = config.r1_interval if config.r1 else 1
        lazy_length = config.path_length_interval if config.path_length else 1
        self.add_optimizer(
            "discriminator", _adam(config.learning_rate, lazy_r1), self.discriminator
        )
        self.add_optimizer(
            "generator", _adam(config.learning_rate, lazy_length), self.mapping, self.synthesis
        )
        if config.generator_average_images:
            self.add_averages("generator", config.generator_average_images)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        drawn = {"z": rng.standard_normal((n, self.width), dtype="float32")}
        if self.config.noise_inputs:
            drawn["pixels"] = rng.standard_normal((n, noise_count(self.side)), dtype="float32")
        return drawn

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        drawn = self.noise(rng, n)
        if self.config.mixing:
            drawn["other"] = rng.standard_normal((n, self.width), dtype="float32")
            styles = self.synthesis.styles
            begins = np.where(
                rng.random(n) < self.config.mixing, rng.integers(1, styles, n), styles
            )
            drawn["from_other"] = (np.arange(styles) >= begins[:, None]).astype("float32")
        if self.config.path_length:
            shape = (n, self.side, self.side, self.channels)
            drawn["direction"] = rng.standard_normal(shape, dtype="float32") / self.side
        if self.strength is not None:
            drawn |= draw(rng, n)
        return drawn

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:  # noqa: ARG002
        """Return which penalties a step takes; never both, so that three variants are compiled."""
        r1 = bool(self.config.r1) and step % self.config.r1_interval == 0
        interval = self.config.path_length_interval
        length = bool(self.config.path_length) and step % interval == interval // 2
        return {"penalize_slope": r1, "penalize_length": length and not r1}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        d_loss, logs = minimize("discriminator", self.discriminator_loss, batch)
        told = {"d_loss": d_loss}
        if batch["penalize_slope"]:
            minimize("discriminator", self.slope_loss, batch)
        told["g_loss"], _ = minimize("generator", self.generator_loss, batch)
        if batch["penalize_length"]:
            minimize("generator", self.length_loss, batch)
        if self.strength is not None:
            together = workers()
            (sign,) = together.mean([logs["sign"]])
            self.strength.follow(sign, together.size * ops.shape(batch["z"])[0])
            told["augmentation"] = self.strength.p.value
        return told

    def discriminator_loss(self, batch: dict[str, Any]) -> Any:
        """Return how badly real and generated pictures are told apart; and the sign of scores."""
        real = self._score(self._real(batch), batch, 0)
        fake = self._score(self._fake(batch), batch, 1)
        return self.adversarial.discriminator(real, fake), {"sign": ops.mean(ops.sign(real))}

    def generator_loss(self, batch: dict[str, Any]) -> Any:
        """Return how rarely generated pictures pass as real."""
        label = self._label(batch)
        self.centre.follow(self.mapping(batch["z"], label), label)
        fake = self._score(self._fake(batch), batch, 1)
        if self.adversarial.paired:
            return self.adversarial.generator(self._score(self._real(batch), batch, 0), fake)
        return self.adversarial.generator(fake)

    def slope_loss(self, batch: dict[str, Any]) -> Any:
        """Return the penalty on the discriminator's slope at real pictures, R1."""
        penalty = zero_centred_penalty(lambda x: self._score(x, batch, 0), self._real(batch))
        return self.config.r1 * self.config.r1_interval * penalty

    def length_loss(self, batch: dict[str, Any]) -> Any:
        """Return the penalty on how unevenly pictures change with their styles.

        Karras et al. 2020, equation 4, over every second picture of the batch: the same ones
        however many workers share it.
        """
        pixels = batch["pixels"][::2] if "pixels" in batch else None

        def along(styles: Any) -> Any:
            return ops.sum(self.synthesis(styles, pixels) * batch["direction"][::2])

        slope = genkit.gradient(along, self._styles(batch)[::2])
        slope = ops.cast(slope, "float32")
        lengths = ops.sqrt(ops.mean(ops.sum(ops.square(slope), axis=2), axis=1) + _TINY)
        (mean,) = workers().mean([ops.stop_gradient(ops.mean(lengths))])
        mean = self.mean_length + _FOLLOWING * (mean - self.mean_length)
        self.mean_length.assign(mean)
        weight = self.config.path_length * self.config.path_length_interval
        return weight * ops.mean(ops.square(lengths - mean))

    def _styles(self, batch: dict[str, Any]) -> Any:
        label = self._label(batch)
        w = self.mapping(batch["z"], label)[:, None]
        if "other" not in batch:
            return ops.repeat(w, self.synthesis.styles, axis=1)
        other = self.mapping(batch["other"], label)[:, None]
        share = ops.cast(batch["from_other"], w.dtype)[:, :, None]
        return w + share * (other - w)

    def _fake(self, batch: dict[str, Any]) -> Any:
        return self.synthesis(self._styles(batch), batch.get("pixels"))

    def _real(self, batch: dict[str, Any]) -> Any:
        return rescale(batch[self.generated_field()], self._limits(), RANGE)

    def _score(self, pictures: Any, batch: dict[str, Any], which: int) -> Any:
        """Return the discriminator's scores of real (0) or generated (1) pictures."""
        if self.strength is not None:
            chances, lengths = batch["chances"][:, which], batch["lengths"][:, which]
            p = ops.stop_gradient(ops.convert_to_tensor(self.strength.p))
            pictures = augmented(pictures, chances, lengths, p)
        return self.discriminator(pictures, self._label(batch))

    def _label(self, batch: dict[str, Any]) -> Any:
        return batch[self.schema.name_of("label")] if self.conditional else None


def _class_count(wanted: bool | None, schema: genkit.Schema) -> int:
    """Return how many classes the model learns; 0 for none."""
    labels = [field for field in schema.fields.values() if field.modality == "label"]
    count = len(labels[0].classes) if labels else 0
    if wanted and count < 2:  # noqa: PLR2004
        schema.name_of("label")  # says what is missing
        from genkit.errors import DataError

        raise DataError(
            f"A conditional stylegan2 needs labels of two classes or more; received {count}.",
            "Leave conditional out, or put images into one sub-folder a class.",
        )
    return count if wanted or (wanted is None and count > 1) else 0


def _adam(rate: float, interval: int) -> Any:
    """Return Adam as the paper has it; with ``interval`` above 1 for a penalty taken lazily."""
    share = interval / (interval + 1) if interval > 1 else 1.0
    return keras.optimizers.Adam(rate * share, beta_1=0.0, beta_2=0.99**share, epsilon=1e-8)
