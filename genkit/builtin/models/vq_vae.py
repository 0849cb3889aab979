"""Vector-quantised variational autoencoder (van den Oord et al. 2017), with a learned prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from genkit.builtin.models.code_prior import CodePrior
from genkit.builtin.models.images import image_shape
from genkit.engine import loop, workers
from genkit.layers import Conv2D, Conv2DTranspose, VectorQuantizer, one_hot, rescale
from genkit.models.autoencoder import Autoencoder

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from genkit.builtin.models.vq_vae_configs import VQVAEConfig
    from genkit.plugins.specs import Schema

UNIT = (0.0, 1.0)


class VQVAE(Autoencoder):
    """An autoencoder whose latent is a grid of codes, and a prior that draws such grids.

    van den Oord et al. 2017, "Neural Discrete Representation Learning", equation 3, whose second
    term moving averages replace (appendix A.1; see ``genkit.layers.VectorQuantizer``). With the
    encoder's output ``z``, its nearest vectors ``e`` in the codebook, and the decoder ``D``,

        loss = mean (x - D(e))^2 / data_variance + commitment_weight * mean (z - stop(e))^2

    The prior is a causal transformer over the codes, row by row, trained in the same step to
    minimise ``-log p(codes)``; it moves nothing but itself. Its cost grows with the square of the
    number of codes, height * width / 16: it is made for images of up to about 64 pixels a side.

    Args:
        config: see ``genkit info vq-vae``.
        schema: data with an image field whose height and width are multiples of 4.
    """

    config: VQVAEConfig
    schema: Schema

    def __init__(self, config: VQVAEConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        shape = image_shape(schema, type(self).__name__, multiple_of=4)
        self.grid = (shape[0] // 4, shape[1] // 4)
        self.positions = self.grid[0] * self.grid[1]
        self.encoder = build_encoder(shape, config)
        self.quantizer = VectorQuantizer(
            config.codebook_size, config.decay, revival_threshold=config.revival_threshold
        )
        self.quantizer.build((None, *self.grid, config.latent_dim))
        self.decoder = build_decoder(shape, config)
        self.prior = CodePrior(
            self.positions, config.codebook_size, config.prior_width, config.prior_layers
        )
        self.add_optimizer(
            "autoencoder", keras.optimizers.Adam(config.learning_rate), self.encoder, self.decoder
        )
        self.add_optimizer("prior", keras.optimizers.Adam(config.prior_learning_rate), self.prior)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        # argmax(logits + Gumbel noise) is a draw from softmax(logits): Maddison et al. 2014.
        shape = (n, self.positions, self.config.codebook_size)
        return {"gumbel": rng.gumbel(size=shape).astype("float32")}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"lottery": rng.random((n, *self.grid), dtype="float32")}

    def loss(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the autoencoder's loss, its two terms, and how evenly codes are used.

        The perplexity is the exponential of the entropy of the codes' frequencies in the batch:
        1 if all are the same, ``codebook_size`` if all are equally frequent.
        """
        image = self._to_unit(batch[self.schema.name_of("image")])
        encoded = self.encoder(image)
        quantized, codes = self.quantizer(encoded, batch["lottery"], training=True)
        error = ops.mean(ops.square(image - self.decoder(quantized)))
        reconstruction_loss = error / self.config.data_variance
        commitment_loss = ops.mean(ops.square(encoded - ops.stop_gradient(quantized)))
        loss = reconstruction_loss + self.config.commitment_weight * commitment_loss
        return loss, {
            "reconstruction_loss": reconstruction_loss,
            "commitment_loss": commitment_loss,
            "perplexity": perplexity(codes, self.config.codebook_size),
        }

    def prior_loss(self, codes: Any) -> Any:
        """Return ``-log p(codes)``, in nats per image, for int32 ``(batch, height, width)``."""
        codes = ops.reshape(codes, (-1, self.positions))
        # Not Keras' cross-entropy: on PyTorch it looks at values, see `one_hot`.
        log_probabilities = ops.log_softmax(self.prior(codes), axis=-1)
        taken = one_hot(codes, self.config.codebook_size)
        return -ops.mean(ops.sum(log_probabilities * taken, axis=(1, 2)))

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        # The encoder runs once: engines see that the loss begins with the same computation.
        codes = self.to_latent(batch[self.schema.name_of("image")])
        loss, logs = minimize("autoencoder", self.loss, batch)
        prior_loss, _ = minimize("prior", self.prior_loss, codes)
        return {"loss": loss, **logs, "prior_loss": prior_loss}

    def decode(self, gumbel: Any) -> Any:
        return self.from_latent(self.draw_codes(gumbel))

    def draw_codes(self, gumbel: Any) -> Any:
        """Draw codes from the prior: int32 ``(batch, height, width)``.

        Each round draws all codes anew, each from those before it, so after ``i`` rounds the first
        ``i`` are final. A round that changes nothing is the last: on MNIST some 20 of 49 (Song et
        al. 2021, "Accelerating Feedforward Computation via Parallel Nonlinear Equation Solving").

        Args:
            gumbel: standard Gumbel noise, ``(batch, positions, codebook_size)``.
        """

        def draw(_: Any, state: Any) -> tuple[Any, Any]:
            codes, _ = state
            drawn = ops.cast(ops.argmax(self.prior(codes) + gumbel, axis=-1), "int32")
            return drawn, ops.any(drawn != codes)

        start = ops.zeros(gumbel.shape[:2], "int32"), ops.convert_to_tensor(True)
        codes, _ = loop(draw, start, self.positions, until=lambda state: ops.logical_not(state[1]))
        return ops.reshape(codes, (-1, *self.grid))

    def to_latent(self, items: Any, label: Any = None) -> Any:  # noqa: ARG002
        return self.quantizer.encode(self.encoder(self._to_unit(items)))

    def from_latent(self, latent: Any, label: Any = None) -> Any:  # noqa: ARG002
        outputs = self.decoder(self.quantizer.decode(latent))
        return rescale(ops.clip(outputs, *UNIT), UNIT, self._data_range())

    def _to_unit(self, image: Any) -> Any:
        return rescale(image, self._data_range(), UNIT)

    def _data_range(self) -> tuple[float, float]:
        limits = self.schema[self.schema.name_of("image")].range
        assert limits is not None, "image_shape() checked it"
        return limits


