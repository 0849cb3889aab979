"""TensorFlow by hand: raw variables and ops, fused kernels, one ``tf.function`` a step."""

from __future__ import annotations

import abc

import numpy as np
import tensorflow as tf

from tests.benchmarks.native.interface import Native
from tests.benchmarks.native.start import (
    ADAM,
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM_OF_TWO,
    LEAKY_SLOPE,
    PENALTY,
    Adam,
    layer_weights,
    refuse_unknown,
)

STATISTICS = ("moving_mean", "moving_variance")

Tensors = dict[str, tf.Tensor]
Layer = dict[str, tf.Variable]


def make(
    case: str,
    precision: str,
    variant: str,
    weights: dict[str, np.ndarray],
    *,
    dropout: float = 0.3,
) -> Native:
    """Make the baseline of a case.

    Args:
        case: a key of ``ADAM``.
        precision: ``float32``, or ``bfloat16`` for mixed precision.
        variant: one of ``variants("tensorflow", case)``.
        weights: initial weights of the GenKit model by structure key.
        dropout: rate in the discriminator of ``dcgan``.
    """
    refuse_unknown("tensorflow", case, variant)
    kinds = {"vae": _VAE, "mlp-gan": _MLPGAN, "wgan-gp": _WGANGP}
    return kinds.get(case, _GAN)(
        weights,
        ADAM[case],
        tf.as_dtype(precision),
        xla=variant == "function xla",
        dropout=0.0 if case == "wgan-gp" else dropout,
    )


class _Baseline(abc.ABC):
    """What all cases share: variables, compiled functions, and layers.

    Args:
        weights: initial weights of the GenKit model by structure key.
        adam: settings of the optimizer.
        dtype: what the layers compute in, but for each network's last.
        xla: whether XLA compiles.
        dropout: rate in the discriminator.
    """

    networks: tuple[str, str]

    def __init__(
        self,
        weights: dict[str, np.ndarray],
        adam: Adam,
        dtype: tf.DType,
        *,
        xla: bool,
        dropout: float,
    ) -> None:
        self.dtype = dtype
        self.dropout = dropout
        self.layers = {
            network: [
                {name: tf.Variable(array, name=name) for name, array in layer.items()}
                for layer in layer_weights(weights, network)
            ]
            for network in self.networks
        }
        self.add_optimizers(adam)
        self._step = tf.function(self.update, jit_compile=xla, autograph=False)
        self._images = tf.function(self.images, jit_compile=xla, autograph=False)

    def step(self, batch: dict[str, np.ndarray]) -> Tensors:
        return self._step(batch)

    def decode(self, z: np.ndarray) -> np.ndarray:
        return self._images(z).numpy()

    def synchronize(self) -> None:
        tf.test.experimental.sync_devices()

    def trained(self, network: str) -> list[tf.Variable]:
        """List what an optimizer updates in a network."""
        return [
            variable
            for layer in self.layers[network]
            for name, variable in layer.items()
            if name not in STATISTICS
        ]

    @abc.abstractmethod
    def add_optimizers(self, adam: Adam) -> None:
        """Make the optimizers of the networks."""

    @abc.abstractmethod
    def update(self, batch: Tensors) -> Tensors:
        """Do one step and give the losses."""

    @abc.abstractmethod
    def images(self, z: tf.Tensor) -> tf.Tensor:
        """Return images in [0, 255]."""

    def dense(self, x: tf.Tensor, layer: Layer, dtype: tf.DType | None = None) -> tf.Tensor:
        dtype = dtype or self.dtype
        return _add_bias(tf.cast(x, dtype) @ tf.cast(layer["kernel"], dtype), layer)

    def conv(
        self, x: tf.Tensor, layer: Layer, stride: int = 1, dtype: tf.DType | None = None
    ) -> tf.Tensor:
        dtype = dtype or self.dtype
        kernel = tf.cast(layer["kernel"], dtype)
        return _add_bias(tf.nn.conv2d(tf.cast(x, dtype), kernel, stride, "SAME"), layer)

    def upsample(self, x: tf.Tensor, layer: Layer) -> tf.Tensor:
        """Transposed convolution with stride 2."""
        x, kernel = tf.cast(x, self.dtype), tf.cast(layer["kernel"], self.dtype)
        height, width, filters = 2 * x.shape[1], 2 * x.shape[2], kernel.shape[2]
        shape = (x.shape[0], height, width, filters)
        return _add_bias(tf.nn.conv2d_transpose(x, kernel, shape, 2), layer)


