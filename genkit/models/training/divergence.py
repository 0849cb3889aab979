"""Training that went wrong, noticed at once."""

from __future__ import annotations

import math
from collections.abc import Mapping

from genkit.errors import DivergedError

EXPLODED = 1e6
"""How many times its size at step 1 a loss may reach."""


def check_losses(losses: Mapping[str, float], step: int, first: Mapping[str, float]) -> None:
    """Stop at the first loss that is no number, or a million times as large as at step 1.

    Args:
        losses: of this step.
        step: its number.
        first: the losses of step 1.

    Raises:
        DivergedError: with the loss and the step.
    """
    for name, value in losses.items():
        begun = first.get(name, value)
        if not math.isfinite(value) or abs(value) > EXPLODED * max(1.0, abs(begun)):
            before = f", after {begun:.4g} at step 1" if step > 1 else ""
            raise DivergedError(
                f"The loss {name!r} became {value:.4g} at step {step}{before}.",
                "Lower the learning rate, clip gradients (global_clipnorm of the optimizer) or "
                "look for bad values in the data; the last checkpoint is from before.",
            )
