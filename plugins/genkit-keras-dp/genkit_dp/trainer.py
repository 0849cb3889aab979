"""Differentially private training (DP-SGD) of any model without batch statistics."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

import genkit
from genkit.data import Loader, Source
from genkit.errors import UsageError
from genkit.layers import SpectralNormalization
from genkit_dp.accounting import Accountant, batch_rows
from genkit_dp.config import PrivacyConfig
from genkit_dp.sampling import NOISE, WEIGHT, PoissonSampler, secret_key

_SHARE_FOR_OVERFLOW = 1e-3  # of delta, over a million steps


class PrivateTrainer(genkit.Trainer):
    """Clips each example's gradient and adds Gaussian noise; knows the epsilon of each step.

    Abadi et al. 2016, "Deep Learning with Differential Privacy", algorithm 1: with a sample ``L``
    and ``C = clip_norm``, the noisy gradient is
    ``(sum over L of clip(g_i, C) + noise_multiplier * C * N(0, I)) / batch_size``.
    The sample is a Poisson sample, as the accounting wants it: each item is in it with probability
    ``batch_size / items``, so its size varies around the batch size.

    Args:
        config: see ``genkit info dp``.
    """

    config: PrivacyConfig

    def __init__(self, config: PrivacyConfig | None = None) -> None:
        super().__init__(config or PrivacyConfig())

    def check(self, model: genkit.Model, source: Source, settings: Any) -> None:
        super().check(model, source, settings)
        refuse_what_noise_cannot_cover(model)
        items = len(source)
        delta = self.config.delta or 1 / (10 * items)
        self._batch_size = settings.batch_size
        self._rate = settings.batch_size / items
        self._rows, overflow = batch_rows(items, self._rate, _SHARE_FOR_OVERFLOW * delta / 1e6)
        # Each named optimizer may look at the same sample once.
        self._accountant = Accountant(
            self._rate, self.config.noise_multiplier, len(model.optimizers), delta, overflow
        )
        self._budget = self._steps_allowed(model.batches_per_step)

    def fit(
        self, model: genkit.Model, source: Source, run: Any, callbacks: Sequence[Any] = ()
    ) -> Any:
        self._key = secret_key(self.config.secret, getattr(run, "path", None))
        outcome = super().fit(model, source, run, callbacks)
        if self._budget is not None and outcome.steps >= self._budget:
            warnings.warn(
                f"Training ended after {outcome.steps} steps: one more would exceed the budget, "
                f"epsilon {self.config.max_epsilon:g}.",
                stacklevel=2,
            )
        return outcome

    def open_loader(
        self, model: genkit.Model, source: Source, settings: Any, start_step: int
    ) -> Loader:
        lengths = {
            name: sum(int(np.prod(v.shape)) for v in model.owned_variables(name))
            for name in model.optimizers
        }
        return Loader(
            source,
            batch_size=self._rows,
            seed=settings.seed,
            noise=model.training_noise,
            batches_per_step=model.batches_per_step,
            start_step=start_step,
            sampler=PoissonSampler(len(source), self._rate, self._rows, self._key, lengths),
        )

    def training_step(
        self, model: genkit.Model, batch: Any, minimize: Callable[..., Any]
    ) -> dict[str, Any]:
        batches = batch if isinstance(batch, tuple) else (batch,)
        self._noise = {name: [each[NOISE + name] for each in batches] for name in model.optimizers}
        kept = tuple(
            {name: x for name, x in each.items() if not name.startswith(NOISE)} for each in batches
        )
        return model.training_step(kept if isinstance(batch, tuple) else kept[0], minimize)

    def gradients(
        self, name: str, fn: Callable[..., Any], *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        if _batch_among(inputs) is None:
            raise UsageError(
                f"The trainer dp needs the batch among the inputs of the loss of {name!r}.",
                "Call minimize(name, loss_fn, batch) in training_step.",
            )
        if not self._noise[name]:
            raise UsageError(
                f"The trainer dp allows {name!r} one update a batch; this model does more.",
                "Give the model more batches_per_step, one for each update.",
            )

        def weighted(*example: Any) -> tuple[Any, dict[str, Any]]:
            result = fn(*example)
            loss, logs = result if isinstance(result, tuple) else (result, {})
            return loss * ops.sum(_batch_among(example)[WEIGHT]), {**logs, WEIGHT: loss}

        (_, logs), gradients = self.engine.per_example_gradients(
            name, weighted, *inputs, clip=self.config.clip_norm
        )
        loss = logs.pop(WEIGHT)
        return (loss, logs), self._noisy(name, gradients)

    def measures(self, step: int) -> dict[str, float]:
        return {"epsilon": self._accountant.epsilon(step * self._batches_per_step)}

    def is_spent(self, step: int) -> bool:
        return self._budget is not None and step >= self._budget

    def _steps_allowed(self, batches_per_step: int) -> int | None:
        self._batches_per_step = batches_per_step
        budget = self.config.max_epsilon
        if budget is None:
            return None
        steps = self._accountant.steps_within(budget) // batches_per_step
        if not steps:
            first = self._accountant.epsilon(batches_per_step)
            raise UsageError(
                f"Expected a budget for one step at least, epsilon {first:.3g}; "
                f"received max_epsilon={budget:g}.",
                "Raise noise_multiplier or max_epsilon, or take smaller batches.",
            )
        return steps

    def _noisy(self, name: str, gradients: list[Any]) -> list[Any]:
        """Turn the mean over rows into the noisy sum over the sample, by the batch size."""
        noise = self._noise[name].pop(0)
        scale = self.config.noise_multiplier * self.config.clip_norm
        found, start = [], 0
        for gradient in gradients:
            length = int(np.prod(gradient.shape))
            share = ops.reshape(noise[start : start + length], gradient.shape)
            total = gradient * self._rows + ops.cast(scale * share, gradient.dtype)
            found.append(total / self._batch_size)
            start += length
        return found


def _batch_among(inputs: Sequence[Any]) -> Any:
    """Find the batch, which carries its rows' weights, among the inputs of a loss."""
    return next((each for each in inputs if isinstance(each, dict) and WEIGHT in each), None)


def refuse_what_noise_cannot_cover(model: genkit.Model) -> None:
    """Refuse models that learn from data by other ways than gradients.

    Raises:
        UsageError: a layer keeps statistics of the data, or a loss is scaled.
    """
    layers = [layer for name in model.optimizers for layer in model.owned_layers(name)]
    for layer in layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            raise UsageError(
                "The trainer dp needs a model without batch statistics; "
                f"{type(model).__name__} has BatchNormalization ({layer.name}).",
                "Choose another model, such as vae or wgan-gp.",
            )
    # What spectral normalisation keeps follows from the weights alone.
    harmless = {
        id(weight)
        for layer in layers
        if isinstance(layer, SpectralNormalization) or not layer.trainable
        for weight in layer.non_trainable_weights
    }
    for weight in model.non_trainable_weights:
        if id(weight) not in harmless:
            raise UsageError(
                f"The trainer dp needs a model that learns by gradients alone; "
                f"{type(model).__name__} keeps {weight.path!r}, which could hold data.",
                "Choose another model, such as vae or wgan-gp.",
            )
    for name, optimizer in model.optimizers.items():
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            raise UsageError(
                f"The trainer dp computes in float32 or bfloat16; the loss of {name!r} is scaled.",
                "Leave out --precision float16.",
            )
