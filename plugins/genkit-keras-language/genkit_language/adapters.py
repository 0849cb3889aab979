"""Narrow matrices beside frozen ones: what is trained when the rest of a model stays (LoRA)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

_NAMES = ("lora_a", "lora_b")


class AdaptedDense(layers.Dense):
    """A dense layer with two narrow matrices beside its own (Hu et al. 2021).

    It gives ``x kernel + bias + alpha / rank (x a) b``. As ``b`` begins with zeros, that is first
    what the layer gives without them.

    Args:
        units: channels that go out.
        rank: channels between the narrow matrices.
        alpha: their weight, before it is divided by the rank.
        bias: whether there are offsets.
        start: first values of its own matrix.
    """

    def __init__(self, units: int, rank: int, alpha: float, *, bias: bool, start: Any) -> None:
        super().__init__(units, use_bias=bias, kernel_initializer=start)
        self.narrow, self.factor = rank, alpha / rank

    def build(self, shape: Any) -> None:
        super().build(shape)
        start = keras.initializers.RandomNormal(0.0, shape[-1] ** -0.5)
        self.lora_a = self.add_weight((shape[-1], self.narrow), start, name=_NAMES[0])
        self.lora_b = self.add_weight((self.narrow, self.units), "zeros", name=_NAMES[1])

    def call(self, x: Any, training: bool | None = None) -> Any:
        beside = ops.matmul(ops.matmul(x, self.lora_a), self.lora_b)
        return super().call(x, training=training) + self.factor * beside


def freeze_all_but_adapters(network: Any) -> None:
    """Let an optimizer find the narrow matrices alone.

    Args:
        network: built.
    """
    for variable in network.variables:
        variable.trainable = variable.name in _NAMES


def merged(layer: Any) -> NDArray[np.float32]:
    """Return the matrix of a dense layer, with what its narrow matrices, if it has any, add.

    Args:
        layer: built.
    """
    kernel = np.asarray(ops.convert_to_numpy(layer.kernel.value), np.float32)
    if not isinstance(layer, AdaptedDense):
        return kernel
    a, b = (ops.convert_to_numpy(each.value) for each in (layer.lora_a, layer.lora_b))
    found: NDArray[np.float32] = kernel + layer.factor * (a @ b)
    return found
