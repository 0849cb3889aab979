"""Differentially private training (DP-SGD) of any model without batch statistics."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import keras
import numpy as np

import genkit
from genkit.data import Loader, Source, Subset
from genkit.engine import of_this_process
from genkit.errors import UsageError
from genkit.layers import SpectralNormalization
from genkit_dp.accounting import Accountant
from genkit_dp.config import PrivacyConfig
from genkit_dp.gradients import PrivateGradients
from genkit_dp.key import Key
from genkit_dp.sampling import PoissonSampler

_FALSE_ALARMS = 0.01  # of an attack on membership, as the literature states what one finds


class PrivateTrainer(genkit.Trainer):
    """Clips each example's gradient and adds Gaussian noise; knows the epsilon of each step.

    Abadi et al. 2016, "Deep Learning with Differential Privacy", algorithm 1: with a sample ``L``
    and ``C = clip_norm``, the noisy gradient is
    ``(sum over L of clip(g_i, C) + noise_multiplier * C * N(0, I)) / batch_size``.
    The sample is a Poisson sample, as the accounting wants it: each item is in it with probability
    ``batch_size / items``, so its size varies around the batch size.

    The gradient is a ``genkit.GradientTransform`` and the first of ``transforms``. Others may be
    added after it: they cost no privacy as long as they look at no data.

    Args:
        config: see ``genkit info dp``.
    """

    protects_data = True
    config: PrivacyConfig

    def __init__(self, config: PrivacyConfig | None = None) -> None:
        super().__init__(config or PrivacyConfig.model_validate({}))
        self._private = PrivateGradients(self.config.clip_norm, self.config.noise_multiplier)
        self.transforms = (self._private,)

    def check(self, model: genkit.Model, source: Source, settings: Any) -> None:
        super().check(model, source, settings)
        if self._private not in self.transforms[:1]:
            raise UsageError(
                "Expected the trainer dp's own transform as the first one; received "
                f"{[type(each).__name__ for each in self.transforms]}.",
                "Add others after it: trainer.transforms = (*trainer.transforms, ...).",
            )
        refuse_what_noise_cannot_cover(model)
        items = len(source)
        self._batch_size, self._rate = settings.batch_size, settings.batch_size / items
        self._batches_per_step = model.batches_per_step
        delta = self.config.delta or 1 / (10 * items)
        self._assets_cost = source.assets_cost or (0.0, 0.0)
        if self._assets_cost[1] >= delta:
            raise UsageError(
                f"Expected a delta above that of the data's assets, {self._assets_cost[1]:.3g}; "
                f"received {delta:.3g}.",
                "Raise it, --trainer-set delta=..., or let the assets cost less.",
            )
        # Each named optimizer may look at the same sample once.
        self._accountant = Accountant(
            items,
            self._rate,
            self.config.noise_multiplier,
            len(model.optimizers),
            delta - self._assets_cost[1],
        )
        workers, rows = of_this_process().size, self._accountant.rows
        if rows % workers:
            raise UsageError(
                f"Expected samples that {workers} workers can divide; with a batch size of "
                f"{settings.batch_size} they have {rows} rows.",
                "Pass another --batch-size, or another number of workers.",
            )
        self._most_steps = (
            self._accountant.steps_within(self.config.max_epsilon - self._assets_cost[0])
            // self._batches_per_step
        )
        if self._most_steps < 1:
            raise UsageError(
                f"Expected a budget for one step at least, epsilon {self._epsilon(1):.3g}; "
                f"received max_epsilon={self.config.max_epsilon:g}.",
                "Raise noise_multiplier or max_epsilon, or take smaller batches.",
            )

    def fit(
        self, model: genkit.Model, source: Source, run: Any, callbacks: Sequence[Any] = ()
    ) -> Any:
        self._key = Key.of(getattr(run, "path", None), self.config.secret)
        outcome = super().fit(model, source, run, callbacks)
        self._key.note_release(outcome.steps)
        if self.is_spent(outcome.steps):
            warnings.warn(
                f"Training ended after {outcome.steps} steps: one more would exceed the budget, "
                f"epsilon {self.config.max_epsilon:g}.",
                stacklevel=2,
            )
        return outcome

    def open_loader(
        self, model: genkit.Model, source: Source, settings: Any, start_step: int
    ) -> Loader:
        refuse_other_items(source)
        self._key.check(start_step)
        workers = self.engine.collective
        # The first worker has the run, and so its key.
        key = int(workers.agree(f"{self._key.value:x}")[0], 16)
        lengths = {
            name: sum(int(np.prod(v.shape)) for v in model.owned_variables(name))
            for name in model.optimizers
        }
        return Loader(
            source,
            batch_size=self._accountant.rows,
            seed=settings.seed,
            noise=model.training_noise,
            batches_per_step=model.batches_per_step,
            start_step=start_step,
            sampler=PoissonSampler(len(source), self._rate, self._accountant.rows, key, lengths),
            part=(workers.rank, workers.size),
        )

    def training_step(
        self, model: genkit.Model, batch: Any, minimize: Callable[..., Any]
    ) -> dict[str, Any]:
        batches = batch if isinstance(batch, tuple) else (batch,)
        kept = self._private.take_noise(batches, model.optimizers, self._batch_size)
        return model.training_step(kept if isinstance(batch, tuple) else kept[0], minimize)

    def measures(self, step: int) -> dict[str, float]:
        return {"epsilon": self._epsilon(step)}

    def is_spent(self, step: int) -> bool:
        return step >= self._most_steps

    def statement(self, step: int) -> Mapping[str, str]:
        if self.config.secret is not None:
            return {"guarantee": "none: the key was set by hand (`secret`), as for tests"}
        epsilon, delta = self._epsilon(step), self._accountant.delta + self._assets_cost[1]
        found = min(1.0, math.exp(min(epsilon, 700.0)) * _FALSE_ALARMS + delta)
        return {
            "guarantee": f"({epsilon:.4g}, {delta:.3g})-differential privacy",
            "what an attack can find": f"at most {found:.2g} of the items at {_FALSE_ALARMS:g} "
            "false alarms, whatever it does (Kairouz et al. 2015)",
            **self._of_assets(),
            "neighbours": "data sets of which one has one item more",
            "of what": "the weights in this folder. Not of losses, sample grids, checkpoints, "
            "figures measured on the training data, or choices made by looking at them",
            "taken as public": "the number of items, the schema, assets that follow from settings "
            "alone, weights that training began with",
            "mechanism": f"per-example clipping to L2 norm {self.config.clip_norm:g}, Gaussian "
            f"noise of {self.config.noise_multiplier:g} times that",
            "sampling": f"Poisson, each item with probability {self._rate:.4g}; "
            f"{step * self._batches_per_step} samples",
            "accountant": f"Renyi, dp-accounting {version('dp-accounting')}",
        }

    def _of_assets(self) -> dict[str, str]:
        """Return what of the guarantee the data's assets have spent, for the card."""
        epsilon, delta = self._assets_cost
        if not epsilon and not delta:
            return {}
        return {"of it for the data's assets": f"epsilon {epsilon:.4g}, delta {delta:.3g}, added"}

    def _epsilon(self, step: int) -> float:
        """Return what assets and steps have spent, one added to the other."""
        return self._assets_cost[0] + self._accountant.epsilon(step * self._batches_per_step)


