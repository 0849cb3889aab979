"""Modalities: how networks see a field, what encodes and decodes it, and how likely its values are.

A model, or whoever derives one, brings its own by adding to ``MODALITIES``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from genkit.errors import DataError, UsageError
from genkit.layers import Conv2D, Conv2DTranspose, one_hot, rescale
from genkit.losses import bernoulli_nll, gaussian_nll

if TYPE_CHECKING:
    import genkit
    from genkit_multimodal.configs import MultimodalConfig

UNIT = (0.0, 1.0)
_HALVED = 4  # sides that convolutions halve twice


class Modality:
    """A field of the data in a model.

    A subclass defines how its values reach networks and come back, the two networks, and the
    log-likelihood.

    Args:
        name: of the field.
        field: what its items are: of one size.
        config: the model's settings.

    Attributes:
        values: how many numbers an item of the field is.
        size: how many it is for networks.

    Raises:
        DataError: items that it can't take.
    """

    def __init__(self, name: str, field: genkit.Field, config: MultimodalConfig) -> None:
        if None in field.shape:
            raise DataError(
                f"Expected items of one size; {name} varies: {field.shape}.",
                "Bring them to one size: --data transforms=..., see genkit info DATASET",
            )
        self.name, self.field, self.config = name, field, config
        self.values = self.size = math.prod(int(each or 1) for each in field.shape)

    def to_network(self, items: Any) -> Any:
        """Return values of the field, ``(batch, *shape)``, as float32 for networks."""
        raise NotImplementedError

    def from_network(self, outputs: Any) -> Any:
        """Return what a decoder has made as the likeliest values of the field."""
        raise NotImplementedError

    def encoder(self) -> keras.Sequential:
        """Build the network from what ``to_network`` returns to features, ``(batch, n)``."""
        raise NotImplementedError

    def decoder(self) -> keras.Sequential:
        """Build the network from latents to parameters of the distribution of values."""
        raise NotImplementedError

    def nll(self, x: Any, outputs: Any) -> Any:
        """Return ``-log p(x | z)`` of each item in nats, ``(batch,)``.

        Args:
            x: what ``to_network`` returns.
            outputs: of the decoder.
        """
        raise NotImplementedError

    def dense(self, units: int | None = None) -> Any:
        """Return a layer of so many units, ``hidden`` by default, with the usual activation."""
        return layers.Dense(units or self.config.hidden, activation=self.config.activation)


class Array(Modality):
    """Numbers of any shape: dense networks; ``gaussian`` unless a likelihood is chosen."""

    usual = "gaussian"

    def __init__(self, name: str, field: genkit.Field, config: MultimodalConfig) -> None:
        super().__init__(name, field, config)
        chosen = dict(each.split("=", 1) for each in config.likelihood)
        self.likelihood = chosen.get(name, self.usual)
        if not field.computable or (self.likelihood == "bernoulli" and field.range is None):
            raise DataError(
                f"Expected numbers in {name}, with a range for bernoulli; received {field}."
            )
        self.limits = field.range or UNIT

    def to_network(self, items: Any) -> Any:
        return rescale(ops.cast(items, "float32"), self.limits, UNIT)

    def from_network(self, outputs: Any) -> Any:
        mean = ops.sigmoid(outputs) if self.likelihood == "bernoulli" else outputs
        if self.field.range is not None:
            mean = ops.clip(mean, *UNIT)
        return rescale(mean, UNIT, self.limits)

    def encoder(self) -> keras.Sequential:
        shape = tuple(int(each or 1) for each in self.field.shape)
        hidden = [self.dense() for _ in range(self.config.dense_layers)]
        flat = layers.Flatten() if shape else layers.Reshape((1,))
        return keras.Sequential([keras.Input(shape), flat, *hidden])

    def decoder(self) -> keras.Sequential:
        hidden = [self.dense() for _ in range(self.config.dense_layers)]
        outputs = [layers.Dense(self.size, dtype="float32"), layers.Reshape(self.field.shape)]
        return keras.Sequential([keras.Input((self.config.latent_dim,)), *hidden, *outputs])

    def nll(self, x: Any, outputs: Any) -> Any:
        x, outputs = (ops.reshape(each, (-1, self.size)) for each in (x, outputs))
        if self.likelihood == "bernoulli":
            return bernoulli_nll(x, outputs)
        if self.likelihood == "gaussian":
            return gaussian_nll(x, outputs, self.config.scale)
        return laplace_nll(x, outputs, self.config.scale)


class Picture(Array):
    """Pictures, and what else has two sides and channels: ``bernoulli`` as a rule.

    Raises:
        DataError: no range, or another shape than ``(height, width, channels)``.
    """

    usual = "bernoulli"

    def __init__(self, name: str, field: genkit.Field, config: MultimodalConfig) -> None:
        super().__init__(name, field, config)
        if len(field.shape) != 3 or field.range is None:  # noqa: PLR2004
            raise DataError(
                f"Expected {name} as (height, width, channels) with a range; received {field}."
            )
        self.sides = tuple(int(each or 1) for each in field.shape)
        halved = all(side % _HALVED == 0 for side in self.sides[:2])
        self.convolutional = halved and config.networks == "convolutional"

    def encoder(self) -> keras.Sequential:
        if not self.convolutional:
            return super().encoder()
        width, activation = self.config.width, self.config.activation
        return keras.Sequential(
            [
                keras.Input(self.sides),
                Conv2D(width, 3, strides=2, padding="same", activation=activation),
                Conv2D(2 * width, 3, strides=2, padding="same", activation=activation),
                layers.Flatten(),
                self.dense(),
            ]
        )

    def decoder(self) -> keras.Sequential:
        if not self.convolutional:
            return super().decoder()
        height, width, channels = self.sides
        small = (height // _HALVED, width // _HALVED, 2 * self.config.width)
        shared: dict[str, Any] = {"padding": "same", "activation": self.config.activation}
        return keras.Sequential(
            [
                keras.Input((self.config.latent_dim,)),
                self.dense(),
                self.dense(math.prod(small)),
                layers.Reshape(small),
                Conv2DTranspose(2 * self.config.width, 3, strides=2, **shared),
                Conv2DTranspose(self.config.width, 3, strides=2, **shared),
                Conv2D(channels, 3, padding="same", dtype="float32"),
            ]
        )


class Label(Modality):
    """Classes: a categorical distribution, dense networks.

    Raises:
        DataError: classes without names, or more than one an item.
    """

    def __init__(self, name: str, field: genkit.Field, config: MultimodalConfig) -> None:
        super().__init__(name, field, config)
        if field.shape or not field.classes:
            raise DataError(
                f"Expected {name} as one class an item, of known names; received {field}."
            )
        self.size = len(field.classes)

    def to_network(self, items: Any) -> Any:
        return one_hot(items, self.size)

    def from_network(self, outputs: Any) -> Any:
        return ops.cast(ops.argmax(outputs, axis=-1), "int32")

    def encoder(self) -> keras.Sequential:
        hidden = [self.dense() for _ in range(self.config.dense_layers)]
        return keras.Sequential([keras.Input((self.size,)), *hidden])

    def decoder(self) -> keras.Sequential:
        hidden = [self.dense() for _ in range(self.config.dense_layers)]
        logits = layers.Dense(self.size, dtype="float32")
        return keras.Sequential([keras.Input((self.config.latent_dim,)), *hidden, logits])

    def nll(self, x: Any, outputs: Any) -> Any:
        return ops.logsumexp(outputs, axis=-1) - ops.sum(x * outputs, axis=-1)


MODALITIES: Mapping[str, type[Modality]] = {
    "image": Picture,
    "spectrogram": Picture,
    "label": Label,
    "vector": Array,
    "number": Array,
    "array": Array,
}
"""What stands for a field of each modality."""


def laplace_nll(x: Any, mean: Any, scale: float) -> Any:
    """Return ``-log p(x)`` under independent Laplace variables, summed over all but the batch."""
    return ops.sum(ops.abs(x - mean) / scale + math.log(2 * scale), axis=-1)


def modalities_of(
    schema: genkit.Schema, config: MultimodalConfig, kinds: Mapping[str, type[Modality]]
) -> dict[str, Modality]:
    """Return the modalities of some data by field.

    Raises:
        DataError: fewer than two fields that a model can take, or one of another form.
        UsageError: settings of a field that isn't there.
    """
    found = {
        name: kinds[field.modality](name, field, config)
        for name, field in schema.fields.items()
        if field.modality in kinds
    }
    if len(found) < 2:  # noqa: PLR2004
        had = ", ".join(f"{n} ({f.modality})" for n, f in schema.fields.items())
        raise DataError(
            f"Expected data of two modalities or more, of {', '.join(kinds)}; received {had}.",
            "Join two data sets: --dataset paired --data sets='mnist fsdd'",
        )
    for each in (*config.likelihood, *config.weight):
        if each.partition("=")[0] not in found:
            raise UsageError(
                f"Expected settings of the fields {', '.join(found)}; received {each!r}."
            )
    return found


def weights_of(modalities: Mapping[str, Modality], config: MultimodalConfig) -> dict[str, float]:
    """Return what each field's log-likelihood is multiplied by."""
    chosen = {name: float(value) for name, _, value in (w.partition("=") for w in config.weight)}
    largest = max(each.size for each in modalities.values())
    return {
        name: chosen.get(name, largest / each.size if config.rescale else 1.0)
        for name, each in modalities.items()
    }
