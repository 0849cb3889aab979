"""Losses between a discriminator (or critic) and a generator, from the discriminator's scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from keras import ops


@dataclass(frozen=True)
class AdversarialLoss:
    """What the two players minimise. Scores have the shape ``(batch, ...)``, losses are scalars.

    Args:
        discriminator: from the scores of real and of generated items.
        generator: from the scores of generated items; of real and of generated ones if ``paired``.
        paired: whether the generator's loss sees both.
    """

    discriminator: Callable[[Any, Any], Any]
    generator: Callable[..., Any]
    paired: bool = False


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
    real_logits, fake_logits = _float32(real_logits, fake_logits)
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
    return ops.mean(ops.softplus(-_float32(fake_logits)[0]))


def generator_minimax(fake_logits: Any) -> Any:
    """Return the mean of ``log(1 - D(G(z)))``: Goodfellow et al. 2014, equation 1."""
    return -ops.mean(ops.softplus(_float32(fake_logits)[0]))


def discriminator_least_squares(real_scores: Any, fake_scores: Any) -> Any:
    """Return ``mean (D(x) - 1)^2 / 2 + mean D(G(z))^2 / 2``: Mao et al. 2017, equation 9."""
    real_scores, fake_scores = _float32(real_scores, fake_scores)
    return 0.5 * (ops.mean(ops.square(real_scores - 1.0)) + ops.mean(ops.square(fake_scores)))


def generator_least_squares(fake_scores: Any) -> Any:
    """Return ``mean (D(G(z)) - 1)^2 / 2``: Mao et al. 2017, equation 9."""
    return 0.5 * ops.mean(ops.square(_float32(fake_scores)[0] - 1.0))


def discriminator_hinge(real_scores: Any, fake_scores: Any) -> Any:
    """Return ``mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z)))``: Miyato et al. 2018, eq. 16."""
    real_scores, fake_scores = _float32(real_scores, fake_scores)
    return ops.mean(ops.relu(1.0 - real_scores)) + ops.mean(ops.relu(1.0 + fake_scores))


def discriminator_wasserstein(real_scores: Any, fake_scores: Any) -> Any:
    """Return ``mean D(G(z)) - mean D(x)``: Arjovsky et al. 2017, equation 2, negated."""
    real_scores, fake_scores = _float32(real_scores, fake_scores)
    return ops.mean(fake_scores) - ops.mean(real_scores)


def generator_score(fake_scores: Any) -> Any:
    """Return ``-mean D(G(z))``, the generator's side of the hinge and the Wasserstein loss."""
    return -ops.mean(_float32(fake_scores)[0])


def discriminator_relativistic(real_scores: Any, fake_scores: Any) -> Any:
    """Return the mean of ``softplus(D(G(z)) - D(x))`` over pairs: a real item scores higher.

    Jolicoeur-Martineau 2018, "The relativistic discriminator", section 3.2; Huang et al. 2024,
    "The GAN is dead; long live the GAN!", equation 2: its landscape has no modes to collapse to.

    Args:
        real_scores: shape ``(batch, ...)``.
        fake_scores: the same shape; each pair is a real and a generated item at one place.

    Returns:
        a scalar; ``log 2 = 0.693`` for a discriminator that knows nothing.
    """
    real_scores, fake_scores = _float32(real_scores, fake_scores)
    return ops.mean(ops.softplus(fake_scores - real_scores))


def generator_relativistic(real_scores: Any, fake_scores: Any) -> Any:
    """Return the mean of ``softplus(D(x) - D(G(z)))`` over pairs: a generated item scores higher.

    The discriminator's loss, ``discriminator_relativistic``, with the roles exchanged.
    """
    return discriminator_relativistic(fake_scores, real_scores)


ADVERSARIAL_LOSSES: Mapping[str, AdversarialLoss] = MappingProxyType(
    {
        "minimax": AdversarialLoss(discriminator_non_saturating, generator_minimax),
        "non-saturating": AdversarialLoss(discriminator_non_saturating, generator_non_saturating),
        "least-squares": AdversarialLoss(discriminator_least_squares, generator_least_squares),
        "hinge": AdversarialLoss(discriminator_hinge, generator_score),
        "wasserstein": AdversarialLoss(discriminator_wasserstein, generator_score),
        "relativistic": AdversarialLoss(
            discriminator_relativistic, generator_relativistic, paired=True
        ),
    }
)


def _float32(*scores: Any) -> list[Any]:
    return [ops.cast(score, "float32") for score in scores]
