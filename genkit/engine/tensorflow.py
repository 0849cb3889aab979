"""TensorFlow: a ``tf.function`` around a gradient tape.

On CPU the plain graph beats XLA (0.21 s against 0.55 s for a DCGAN step), on accelerators XLA
fuses what the graph does not.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from genkit.engine.base import (
    Engine,
    LossFn,
    StepFn,
    clip_factor,
    fill_missing,
    refuse_batch_statistics,
    split_loss,
)


class BackendEngine(Engine):
    """The engine for TensorFlow."""

    def gradients(
        self, name: str, fn: LossFn, *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        values = [v.value for v in self.model.owned_variables(name)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss, logs = split_loss(fn(*inputs))
            scaled = self.model.optimizers[name].scale_loss(loss)
        return (loss, logs), fill_missing(name, tape.gradient(scaled, values), values)

    def per_example_gradients(
        self, name: str, fn: LossFn, *inputs: Any, clip: float
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        refuse_batch_statistics(name, self.model.owned_layers(name))
        values = [v.value for v in self.model.owned_variables(name)]
        inputs = tf.nest.map_structure(tf.convert_to_tensor, inputs)
        batch_size = max(x.shape[0] for x in tf.nest.flatten(inputs) if x.shape.rank)

        def one(index: Any) -> tuple[Any, list[Any]]:
            example = tf.nest.map_structure(
                lambda x: x[index : index + 1] if x.shape.rank else x, inputs
            )
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(values)
                losses = split_loss(fn(*example))
            gradients = fill_missing(name, tape.gradient(losses[0], values), values)
            factor = clip_factor(gradients, clip)
            return losses, [g * factor for g in gradients]

        # One example after the other: memory stays that of one gradient.
        total = one(0)
        for index in range(1, batch_size):
            total = tf.nest.map_structure(tf.add, total, one(index))
        losses, gradients = tf.nest.map_structure(lambda x: x / batch_size, total)
        return losses, self._scaled(name, gradients)

    def _compile(self, fn: StepFn) -> StepFn:
        on_accelerator = bool(tf.config.list_physical_devices("GPU"))
        compiled: StepFn = tf.function(fn, jit_compile=on_accelerator, autograph=False)
        return compiled

    def compile_inference(self, fn: Callable[..., Any]) -> Callable[..., np.ndarray]:
        compiled = tf.function(fn, autograph=False)

        def run(**inputs: Any) -> np.ndarray:
            array: np.ndarray = compiled(**inputs).numpy()
            return array

        return run

    @staticmethod
    def input_gradient(fn: Callable[[Any], Any], x: Any) -> Any:
        x = tf.convert_to_tensor(x)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            y = keras.ops.sum(fn(x))
        return tape.gradient(y, x, unconnected_gradients="zero")

    def synchronize(self) -> None:
        tf.test.experimental.sync_devices()

    @staticmethod
    def device() -> dict[str, Any]:
        accelerators = tf.config.list_physical_devices("GPU")
        threads = tf.config.threading.get_intra_op_parallelism_threads()
        return {
            "platform": "gpu" if accelerators else "cpu",
            "device": accelerators[0].name if accelerators else "cpu",
            "threads": threads or os.cpu_count(),
        }

    def fetch(self, logs: Any) -> dict[str, float]:
        return {name: float(value) for name, value in logs.items()}
