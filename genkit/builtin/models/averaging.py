"""Adam that averages the weights it trains over a window that fits the run's length."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def averaging_adam(learning_rate: float, decay: float, window: float, **arguments: Any) -> Any:
    """Return Adam with averaged weights, if they are asked for.

    Args:
        learning_rate: the step size.
        decay: of the averages; 0 keeps none.
        window: width of the averages as a share of the steps so far, instead of a decay; or 0.
        **arguments: of ``keras.optimizers.Adam``.
    """
    if window:
        return WindowedAdam(learning_rate, window, **arguments)
    averages = {"use_ema": True, "ema_momentum": decay} if decay else {}
    return keras.optimizers.Adam(learning_rate, **arguments, **averages)


class WindowedAdam(keras.optimizers.Adam):
    """Adam whose averages span a share of the steps so far, and so of any run at its end.

    Karras et al. 2024, "Analyzing and Improving the Training Dynamics of Diffusion Models",
    equation 3: after step ``t`` an average keeps ``(1 - 1 / t) ** (1 / window)`` of itself. It is a
    mean of all weights so far, each ``s / t`` old weighing by ``(s / t) ** (1 / window - 1)``: the
    initial ones don't count, and the mean age is about ``window * t`` steps. With a decay that
    stays, a run that is shorter than expected averages over its beginning.

    Args:
        learning_rate: the step size.
        window: the share, in (0, 1).
        **arguments: of ``keras.optimizers.Adam``.
    """

    def __init__(self, learning_rate: float, window: float, **arguments: Any) -> None:
        super().__init__(learning_rate, use_ema=True, **arguments)
        self.window = window

    @property
    def ema_momentum(self) -> Any:
        """Share of themselves that averages keep in the update that is under way."""
        step = ops.cast(self.iterations, "float32") + 1
        return ops.power(1 - 1 / step, 1 / self.window)

    @ema_momentum.setter
    def ema_momentum(self, value: float) -> None:
        """Take no other: Keras sets its constant one while the optimizer is made."""