class _GAN(_Baseline):
    """Goodfellow et al. 2014, non-saturating: the discriminator's update, then the generator's."""

    networks = ("generator", "discriminator")

    def add_optimizers(self, adam: Adam) -> None:
        self.generator_optimizer = _Optimizer(adam, self.trained("generator"))
        self.discriminator_optimizer = _Optimizer(adam, self.trained("discriminator"))

    def update(self, batch: Tensors) -> Tensors:
        batch = {**batch, "image": tf.cast(batch["image"], tf.float32) * (2 / 255) - 1}
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.generator_optimizer.variables)
            fake = self.generate(batch["z"], training=True)
            with tape.stop_recording():
                d_loss = self.update_discriminator(fake, batch)
            g_loss = self.generator_loss(fake)
        self.generator_optimizer.update(tape, g_loss)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def update_discriminator(self, fake: tf.Tensor, batch: Tensors) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.discriminator_optimizer.variables)
            loss = self.discriminator_loss(fake, batch)
        self.discriminator_optimizer.update(tape, loss)
        return loss

    def discriminator_loss(self, fake: tf.Tensor, batch: Tensors) -> tf.Tensor:
        real_logits, fake_logits = self.discriminate(batch["image"]), self.discriminate(fake)
        return tf.reduce_mean(tf.nn.softplus(-real_logits)) + tf.reduce_mean(
            tf.nn.softplus(fake_logits)
        )

    def generator_loss(self, fake: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.nn.softplus(-self.discriminate(fake)))

    def images(self, z: tf.Tensor) -> tf.Tensor:
        return (self.generate(z, training=False) + 1) * 127.5

    def generate(self, z: tf.Tensor, *, training: bool) -> tf.Tensor:
        """Return images in [-1, 1]."""
        dense, norm, up, up_norm, full, full_norm, last = self.layers["generator"]
        x = self.dense(z, dense)[:, None, None]  # the fused batch norm wants images
        x = tf.reshape(_batch_norm_and_leaky_relu(x, norm, training=training), (-1, 7, 7, 256))
        x = _batch_norm_and_leaky_relu(self.upsample(x, up), up_norm, training=training)
        x = _batch_norm_and_leaky_relu(self.upsample(x, full), full_norm, training=training)
        return tf.tanh(tf.cast(self.conv(x, last), tf.float32))

    def discriminate(self, x: tf.Tensor) -> tf.Tensor:
        *convolutions, last = self.layers["discriminator"]
        for layer in convolutions:
            x = tf.nn.leaky_relu(self.conv(x, layer, stride=2), LEAKY_SLOPE)
            x = tf.nn.dropout(x, self.dropout)
        return self.dense(_flat(x), last, tf.float32)


