"""The decoder: a whole text at once to learn from, a token at a time to write."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from genkit.errors import UsageError
from genkit.layers import Dropout, LayerNormalization, gelu
from genkit_language.adapters import freeze_all_but_adapters
from genkit_language.attention import Attention, causal, dense, so_far, turns
from genkit_language.configs import GPTConfig


class Decoder(layers.Layer):
    """Transformer that sees what stands before (Radford et al. 2019), normalised before each part.

    Args:
        config: of the model.
        size: how many tokens there are.

    Raises:
        UsageError: widths that don't fit each other.
    """

    def __init__(self, config: GPTConfig, size: int) -> None:
        super().__init__()
        check_widths(config)
        self.config, self.size = config, size
        self.blocks = [Block(config) for _ in range(config.layers)]
        self.norm, self.dropout = norm(config), Dropout(config.dropout)

    def build(self, shape: Any = None) -> None:  # noqa: ARG002 - it is always the same
        config = self.config
        self.table = self._matrix(self.size, "table")
        self.head = self.table if config.tied else self._matrix(self.size, "head")
        learned = config.places == "learned"
        self.places = self._matrix(config.context, "places") if learned else None
        for layer in (*self.blocks, self.norm):
            layer.build((None, None, config.width))
        if config.lora_rank:
            freeze_all_but_adapters(self)
        self.built = True

    def _matrix(self, rows: int, name: str) -> Any:
        start = keras.initializers.RandomNormal(0.0, 0.02)
        return self.add_weight((rows, self.config.width), start, name=name)

    def call(self, tokens: Any, training: bool = False) -> Any:
        """Return the scores of the next token at each place.

        Args:
            tokens: int32 ``(batch, length)``.
            training: whether channels are left out.

        Returns:
            ``(batch, length, size)``.
        """
        return self._scores(self._whole(tokens, training=training)[0])

    def begin(self, tokens: Any) -> dict[str, Any]:
        """Return the cache of keys and values when all of some tokens are known.

        Args:
            tokens: int32 ``(batch, length)``, at most ``context`` of them. What is behind the end
                of a shorter text is not looked at while the text grows over it.

        Returns:
            of each block ``keys`` and ``values``, ``(batch, kv_heads, context, size)``.
        """
        room = self.config.context - tokens.shape[1]
        padding = ((0, 0), (0, 0), (0, room), (0, 0))
        return {
            f"{number}": {"keys": ops.pad(keys, padding), "values": ops.pad(values, padding)}
            for number, (keys, values) in enumerate(self._whole(tokens)[1])
        }

    def step(self, tokens: Any, places: Any, cache: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Go on by one token in each text; the cache keeps the last ``context`` of them.

        Args:
            tokens: int32 ``(batch,)``.
            places: where they stand in their texts, int32 ``(batch,)``.
            cache: as ``begin`` gives it.

        Returns:
            the scores of the token behind, ``(batch, size)``, and the new cache.
        """
        config = self.config
        x = ops.take(self.table, tokens[:, None], axis=0)
        if self.places is not None:
            x = x + ops.take(self.places, places[:, None], axis=0)
        turn = self._turns(ops.reshape(ops.cast(places, "float32"), (-1, 1, 1)))
        slots = ops.arange(config.context, dtype="int32")
        here = slots[:, None] == ops.reshape(places % config.context, (-1, 1, 1, 1))
        mask, new = so_far(places, config.context), {}
        for number, block in enumerate(self.blocks):
            x, keys, values = block(x, turn, mask, kept={**cache[f"{number}"], "here": here})
            new[f"{number}"] = {"keys": keys, "values": values}
        return self._scores(x)[:, 0], new

    def _whole(self, tokens: Any, *, training: bool = False) -> tuple[Any, list[Any]]:
        """Return the channels at each place, and the keys and values of each block."""
        length = tokens.shape[1]
        x = ops.take(self.table, tokens, axis=0)
        if self.places is not None:
            x = x + self.places[:length]
        x = self.dropout(x, training=training)
        turn = self._turns(ops.arange(length, dtype="float32"))
        mask, known = causal(length, self.config.context), []
        for block in self.blocks:
            x, keys, values = block(x, turn, mask, training=training)
            known.append((keys, values))
        return x, known

    def _turns(self, places: Any) -> Any:
        if self.places is not None:
            return None
        config = self.config
        return turns(places, config.channels_a_head, config.rotary_base, config.rotary_stretch)

    def _scores(self, x: Any) -> Any:
        x = self.norm(x)
        return ops.matmul(x, ops.cast(ops.transpose(self.head), x.dtype))


