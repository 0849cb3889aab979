"""The networks of the PyTorch baseline, as modules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from tests.benchmarks.native.start import (
    BATCH_NORM_EPSILON,
    BATCH_NORM_MOMENTUM_OF_TWO,
    LEAKY_SLOPE,
    layer_weights,
)


class Networks:
    """Makes the networks of GenKit's models; they take and give ``(batch, height, width, 1)``.

    Args:
        weights: initial weights of the GenKit model by structure key.
        channels_last: how images lie in memory between the layers. GenKit's dense weights are
            ordered for channels last, so that no copy is needed to flatten; otherwise they are
            reordered here, once.
    """

    def __init__(self, weights: dict[str, np.ndarray], *, channels_last: bool) -> None:
        self.weights = weights
        self.channels_last = channels_last

    def generator(self) -> nn.Module:
        dense, norm, up, up_norm, full, full_norm, last = layer_weights(self.weights, "generator")
        small = (7, 7, 256)
        return self._network(
            _linear(self._ordered(dense, -1, small)),
            _batch_norm(nn.BatchNorm1d, self._ordered(norm, -1, small)),
            _leaky_relu(),
            self._unflatten(small),
            _conv_transpose(up, stride=2, padding=1),
            _batch_norm(nn.BatchNorm2d, up_norm),
            _leaky_relu(),
            _conv_transpose(full, stride=2, padding=1),
            _batch_norm(nn.BatchNorm2d, full_norm),
            _leaky_relu(),
            _conv(last, padding=2),
            _Float32(nn.Tanh()),
            _ToChannelsLast(),
        )

    def discriminator(self, dropout: float) -> nn.Module:
        half, quarter, last = layer_weights(self.weights, "discriminator")
        return self._network(
            self._unflatten((28, 28, 1)),
            _conv(half, stride=2, padding=1),
            _leaky_relu(),
            nn.Dropout(dropout),
            _conv(quarter, stride=2, padding=1),
            _leaky_relu(),
            nn.Dropout(dropout),
            self._flatten(),
            _Float32(_linear(self._ordered(last, 0, (7, 7, 128)))),
        )

    def mlp_generator(self) -> nn.Module:
        first, second, last = layer_weights(self.weights, "generator")
        return self._network(
            _linear(first),
            nn.ReLU(inplace=True),
            _linear(second),
            nn.ReLU(inplace=True),
            _linear(last),
            nn.Unflatten(1, (28, 28, 1)),
            _Float32(nn.Tanh()),
        )

    def mlp_discriminator(self) -> nn.Module:
        first, second, last = layer_weights(self.weights, "discriminator")
        return self._network(
            nn.Flatten(),
            _linear(first),
            nn.ReLU(inplace=True),
            _linear(second),
            nn.ReLU(inplace=True),
            _Float32(_linear(last)),
        )

    def encoder(self) -> nn.Module:
        half, quarter, hidden, last = layer_weights(self.weights, "encoder")
        after = nn.ZeroPad2d((0, 1, 0, 1))  # what "same" means for 3x3 with stride 2
        return self._network(
            self._unflatten((28, 28, 1)),
            after,
            _conv(half, stride=2),
            nn.ReLU(inplace=True),
            after,
            _conv(quarter, stride=2),
            nn.ReLU(inplace=True),
            self._flatten(),
            _linear(self._ordered(hidden, 0, (7, 7, 64))),
            nn.ReLU(inplace=True),
            _Float32(_linear(last)),
        )

    def decoder(self) -> nn.Module:
        hidden, dense, up, full, last = layer_weights(self.weights, "decoder")
        small = (7, 7, 64)
        return self._network(
            _linear(hidden),
            nn.ReLU(inplace=True),
            _linear(self._ordered(dense, -1, small)),
            nn.ReLU(inplace=True),
            self._unflatten(small),
            _conv_transpose(up, stride=2),
            _CropLast(),
            nn.ReLU(),
            _conv_transpose(full, stride=2),
            _CropLast(),
            nn.ReLU(),
            _Float32(_conv(last, padding=1)),
            _ToChannelsLast(),
        )

    def _network(self, *layers: nn.Module) -> nn.Module:
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        return nn.Sequential(*layers).to(memory_format=layout)

    def _unflatten(self, shape: tuple[int, int, int]) -> nn.Module:
        return _Unflatten(shape, channels_last=self.channels_last)

    def _flatten(self) -> nn.Module:
        return (
            nn.Sequential(_ToChannelsLast(), nn.Flatten()) if self.channels_last else nn.Flatten()
        )

    def _ordered(
        self, weights: dict[str, np.ndarray], axis: int, shape: tuple[int, int, int]
    ) -> dict[str, np.ndarray]:
        """Reorder the features of an image on the first or last axis, unless channels are last."""
        if self.channels_last:
            return weights
        order = np.arange(np.prod(shape)).reshape(shape).transpose(2, 0, 1).ravel()
        moved = weights if axis == -1 else {"kernel": weights["kernel"]}
        return {**weights, **{name: a.take(order, axis) for name, a in moved.items()}}


class _Unflatten(nn.Module):
    """Features, or images with their channels last, to ``(batch, channels, height, width)``."""

    def __init__(self, shape: tuple[int, int, int], *, channels_last: bool) -> None:
        super().__init__()
        self.shape = shape
        self.channels_last = channels_last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width, channels = self.shape
        if self.channels_last:
            return x.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
        return x.reshape(-1, channels, height, width)


class _ToChannelsLast(nn.Module):
    """View ``(batch, channels, height, width)`` as ``(batch, height, width, channels)``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1)


