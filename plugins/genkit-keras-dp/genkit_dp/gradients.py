"""The private gradient: each example's clipped, and noise added to their sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from keras import ops

import genkit
from genkit.data import Batch
from genkit.engine import workers
from genkit.errors import UsageError
from genkit_dp.sampling import NOISE, WEIGHT


class PrivateGradients(genkit.GradientTransform):
    """Computes the noisy gradient of a sample; other transforms may follow.

    They work on what noise covers already, so they cost no privacy as long as they look at no data.

    Args:
        clip_norm: largest L2 norm of one example's gradient.
        noise_multiplier: the noise's standard deviation, as a multiple of ``clip_norm``.
    """

    def __init__(self, clip_norm: float, noise_multiplier: float) -> None:
        self._clip_norm, self._noise_multiplier = clip_norm, noise_multiplier
        self._batch_size = 1
        self._unused: dict[tuple[str, int], Any] = {}

    def take_noise(
        self, batches: Sequence[Batch], names: Iterable[str], batch_size: int
    ) -> tuple[Batch, ...]:
        """Begin a step: take the noise out of its batches, to be used once each.

        Args:
            batches: what the sampler has drawn, as tensors.
            names: of the model's optimizers.
            batch_size: how many items a sample has on average.

        Returns:
            the batches as the model gets them.
        """
        self._batch_size = batch_size
        # A batch is known by its weights, which stay the same tensor however it is handed on.
        self._unused = {
            (name, id(each[WEIGHT])): each[NOISE + name] for each in batches for name in names
        }
        return tuple(
            {name: x for name, x in each.items() if not name.startswith(NOISE)} for each in batches
        )

    def gradients(
        self, engine: Any, name: str, fn: Callable[..., Any], *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        weights = _weights_among(inputs)
        if len(weights) != 1:
            raise UsageError(
                f"The trainer dp needs one batch among the inputs of the loss of {name!r}; "
                f"received {len(weights)}.",
                "Call minimize(name, loss_fn, batch) in training_step.",
            )
        noise = self._unused.pop((name, id(weights[0])), None)
        if noise is None:
            raise UsageError(
                f"The trainer dp allows {name!r} one update a batch; this model does more.",
                "Give the model more batches_per_step, one for each update.",
            )

        def weighted(*example: Any) -> tuple[Any, dict[str, Any]]:
            result = fn(*example)
            loss, logs = result if isinstance(result, tuple) else (result, {})
            weight = ops.sum(_weights_among(example)[0])
            return loss * weight, {key: value * weight for key, value in logs.items()}

        (loss, logs), gradients = engine.per_example_gradients(
            name, weighted, *inputs, clip=self._clip_norm
        )
        # The engine gives means over its rows, and workers take the mean of theirs: so that is
        # one over the rows of all. The sample's own are wanted.
        across = workers()
        rows = int(weights[0].shape[0]) * (across.size if across.apart else 1)
        (size,) = across.sum([ops.sum(weights[0])])
        share = rows / ops.maximum(size, 1.0)
        shown = {key: value * share for key, value in logs.items()}
        return (loss * share, shown), self._noisy(gradients, noise, rows)

    def _noisy(self, gradients: list[Any], noise: Any, rows: int) -> list[Any]:
        """Turn the mean over rows into the noisy sum over the sample, by the batch size."""
        scale = self._noise_multiplier * self._clip_norm
        noise = _own_part(noise)
        found, start = [], 0
        for gradient in gradients:
            length = int(np.prod(gradient.shape))
            share = ops.reshape(noise[start : start + length], gradient.shape)
            total = gradient * rows + ops.cast(scale * share, gradient.dtype)
            found.append(total / self._batch_size)
            start += length
        return found


def _own_part(noise: Any) -> Any:
    """Return noise, which is divided into rows, as a vector whose mean over workers is all of it.

    Each worker adds the rows that it has: so each number is added once, whoever computes the mean.
    """
    across = workers()
    vector = ops.reshape(noise, (-1,))
    if not across.apart:
        return vector
    length = int(vector.shape[0])
    before, after = across.rank * length, (across.size - 1 - across.rank) * length
    return across.size * ops.pad(vector, [(before, after)])


def _weights_among(inputs: Sequence[Any]) -> list[Any]:
    """Find the rows' weights of every batch among the inputs of a loss."""
    return [each[WEIGHT] for each in inputs if isinstance(each, dict) and WEIGHT in each]