class Block(layers.Layer):
    """Attention to what came before, then a dense network at each place."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        last = 0.02 / (2 * config.layers) ** 0.5  # the sum of all blocks begins as wide as one
        self.config = config
        self.before_attention, self.before_dense = norm(config), norm(config)
        self.attention = Attention(config, last)
        gated = 2 if config.activation == "swiglu" else 1
        self.up, self.down = (
            dense(gated * config.hidden_units, config, 0.02, bias=config.bias),
            dense(config.width, config, last, bias=config.bias),
        )
        self.dropout = Dropout(config.dropout)

    def build(self, shape: Any) -> None:
        for layer in (self.before_attention, self.attention, self.before_dense, self.up):
            layer.build(shape)
        self.down.build((*shape[:-1], self.config.hidden_units))

    def call(
        self, x: Any, turn: Any, mask: Any, kept: Any = None, training: bool = False
    ) -> tuple[Any, Any, Any]:
        """Return the new channels, and the keys and values that were seen.

        Args:
            x: ``(batch, length, width)``.
            turn: of the places.
            mask: what a place doesn't see.
            kept: ``keys`` and ``values`` of the tokens before, and ``here``, where new ones go,
                bool ``(batch, 1, context, 1)``; None if ``x`` is all there is.
            training: whether channels are left out.
        """
        query, key, value = self.attention.project(self.before_attention(x), turn)
        if kept is not None:
            key = ops.where(kept["here"], key, kept["keys"])
            value = ops.where(kept["here"], value, kept["values"])
        x = x + self.dropout(self.attention(query, key, value, mask), training=training)
        x = x + self.dropout(self._dense(self.before_dense(x)), training=training)
        return x, key, value

    def _dense(self, x: Any) -> Any:
        x, kind = self.up(x), self.config.activation
        if kind == "swiglu":  # Shazeer 2020
            gate, x = ops.split(x, 2, axis=-1)
            x = ops.silu(gate) * x
        elif kind == "squared-relu":  # So et al. 2021
            x = ops.square(ops.relu(x))
        elif kind == "gelu-tanh":
            x = ops.gelu(x, approximate=True)
        else:
            x = gelu(x)
        return self.down(x)


def norm(config: GPTConfig) -> Any:
    """Return the normalisation of channels that the settings name."""
    if config.norm == "rms":
        return layers.RMSNormalization(epsilon=config.norm_epsilon)
    return LayerNormalization(epsilon=config.norm_epsilon, center=config.bias)


def check_widths(config: GPTConfig) -> None:
    """Refuse settings that don't fit each other.

    Raises:
        UsageError: with the first that doesn't.
    """
    if config.head_size is None and config.width % config.heads:
        raise UsageError(
            f"Expected heads that divide the width {config.width}; received {config.heads}."
        )
    if config.kv_heads and config.heads % config.kv_heads:
        raise UsageError(
            f"Expected kv_heads that divide the heads {config.heads}; received {config.kv_heads}."
        )
    if config.places == "rotary" and config.channels_a_head % 2:
        raise UsageError(
            f"Expected an even number of channels a head for rotary places; received "
            f"{config.channels_a_head}: {config.heads} heads, {config.width} wide."
        )
    if config.rotary_stretch is not None:
        factor, low, high, first = config.rotary_stretch
        if not (factor > 0 and 0 < low < high and first >= 1):
            raise UsageError(
                "Expected rotary_stretch as a factor, a low below a high, and a first context; "
                f"received {config.rotary_stretch}."
            )