def refuse_other_items(source: Source) -> None:
    """Refuse examples that are not each of their own item alone.

    Raises:
        UsageError: the source draws what a batch holds: perhaps of other items.
    """
    inner = source
    while isinstance(inner, Subset):
        inner = inner.source
    if type(inner).draw is not Source.draw:
        raise UsageError(
            "The trainer dp needs examples that hold their own item and nothing else; "
            f"{type(inner).__name__} draws what they hold.",
            "Choose another model.",
        )


def refuse_what_noise_cannot_cover(model: genkit.Model) -> None:
    """Refuse models that learn from data by other ways than gradients.

    Raises:
        UsageError: a layer keeps statistics of the data, a weight is no optimizer's, or a loss is
            scaled.
    """
    layers = [layer for name in model.optimizers for layer in model.owned_layers(name)]
    for layer in layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            raise UsageError(
                "The trainer dp needs a model without batch statistics; "
                f"{type(model).__name__} has BatchNormalization ({layer.name}).",
                "Choose another model, such as vae or wgan-gp.",
            )
    harmless = {id(v) for name in model.optimizers for v in model.owned_variables(name)}
    for layer in layers:
        # What spectral normalisation keeps follows from the weights alone.
        if isinstance(layer, SpectralNormalization) or not layer.trainable:
            harmless |= {id(weight) for weight in layer.non_trainable_weights}
    for weight in model.weights:
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
