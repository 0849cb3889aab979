"""Pictures with captions, and a model that makes both at once."""

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit.data import ColumnSource, Ragged, vocabulary_of, with_vocabulary
from genkit.errors import DataError

WORDS = ("very", "bright", "dim", "top", "bottom", "left", "right")
SIZE, LONGEST = 6, 4


def open_postcards(config):
    """Open the cards: a square of light in a corner, and in words how bright it is, and where."""
    cards = np.random.default_rng(0).permutation(1024)[config.split == "test" :: 5][: config.limit]
    grey, row, column = np.unravel_index(cards, (256, 2, 2))
    pictures = np.zeros((len(cards), SIZE, SIZE, 1), "uint8")
    for picture, light, down, right in zip(pictures, grey, row * 3, column * 3, strict=True):
        picture[down : down + 3, right : right + 3] = light
    captions = [
        [*([0] if abs(light - 128) > 64 else []), 1 if light > 128 else 2, 3 + down, 5 + right]
        for light, down, right in zip(grey, row, column, strict=True)
    ]
    field, assets = with_vocabulary("caption", genkit.Field((None,), "int32", "text"), WORDS)
    picture = genkit.Field((SIZE, SIZE, 1), "uint8", "image", (0, 255))
    schema = genkit.Schema({"picture": picture, "caption": field})
    columns = {"picture": pictures, "caption": Ragged.of(captions, "int32")}
    return ColumnSource(columns, schema, assets)


class Collage(genkit.Model):
    """An autoencoder of both, whose latents are made noisy."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.picture, self.caption = schema.name_of("image"), schema.name_of("text")
        field = schema[self.caption]
        if schema[self.picture].shape != (SIZE, SIZE, 1) or not field.vocabulary:
            raise DataError(f"Expected postcards of {SIZE}x{SIZE} with words; received {schema}.")
        self.size = SIZE * SIZE
        each = len(WORDS) + 1  # the last stands for no word
        self.encoder = keras.Sequential(
            [keras.Input((self.size + LONGEST * each,)), layers.Dense(config.width, "tanh")]
        )
        self.pixels = keras.Sequential(
            [keras.Input((config.width,)), layers.Dense(self.size, "sigmoid")]
        )
        self.words = keras.Sequential(
            [keras.Input((config.width,)), layers.Dense(LONGEST * each),
             layers.Reshape((LONGEST, each))]
        )  # fmt: skip
        parts = (self.encoder, self.pixels, self.words)
        self.add_optimizer("network", keras.optimizers.Adam(0.02), *parts)

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, self.config.width), dtype="float32")}

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.error, batch)[0]}

    def error(self, batch):
        """Return the error of pixels and the cross-entropy of words, summed."""
        pixels = ops.reshape(ops.cast(batch[self.picture], "float32") / 255, (-1, self.size))
        text = batch[self.caption][:, :LONGEST]
        there = ops.arange(LONGEST) < ops.expand_dims(batch[f"{self.caption}_length"], 1)
        text = ops.expand_dims(ops.where(there, text, len(WORDS)), 2)
        words = ops.cast(ops.equal(text, ops.arange(len(WORDS) + 1)), "float32")
        flat = ops.reshape(words, (-1, LONGEST * (len(WORDS) + 1)))
        latent = self.encoder(ops.concatenate([pixels, flat], 1)) + 0.1 * batch["z"]
        chances = ops.log_softmax(self.words(latent))
        square = ops.sum(ops.square(self.pixels(latent) - pixels), 1)
        return ops.mean(square - ops.sum(words * chances, (1, 2)))

    def decode(self, z):
        latent = ops.tanh(z)
        caption = ops.cast(ops.argmax(self.words(latent), -1), "int32")
        length = ops.sum(ops.cumprod(ops.cast(caption < len(WORDS), "int32"), 1), 1)
        return {
            self.picture: 255 * ops.reshape(self.pixels(latent), (-1, SIZE, SIZE, 1)),
            self.caption: ops.minimum(caption, len(WORDS) - 1),
            f"{self.caption}_length": length,
        }

    def present(self, items):
        words = vocabulary_of(self.schema, self.caption, self.assets)
        texts = [" ".join(words[number] for number in each) for each in items[self.caption]]
        return {**items, self.caption: np.array(texts, object)}
