"""Losses between a generator and a discriminator that gives logits."""

from __future__ import annotations

from typing import Any

from keras import ops


def discriminator_non_saturating(real_logits: Any, fake_logits: Any) -> Any:
    """Score how badly real and generated items are told apart.

    Goodfellow et al. 2014, equation 1, negated: the mean of ``-log D(x)`` plus the mean of
    ``-log(1 - D(G(z)))``, with ``D = sigmoid(logits)``.

    Args:
        real_logits: shape ``(batch, ...)``.
        fake_logits: shape ``(batch, ...)``.

    Returns:
        a scalar; ``2 log 2 = 1.386`` for a discriminator that knows nothing.
    """
    real_logits, fake_logits = (ops.cast(x, "float32") for x in (real_logits, fake_logits))
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def generator_non_saturating(fake_logits: Any) -> Any:
    """Score how rarely generated items pass as real.

    Goodfellow et al. 2014, section 3: the mean of ``-log D(G(z))``, whose gradient does not
    vanish early in training.

    Args:
        fake_logits: shape ``(batch, ...)``.

    Returns:
        a scalar.
    """
    return ops.mean(ops.softplus(-ops.cast(fake_logits, "float32")))