class _WGANGP(_GAN):
    """Gulrajani et al. 2017, one critic update a step."""

    def discriminator_loss(self, fake: tf.Tensor, batch: Tensors) -> tf.Tensor:
        between = batch["mix"] * batch["image"] + (1 - batch["mix"]) * fake
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(between)
            score = self.discriminate(between)
        slope = tape.gradient(score, between)
        norm = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=(1, 2, 3)) + 1e-12)
        penalty = PENALTY * tf.reduce_mean(tf.square(norm - 1))
        return (
            tf.reduce_mean(self.discriminate(fake))
            - tf.reduce_mean(self.discriminate(batch["image"]))
            + penalty
        )

    def generator_loss(self, fake: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(self.discriminate(fake))


class _MLPGAN(_GAN):
    """The same with two dense networks."""

    def generate(self, z: tf.Tensor, *, training: bool) -> tf.Tensor:
        del training  # nothing here depends on it
        *hidden, last = self.layers["generator"]
        for layer in hidden:
            z = tf.nn.relu(self.dense(z, layer))
        images = tf.reshape(self.dense(z, last), (-1, 28, 28, 1))
        return tf.tanh(tf.cast(images, tf.float32))

    def discriminate(self, x: tf.Tensor) -> tf.Tensor:
        *hidden, last = self.layers["discriminator"]
        x = _flat(x)
        for layer in hidden:
            x = tf.nn.relu(self.dense(x, layer))
        return self.dense(x, last, tf.float32)


class _VAE(_Baseline):
    """Kingma and Welling 2014, with Bernoulli pixels."""

    networks = ("encoder", "decoder")

    def add_optimizers(self, adam: Adam) -> None:
        self.optimizer = _Optimizer(adam, [*self.trained("encoder"), *self.trained("decoder")])

    def update(self, batch: Tensors) -> Tensors:
        image = tf.cast(batch["image"], tf.float32) / 255
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.optimizer.variables)
            mean, log_variance = tf.split(self.encode(image), 2, axis=1)
            logits = self.logits(mean + tf.exp(log_variance / 2) * batch["z"])
            nll = tf.nn.sigmoid_cross_entropy_with_logits(image, logits)
            nll = tf.reduce_mean(tf.reduce_sum(nll, axis=(1, 2, 3)))
            kl = tf.square(mean) + tf.exp(log_variance) - 1 - log_variance
            kl = 0.5 * tf.reduce_mean(tf.reduce_sum(kl, axis=1))
            loss = nll + kl
        self.optimizer.update(tape, loss)
        return {"loss": loss, "reconstruction_loss": nll, "kl_loss": kl}

    def images(self, z: tf.Tensor) -> tf.Tensor:
        return tf.sigmoid(self.logits(z)) * 255

    def encode(self, x: tf.Tensor) -> tf.Tensor:
        half, quarter, hidden, last = self.layers["encoder"]
        x = tf.nn.relu(self.conv(x, half, stride=2))
        x = tf.nn.relu(self.conv(x, quarter, stride=2))
        return self.dense(tf.nn.relu(self.dense(_flat(x), hidden)), last, tf.float32)

    def logits(self, z: tf.Tensor) -> tf.Tensor:
        hidden, dense, up, full, last = self.layers["decoder"]
        x = tf.nn.relu(self.dense(tf.nn.relu(self.dense(z, hidden)), dense))
        x = tf.nn.relu(self.upsample(tf.reshape(x, (-1, 7, 7, 64)), up))
        return self.conv(tf.nn.relu(self.upsample(x, full)), last, dtype=tf.float32)


class _Optimizer:
    """Adam in TensorFlow's fused kernel, one call a variable."""

    def __init__(self, adam: Adam, variables: list[tf.Variable]) -> None:
        self.adam = adam
        self.variables = variables
        self.means = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self.squares = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        self.steps = tf.Variable(0.0)

    def update(self, tape: tf.GradientTape, loss: tf.Tensor) -> None:
        gradients = tape.gradient(loss, self.variables)
        step = self.steps.assign_add(1.0)
        for variable, mean, square, gradient in zip(
            self.variables, self.means, self.squares, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=mean.handle,
                v=square.handle,
                beta1_power=self.adam.beta_1**step,
                beta2_power=self.adam.beta_2**step,
                lr=self.adam.learning_rate,
                beta1=self.adam.beta_1,
                beta2=self.adam.beta_2,
                epsilon=self.adam.epsilon,
                grad=gradient,
            )


def _add_bias(x: tf.Tensor, layer: Layer) -> tf.Tensor:
    return tf.nn.bias_add(x, tf.cast(layer["bias"], x.dtype)) if "bias" in layer else x


def _batch_norm_and_leaky_relu(x: tf.Tensor, layer: Layer, *, training: bool) -> tf.Tensor:
    """Normalise over all but channels, statistics in float32; training moves the statistics."""
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=layer["gamma"],
        offset=layer["beta"],
        mean=layer["moving_mean"],
        variance=layer["moving_variance"],
        epsilon=BATCH_NORM_EPSILON,
        exponential_avg_factor=1 - BATCH_NORM_MOMENTUM_OF_TWO,
        is_training=training,
    )
    if training:
        layer["moving_mean"].assign(mean)
        layer["moving_variance"].assign(variance)
    return tf.nn.leaky_relu(y, LEAKY_SLOPE)


def _flat(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, (x.shape[0], -1))
