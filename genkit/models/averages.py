"""Averages of a network's weights and running numbers, kept beside them while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from genkit.errors import UsageError


class Averages:
    """Averages whose weighing of the past halves with each so many items, at first with fewer.

    Karras et al. 2018, "Progressive Growing of GANs", section 5, with the ramp of Karras et al.
    2020, "Training Generative Adversarial Networks with Limited Data": a step on ``n`` items keeps
    ``0.5 ** (n / half_life)`` of an average, where the half-life is at most a share of the items
    seen so far, so that the initial weights are forgotten soon.

    Args:
        variables: Keras variables; those of a float type are averaged.
        half_life: in items, above zero.
        ramp: that share, above zero; 0: none, the half-life is the same from the first step on.

    Raises:
        UsageError: a half-life or a ramp that is none.
    """

    def __init__(self, variables: Sequence[Any], half_life: float, ramp: float) -> None:
        if not half_life > 0 or ramp < 0:
            raise UsageError(
                f"Expected a half-life above 0 items and a ramp of at least 0; received "
                f"{half_life} and {ramp}."
            )
        self.half_life, self.ramp = half_life, ramp
        self.pairs = [
            (variable, keras.Variable(_numbers(variable), dtype=variable.dtype, trainable=False))
            for variable in variables
            if "float" in keras.backend.standardize_dtype(variable.dtype)
        ]
        """Each variable and its average."""

    def kept(self, step: int, items: int) -> float:
        """Return how much of an average a step keeps.

        Args:
            step: how many were done before it.
            items: of each step.
        """
        half_life = self.half_life
        if self.ramp:
            half_life = min(half_life, self.ramp * step * items)
        return 0.5 ** (items / half_life) if half_life else 0.0

    def update(self, kept: Any) -> None:
        """Move the averages towards the variables, inside a step that has updated these."""
        for variable, average in self.pairs:
            new = ops.stop_gradient(ops.convert_to_tensor(variable))
            average.assign(new + ops.cast(kept, new.dtype) * (average - new))

    def use(self) -> None:
        """Set the variables to their averages."""
        for variable, average in self.pairs:
            variable.assign(_numbers(average))


def _numbers(variable: Any) -> np.ndarray:
    # A copy: JAX would refuse to donate a buffer that two variables share.
    return np.array(ops.convert_to_numpy(variable.value))
