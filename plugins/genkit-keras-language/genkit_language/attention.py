"""Causal attention, and places that turn queries and keys."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from genkit_language.adapters import AdaptedDense
from genkit_language.configs import GPTConfig

_FAR = -1e9
_EPSILON = 1e-6


class Attention(layers.Layer):
    """Heads that look at the tokens before (Vaswani et al. 2017), in groups (Ainslie et al. 2023).

    Args:
        config: of the model.
        last: standard deviation of the last matrix' first weights.
    """

    def __init__(self, config: GPTConfig, last: float) -> None:
        super().__init__()
        self.heads, self.kv_heads = config.heads, config.kv_heads or config.heads
        self.size, self.normed = config.channels_a_head, config.normed_heads
        bias = config.bias or config.qkv_bias
        self.query = dense(self.heads * self.size, config, 0.02, bias=bias)
        self.key_value = dense(2 * self.kv_heads * self.size, config, 0.02, bias=bias)
        self.mixed = dense(config.width, config, last, bias=config.bias)

    def build(self, shape: Any) -> None:
        self.query.build(shape)
        self.key_value.build(shape)
        self.mixed.build((*shape[:-1], self.heads * self.size))

    def project(self, x: Any, turn: Any) -> tuple[Any, Any, Any]:
        """Return queries, keys and values of channels ``(batch, length, width)``.

        Args:
            x: channels.
            turn: cosines and sines of the places, as ``turns`` gives them; None for no turn.

        Returns:
            each ``(batch, heads or kv_heads, length, size)``.
        """
        query = self._parted(self.query(x), self.heads)
        key, value = ops.split(self._parted(self.key_value(x), 2 * self.kv_heads), 2, axis=1)
        if self.normed:
            query, key = _normed(query), _normed(key)
        if turn is not None:
            query, key = _turned(query, turn), _turned(key, turn)
        return query, key, value

    def call(self, query: Any, key: Any, value: Any, mask: Any) -> Any:
        """Return what each place takes from those it sees, ``(batch, length, width)``.

        Args:
            query: ``(batch, heads, length, size)``.
            key: ``(batch, kv_heads, seen, size)``.
            value: like ``key``.
            mask: added to scores of ``(batch, heads, length, seen)``.
        """
        if self.kv_heads < self.heads:
            key, value = (ops.repeat(x, self.heads // self.kv_heads, axis=1) for x in (key, value))
        scores = ops.matmul(query * self.size**-0.5, ops.transpose(key, (0, 1, 3, 2)))
        # Keras hands over the mask in what the layer computes in.
        seen = ops.cast(scores, "float32") + ops.cast(mask, "float32")
        chances = ops.softmax(seen, axis=-1)
        mixed = ops.matmul(ops.cast(chances, value.dtype), value)
        mixed = ops.transpose(mixed, (0, 2, 1, 3))
        return self.mixed(ops.reshape(mixed, (-1, mixed.shape[1], self.heads * self.size)))

    def _parted(self, x: Any, heads: int) -> Any:
        x = ops.reshape(x, (-1, x.shape[1], heads, self.size))
        return ops.transpose(x, (0, 2, 1, 3))


def dense(units: int, config: GPTConfig, spread: float, *, bias: bool) -> Any:
    """Return a dense layer whose weights begin with this standard deviation."""
    start = keras.initializers.RandomNormal(0.0, spread)
    if config.lora_rank:
        return AdaptedDense(units, config.lora_rank, config.lora_alpha, bias=bias, start=start)
    return layers.Dense(units, use_bias=bias, kernel_initializer=start)


def turns(
    places: Any, size: int, base: float, stretch: tuple[float, float, float, float] | None = None
) -> tuple[Any, Any]:
    """Return by how much each place turns pairs of channels (Su et al. 2021).

    Args:
        places: float32 tensor.
        size: channels of a head.
        base: the longest wave has about 6 times so many places.
        stretch: the setting ``rotary_stretch``.

    Returns:
        cosines and sines, ``(*places.shape, size // 2)``.
    """
    half = size // 2
    rates = np.float32(base) ** -(np.arange(half, dtype="float32") / half)
    if stretch is not None:
        factor, low, high, first = stretch
        kept = np.clip((first * rates / (2 * np.pi) - low) / (high - low), 0, 1)
        rates = (rates * (kept + (1 - kept) / factor)).astype("float32")
    angles = ops.expand_dims(places, -1) * ops.convert_to_tensor(rates)
    return ops.cos(angles), ops.sin(angles)


def _turned(x: Any, turn: tuple[Any, Any]) -> Any:
    """Turn channels by their place; the first half are paired with the second, as in Llama."""
    cosine, sine = (ops.cast(each, x.dtype) for each in turn)
    first, second = ops.split(x, 2, axis=-1)
    return ops.concatenate([first * cosine - second * sine, second * cosine + first * sine], -1)


def _normed(x: Any) -> Any:
    """Return heads of length 1 a channel, root mean square."""
    wide = ops.cast(x, "float32")
    squares = ops.mean(ops.square(wide), axis=-1, keepdims=True)
    return ops.cast(wide * ops.rsqrt(squares + _EPSILON), x.dtype)


def causal(length: int, context: int) -> Any:
    """Return what is added to scores so that a place sees itself and the ``context - 1`` before.

    Args:
        length: of the text.
        context: how many tokens a place sees.

    Returns:
        float32 tensor ``(length, length)``.
    """
    back = np.arange(length)[:, None] - np.arange(length)
    seen = (back >= 0) & (back < context)
    return ops.convert_to_tensor(np.where(seen, 0.0, _FAR).astype("float32"))


def so_far(places: Any, context: int) -> Any:
    """Return the same for one token each, whose keys lie in a cache that goes round.

    Args:
        places: of the tokens, int32 ``(batch,)``; from the beginning of the text.
        context: size of the cache. Slot ``s`` has the last place that leaves ``s`` over.

    Returns:
        float32 tensor ``(batch, 1, 1, context)``.
    """
    slots = ops.arange(context, dtype="int32")
    seen = slots <= ops.reshape(places, (-1, 1, 1, 1))  # all of them, once it has gone round
    return ops.where(seen, 0.0, _FAR)
