"""The model ``clip``: pictures and captions as vectors, near where they belong together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from PIL import Image

import genkit
from genkit.layers import Conv2D, Dropout, rescale
from genkit_text2image.configs import ClipConfig
from genkit_text2image.picture_networks import picture_shape
from genkit_text2image.prompted import Prompted
from genkit_text2image.source import caption_field
from genkit_text2image.word_network import WordNetwork

_INSIDE = (-1.0, 1.0)
_TINY = 1e-6
_GROUPS = 8  # of channels that are normalised together


class Clip(Prompted, genkit.Model):
    """Learns which captions belong to which pictures (Radford et al. 2021).

    With vectors ``p`` of pictures and ``c`` of their captions, of length 1, and a learned
    temperature ``t``, the loss is the mean of the cross-entropies of ``softmax(p c' / t)`` by row
    and by column. Captions that are alike in a batch are equally right.

    Args:
        config: its settings.
        schema: data of this plugin's data sets.
    """

    config: ClipConfig
    schema: genkit.Schema

    def __init__(self, config: ClipConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.capabilities = ("search",)
        self.image, self.caption = schema.name_of("image"), caption_field(schema)
        shape = picture_shape(schema, config.halvings)
        limits = schema[self.caption].range
        assert limits is not None, "a field with a vocabulary has a range"
        self.picture_network = _picture_network(shape, config)
        words = int(limits[1]) + 1
        self.word_network = WordNetwork(
            words, config.word_dimension, config.dimension, config.dropout
        )
        self.word_network(ops.zeros((1, self.longest), "int32"))  # builds it
        self.temperature = Temperature(config)
        self.temperature.build()
        adam = keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay)
        adam.exclude_from_weight_decay(var_list=[self.temperature.log])
        self.add_optimizer("clip", adam, self.picture_network, self.word_network, self.temperature)

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"moved": rng.random((n, 2), dtype="float32")}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, logs = minimize("clip", self.contrast, batch)
        return {"loss": loss, **logs}

    def validation_step(self, batch: Any) -> dict[str, Any]:
        loss, logs = self._contrast(batch, training=False)
        return {"loss": loss, **logs}

    def contrast(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the loss, how often the nearest caption is right, and the temperature."""
        return self._contrast(batch, training=True)

    def _contrast(self, batch: dict[str, Any], *, training: bool) -> tuple[Any, dict[str, Any]]:
        image, caption = batch[self.image], batch[self.caption]
        if training:
            image = _shifted(image, batch["moved"], self.config.shift)
        temperature = self.temperature.value()
        pictures = self._picture_vectors(image, training=training)
        captions = _unit(self.word_network(caption, training=training))
        scores = ops.matmul(pictures, ops.transpose(captions)) / temperature
        alike = ops.all(caption[:, None] == caption[None], axis=-1)
        right = ops.cast(alike, "float32")
        right = right / ops.sum(right, axis=1, keepdims=True)
        by_row = -ops.mean(ops.sum(right * ops.log_softmax(scores, axis=1), axis=1))
        by_column = -ops.mean(ops.sum(right * ops.log_softmax(scores, axis=0), axis=0))
        nearest = ops.argmax(scores, axis=1)
        hits = ops.take_along_axis(ops.cast(alike, "float32"), nearest[:, None], axis=1)
        told = {"accuracy": ops.mean(hits), "temperature": temperature}
        return (by_row + by_column) / 2, told

    def picture_vectors(self, image: Any) -> Any:
        """Return the vectors of pictures in the data's range, of length 1; tensors in and out."""
        return self._picture_vectors(image, training=False)

    def caption_vectors(self, caption: Any) -> Any:
        """Return the vectors of captions, int32 ``(batch, longest)``, of length 1."""
        return _unit(self.word_network(caption, training=False))

    def _picture_vectors(self, image: Any, *, training: bool) -> Any:
        limits = self.schema[self.image].range
        assert limits is not None, "picture_shape() checked it"
        return _unit(self.picture_network(rescale(image, limits, _INSIDE), training=training))

    def see(self, pictures: np.ndarray) -> np.ndarray:
        """Return the vectors of pictures, float32 ``(n, dimension)``.

        Args:
            pictures: ``(n, height, width, channels)`` in the data's range; those of another size
                are resized.
        """
        side = self.schema[self.image].shape[0]
        if pictures.shape[1] != side:
            pictures = _resized(pictures, int(side or 0))
        return self.map_items("picture_vectors", image=pictures)

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vectors of captions, float32 ``(n, dimension)``.

        Raises:
            UsageError: a text without a word that is known.
        """
        return self.map_items("caption_vectors", caption=self.encode_condition("prompt", texts))

    def similarity(self, pictures: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Return how near each picture is to its text: cosines, shape ``(n,)``."""
        return np.sum(self.see(pictures) * self.read(texts), axis=1)

    def search(self, text: str, pictures: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Find the pictures that are nearest to a text.

        Args:
            text: with a word that is known.
            pictures: ``(many, height, width, channels)`` in the data's range.
            n: how many.

        Returns:
            their rows, nearest first, and their cosines.
        """
        nearness = self.see(pictures) @ self.read([text])[0]
        rows = np.argsort(-nearness, kind="stable")[:n]
        return rows, nearness[rows]


class Temperature(layers.Layer):
    """The learned temperature; its logarithm is what is learned."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__(dtype="float32")
        self.first, self.least = config.temperature, config.least_temperature

    def build(self, shape: Any = None) -> None:  # noqa: ARG002 - it has none
        start = keras.initializers.Constant(math.log(self.first))
        self.log = self.add_weight((), start, name="log")
        self.built = True

    def value(self) -> Any:
        """Return the temperature, a scalar."""
        return ops.maximum(ops.exp(ops.convert_to_tensor(self.log)), self.least)


def _picture_network(shape: tuple[int, int, int], config: ClipConfig) -> Any:
    """Build the way from pictures in [-1, 1] to vectors."""
    x = image = keras.Input(shape)
    for number in range(config.halvings):
        channels = config.width * min(4, 2**number)
        x = Conv2D(channels, 3, strides=2, padding="same")(x)
        x = layers.GroupNormalization(math.gcd(_GROUPS, channels))(x)
        x = layers.Activation("silu")(x)
    x = Dropout(config.dropout)(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(config.dimension, dtype="float32")(x), name="pictures")


def _shifted(image: Any, moved: Any, share: float) -> Any:
    """Shift each picture by some pixels, edges repeated: by gathering rows, then columns."""
    for axis in (1, 2):
        side = image.shape[axis]
        most = round(share * side)
        if not most:
            continue
        by = ops.cast(ops.floor(moved[:, axis - 1] * (2 * most + 1)), "int32") - most
        places = ops.clip(ops.arange(side, dtype="int32")[None] + by[:, None], 0, side - 1)
        places = places[:, :, None, None] if axis == 1 else places[:, None, :, None]
        image = ops.take_along_axis(image, places, axis=axis)
    return image


def _unit(vectors: Any) -> Any:
    """Return vectors of length 1."""
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(squares + _TINY)


def _resized(pictures: np.ndarray, side: int) -> np.ndarray:
    """Return pictures of another size, each channel by itself, float32."""
    return np.stack(
        [
            np.stack([_resized_plane(plane, side) for plane in np.moveaxis(picture, -1, 0)], -1)
            for picture in pictures
        ]
    )


def _resized_plane(plane: np.ndarray, side: int) -> np.ndarray:
    image = Image.fromarray(np.asarray(plane, np.float32))
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))
