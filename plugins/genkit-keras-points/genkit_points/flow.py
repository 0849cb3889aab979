"""Flow matching of points, with the exact density of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

import genkit
from genkit.layers import rescale
from genkit_points.configs import PointsFlowConfig
from genkit_points.networks import INSIDE, class_count, dense, limits

_LOG_NORMAL = -math.log(2 * math.pi)  # log density of the standard normal plane at 0


class PointsFlow(genkit.Model):
    """A velocity that carries noise to points along straight lines.

    Lipman et al. 2022, "Flow Matching for Generative Modeling", with the paths of Liu et al. 2022,
    "Flow Straight and Fast", equation 1: between noise ``x_0`` and a point ``x_1`` the network sees
    ``x_t = (1 - t) x_0 + t x_1`` and should answer ``x_1 - x_0``. Points are made by following the
    velocity from ``t = 0`` to 1 with Runge-Kutta steps of fourth order.

    Followed backwards it gives the log density of a point (Chen et al. 2018, "Neural Ordinary
    Differential Equations", equation 8): ``log p(x_1) = log N(x_0) - integral of div v(x_t, t)``.
    Of two coordinates the divergence can be had exactly.

    Args:
        config: see ``genkit info points-flow``.
        schema: data with points and, if ``conditional``, labels.
    """

    config: PointsFlowConfig
    schema: genkit.Schema

    def __init__(self, config: PointsFlowConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.limits = limits(schema)
        self.conditional = config.conditional
        classes = class_count(schema, config.conditional)
        self.network = dense("velocity", 3, 2, config.hidden, classes=classes)
        adam = keras.optimizers.Adam(
            config.learning_rate, use_ema=config.average > 0, ema_momentum=config.average
        )
        self.add_optimizer("velocity", adam, self.network)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"noise": rng.standard_normal((n, 2), dtype="float32")}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {**self.noise(rng, n), "time": rng.random((n, 1), dtype="float32")}

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        loss, _ = minimize("velocity", self.loss, batch)
        return {"loss": loss}

    def loss(self, batch: dict[str, Any]) -> Any:
        """Return the mean squared error of the velocity, per coordinate."""
        points, noise, time = batch["points"], batch["noise"], batch["time"]
        points = rescale(points, self.limits, INSIDE)
        label = batch["label"] if self.conditional else None
        answer = self.velocity((1 - time) * noise + time * points, time, label)
        return ops.mean(ops.square(answer - (points - noise)))

    def velocity(self, x: Any, time: Any, label: Any = None) -> Any:
        """Return the velocity at places ``(batch, 2)`` and times ``(batch, 1)``."""
        seen = ops.concatenate([x, time], axis=1)
        return self.network(seen if label is None else [seen, label])

    def decode(self, noise: Any, label: Any = None, solver_steps: int | None = None) -> Any:
        def velocity(state: Any, time: Any) -> Any:
            return self.velocity(state, time * ops.ones_like(state[:, :1]), label)

        x = _runge_kutta(velocity, noise, 0.0, 1.0, solver_steps or self.config.solver_steps)
        return rescale(ops.clip(x, *INSIDE), INSIDE, self.limits)

    def log_density(self, points: Any, label: Any = None, solver_steps: int | None = None) -> Any:
        """Return the log density of points, shape ``(batch,)``; tensors in, tensors out."""

        def change(state: Any, time: Any) -> Any:
            x, times = state[:, :2], time * ops.ones_like(state[:, :1])
            slopes = [
                genkit.gradient(lambda x, k=k: self.velocity(x, times, label)[:, k], x)[:, k]
                for k in range(2)
            ]
            divergence = ops.expand_dims(slopes[0] + slopes[1], 1)
            return ops.concatenate([self.velocity(x, times, label), divergence], axis=1)

        x = rescale(points, self.limits, INSIDE)
        state = ops.concatenate([x, ops.zeros_like(x[:, :1])], axis=1)
        state = _runge_kutta(change, state, 1.0, 0.0, solver_steps or self.config.solver_steps)
        # The integral was taken backwards: its sign is turned already.
        log_normal = _LOG_NORMAL - 0.5 * ops.sum(ops.square(state[:, :2]), axis=1)
        scale = (INSIDE[1] - INSIDE[0]) / (self.limits[1] - self.limits[0])
        return log_normal + state[:, 2] + 2 * math.log(scale)

    def density(
        self,
        points: np.ndarray,
        label: Sequence[int | str] | int | str | None = None,
        **options: Any,
    ) -> np.ndarray:
        """Return the log density of points.

        Args:
            points: shape ``(n, 2)``, as the data's.
            label: for a conditional model, the class, or one for each point; without it, the
                density is that of all classes with equal shares.
            **options: ``solver_steps``.

        Returns:
            float32 of shape ``(n,)``, in nats.

        Raises:
            UsageError: no such class or option.
        """
        given = self.parse_options("density", options)
        if not self.conditional and label is None:
            return self.map_items("log_density", given, points=points)
        classes = range(len(self.classes())) if label is None else [label]
        each = [
            self.map_items(
                "log_density", given, points=points, label=self.class_numbers(len(points), one)
            )
            for one in classes
        ]
        return np.logaddexp.reduce(each, axis=0) - np.float32(math.log(len(each)))


def _runge_kutta(
    change: Callable[[Any, Any], Any], state: Any, start: float, end: float, steps: int
) -> Any:
    """Follow ``d state / d time = change(state, time)`` from one time to another."""
    length = (end - start) / steps

    def step(number: Any, state: Any) -> Any:
        time = start + length * ops.cast(number, "float32")
        first = change(state, time)
        second = change(state + 0.5 * length * first, time + 0.5 * length)
        third = change(state + 0.5 * length * second, time + 0.5 * length)
        fourth = change(state + length * third, time + length)
        return state + length / 6 * (first + 2 * second + 2 * third + fourth)

    return genkit.loop(step, state, steps)
