"""Stage one of ``dalle``: pictures as grids of codes, and codes as pictures."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import layers, ops

import genkit
from genkit.engine import workers
from genkit.layers import VectorQuantizer, one_hot, rescale
from genkit_text2image.configs import DalleConfig
from genkit_text2image.picture_networks import build_decoder, build_encoder, picture_shape

UNIT = (0.0, 1.0)
_USUAL_VARIANCE = 0.1  # of pictures in [0, 1]: errors are told as shares of it
_TINY = 1e-10  # 0 log 0 is 0


class PictureCodes:
    """A discrete autoencoder of pictures.

    With ``quantizer`` ``vq`` a vector of the encoder becomes the nearest one of a codebook that
    follows the data (van den Oord et al. 2017). With ``gumbel`` the encoder gives scores of all
    codes, of which one is drawn, softly at first (Ramesh et al. 2021, section 2.1; Jang et al.
    2017): with temperature ``t`` and Gumbel noise ``g`` a place has the vector
    ``softmax((scores + g) / t) @ codebook``, and

        loss = mean (x - D(.))^2 / 0.1 + kl_weight * KL(softmax(scores) || uniform).

    Args:
        config: of the model.
        schema: of the data.

    Attributes:
        grid: rows and columns of codes.
        networks: all that has weights.
    """

    def __init__(self, config: DalleConfig, schema: genkit.Schema) -> None:
        shape = picture_shape(schema, config.halvings)
        self.config, self.limits = config, schema[schema.name_of("image")].range
        self.grid = (shape[0] >> config.halvings, shape[1] >> config.halvings)
        self.soft = config.quantizer == "gumbel"
        sizes = (config.picture_width, config.halvings, config.residual_blocks)
        outputs = config.codebook_size if self.soft else config.code_dim
        self.encoder = build_encoder(shape, *sizes, outputs)
        self.decoder = build_decoder(shape, *sizes, config.code_dim)
        self.quantizer: Any = (
            GumbelQuantizer(config.codebook_size, config.code_dim)
            if self.soft
            else VectorQuantizer(config.codebook_size, revival_threshold=config.revival_threshold)
        )
        self.quantizer.build((None, *self.grid, outputs))
        self.networks = (self.encoder, self.decoder, self.quantizer)

    @property
    def count(self) -> int:
        """How many codes a picture has."""
        return self.grid[0] * self.grid[1]

    def noise_shape(self, n: int) -> tuple[int, ...]:
        """Return the shape of the uniform noise of ``n`` pictures in stage one."""
        return (n, *self.grid, self.config.codebook_size) if self.soft else (n, *self.grid)

    def temperature(self, done: float) -> float:
        """Return how soft codes are when this share of stage one is done: a cosine from 1 down."""
        last = self.config.final_temperature
        return last + (1 - last) * (1 + math.cos(math.pi * min(1.0, done))) / 2

    def loss(self, images: Any, noise: Any, temperature: Any) -> tuple[Any, dict[str, Any]]:
        """Return the loss of stage one, its parts, and how the codes are used.

        Args:
            images: in the data's range.
            noise: uniform, of ``noise_shape``.
            temperature: of soft codes, a scalar.
        """
        images = self.to_unit(images)
        encoded = self.encoder(images)
        if self.soft:
            gumbel = -ops.log(-ops.log(noise + _TINY) + _TINY)
            quantized, codes = self.quantizer(encoded, gumbel, temperature)
            held, told = self._divergence(encoded), {}
            weight = self.config.kl_weight
        else:
            quantized, codes = self.quantizer(encoded, noise, training=True)
            held = ops.mean(ops.square(encoded - ops.stop_gradient(quantized)))
            weight = self.config.commitment_weight
            # What begins anew in a step has a count of exactly 1.
            revived = ops.sum(ops.cast(self.quantizer.counts == 1.0, "float32"))
            told = {"revived_codes": revived}
        error = ops.mean(ops.square(images - self.decoder(quantized))) / _USUAL_VARIANCE
        return error + weight * held, {"picture_error": error, **told, **self._usage(codes)}

    def codes_of(self, images: Any) -> Any:
        """Return the codes of pictures in the data's range, int32 ``(batch, rows * columns)``."""
        codes = self.quantizer.encode(self.encoder(self.to_unit(images)))
        return ops.reshape(codes, (-1, self.count))

    def pictures_of(self, codes: Any) -> Any:
        """Return the pictures of codes, in the data's range."""
        grid = ops.reshape(codes, (-1, *self.grid))
        return self.from_unit(self.decoder(self.quantizer.decode(grid)))

    def to_unit(self, images: Any) -> Any:
        """Return pictures in [0, 1]."""
        return rescale(images, self.limits, UNIT)

    def from_unit(self, images: Any) -> Any:
        """Return pictures in the data's range."""
        return rescale(ops.clip(images, *UNIT), UNIT, self.limits)

    def _divergence(self, scores: Any) -> Any:
        """Return the mean divergence of a place's chances from equal ones, in nats."""
        logs = ops.log_softmax(scores, axis=-1)
        return ops.mean(ops.sum(ops.exp(logs) * logs, axis=-1)) + math.log(scores.shape[-1])

    def _usage(self, codes: Any) -> dict[str, Any]:
        """Return how many codes the batch has, and the exponential of their entropy."""
        own = ops.mean(one_hot(ops.reshape(codes, (-1,)), self.config.codebook_size), axis=0)
        (shares,) = workers().mean([own])
        entropy = -ops.sum(shares * ops.log(shares + _TINY))
        used = ops.sum(ops.cast(shares > 0, "float32"))
        return {"used_codes": used, "perplexity": ops.exp(entropy)}


class GumbelQuantizer(layers.Layer):
    """A codebook from which codes are drawn by their scores (Jang et al. 2017).

    Args:
        size: how many codes there are.
        dimension: of their vectors.
    """

    def __init__(self, size: int, dimension: int) -> None:
        super().__init__(dtype="float32")
        self.size, self.dimension = size, dimension

    def build(self, shape: Any = None) -> None:  # noqa: ARG002 - it is always the same
        start = keras.initializers.RandomNormal(0.0, 1.0)
        self.codebook = self.add_weight((self.size, self.dimension), start, name="codebook")
        self.built = True

    def call(self, scores: Any, gumbel: Any, temperature: Any) -> tuple[Any, Any]:
        """Return soft vectors of scores ``(..., size)``, and the codes that weigh most in them."""
        noisy = scores + gumbel
        weights = ops.softmax(noisy / temperature, axis=-1)
        codes = ops.cast(ops.argmax(noisy, axis=-1), "int32")
        return ops.matmul(weights, ops.convert_to_tensor(self.codebook)), codes

    def encode(self, scores: Any) -> Any:
        """Return the likeliest codes of scores ``(..., size)``: int32 ``(...)``."""
        return ops.cast(ops.argmax(scores, axis=-1), "int32")

    def decode(self, codes: Any) -> Any:
        """Return the vectors of codes ``(...)``: ``(..., dimension)``."""
        return ops.take(ops.convert_to_tensor(self.codebook), codes, axis=0)