def perplexity(codes: Any, codebook_size: int) -> Any:
    """Return the exponential of the entropy of the codes' frequencies, a scalar."""
    own = ops.mean(one_hot(ops.reshape(codes, (-1,)), codebook_size), axis=0)
    (frequencies,) = workers().mean([own])
    tiny = 1e-10  # 0 log 0 is 0
    return ops.exp(-ops.sum(frequencies * ops.log(frequencies + tiny)))


def build_encoder(shape: tuple[int, int, int], config: VQVAEConfig) -> Any:
    """Build the encoder: images in [0, 1] to ``(batch, height / 4, width / 4, latent_dim)``."""
    wide = 2 * config.width
    image = keras.Input(shape)
    x = Conv2D(config.width, 4, strides=2, padding="same", activation="relu")(image)
    x = Conv2D(wide, 4, strides=2, padding="same")(x)  # (height / 4, width / 4, 2w)
    x = residual_stack(x, config)
    outputs = Conv2D(config.latent_dim, 1, dtype="float32")(x)
    return keras.Model(image, outputs, name="encoder")


def build_decoder(shape: tuple[int, int, int], config: VQVAEConfig) -> Any:
    """Build the decoder: the encoder's output, quantised, to images in [0, 1]."""
    height, width, channels = shape
    wide = 2 * config.width
    latent = keras.Input((height // 4, width // 4, config.latent_dim))
    x = Conv2D(wide, 3, padding="same")(latent)
    x = residual_stack(x, config)
    x = Conv2DTranspose(config.width, 4, strides=2, padding="same", activation="relu")(x)
    outputs = Conv2DTranspose(channels, 4, strides=2, padding="same", dtype="float32")(x)
    return keras.Model(latent, outputs, name="decoder")


def residual_stack(x: Any, config: VQVAEConfig) -> Any:
    """Add residual blocks, section 4.1 of the paper: ReLU, 3x3, ReLU, 1x1; then a ReLU."""
    for _ in range(config.residual_blocks):
        h = layers.ReLU()(x)
        h = Conv2D(config.width, 3, padding="same", activation="relu")(h)
        x = layers.Add()([x, Conv2D(2 * config.width, 1)(h)])
    return layers.ReLU()(x)