class _CropLast(nn.Module):
    """Leave the last row and column out, as "same" does for 3x3 with stride 2."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, :-1, :-1]


class _Float32(nn.Module):
    """Runs a layer in float32 whatever the precision around it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", enabled=False):
            return self.layer(x.float())


def _leaky_relu() -> nn.Module:
    return nn.LeakyReLU(LEAKY_SLOPE, inplace=True)


def _linear(weights: dict[str, np.ndarray]) -> nn.Module:
    layer = nn.Linear(*weights["kernel"].shape, bias="bias" in weights)
    return _load(layer, weights, weights["kernel"].T)


def _conv(weights: dict[str, np.ndarray], **sizes: int) -> nn.Module:
    height, width, inputs, outputs = weights["kernel"].shape
    layer = nn.Conv2d(inputs, outputs, (height, width), **sizes)
    return _load(layer, weights, weights["kernel"].transpose(3, 2, 0, 1))


def _conv_transpose(weights: dict[str, np.ndarray], **sizes: int) -> nn.Module:
    height, width, outputs, inputs = weights["kernel"].shape
    layer = nn.ConvTranspose2d(inputs, outputs, (height, width), bias="bias" in weights, **sizes)
    return _load(layer, weights, weights["kernel"].transpose(3, 2, 0, 1))


def _load(layer: nn.Module, weights: dict[str, np.ndarray], kernel: np.ndarray) -> nn.Module:
    arrays = {"weight": kernel} | ({"bias": weights["bias"]} if "bias" in weights else {})
    layer.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return layer


def _batch_norm(kind: Any, weights: dict[str, np.ndarray]) -> nn.Module:
    momentum = 1 - BATCH_NORM_MOMENTUM_OF_TWO
    layer = kind(len(weights["gamma"]), eps=BATCH_NORM_EPSILON, momentum=momentum)
    names = {"weight": "gamma", "bias": "beta"}
    names |= {"running_mean": "moving_mean", "running_var": "moving_variance"}
    arrays = {name: torch.tensor(weights[keras]) for name, keras in names.items()}
    layer.load_state_dict({**layer.state_dict(), **arrays})
    return layer
