"""How the posteriors of several modalities join: products and mixtures of diagonal normals.

Everything is a mixture of one component or more, so that whoever draws or weighs latents need not
know which model they are of. Arrays of experts have the shape ``(experts, batch, latent_dim)``.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from keras import ops

_NOTHING = -1e9  # log precision of an expert that isn't there


class Mixture(NamedTuple):
    """A mixture of diagonal normals for each item of a batch.

    Args:
        mean: ``(components, batch, latent_dim)``.
        log_variance: of the same shape.
        weight: of each component, ``(components, batch)``; the sum over components is 1.
    """

    mean: Any
    log_variance: Any
    weight: Any

    def draw(self, choice: Any, noise: Any) -> Any:
        """Draw latents ``(batch, draws, latent_dim)``.

        Args:
            choice: uniform on [0, 1), ``(batch, draws)``; chooses the component.
            noise: standard normal, ``(batch, draws, latent_dim)``.
        """
        ends = ops.cumsum(self.weight, axis=0)
        place = choice[None] * ends[-1][None, :, None]  # what rounding leaves beyond 1 is no gap
        before, after = (ends - self.weight)[..., None], ends[..., None]
        chosen = ops.cast((place >= before) & (place < after), "float32")[..., None]
        mean = ops.sum(chosen * self.mean[:, :, None], axis=0)
        log_variance = ops.sum(chosen * self.log_variance[:, :, None], axis=0)
        return mean + ops.exp(0.5 * log_variance) * noise

    def log_density(self, z: Any) -> Any:
        """Return the log density of latents ``(batch, draws, latent_dim)``: ``(batch, draws)``."""
        densities = normal_log_density(
            z[None], self.mean[:, :, None], self.log_variance[:, :, None]
        )
        weights = ops.log(ops.maximum(self.weight, 1e-30))[..., None]
        return ops.logsumexp(weights + densities, axis=0)

    def kl_to_prior(self) -> Any:
        """Return the weighted mean of the components' divergences from N(0, I): ``(batch,)``.

        It bounds the divergence of the mixture from above.
        """
        each = 0.5 * (ops.square(self.mean) + ops.exp(self.log_variance) - 1 - self.log_variance)
        return ops.sum(self.weight * ops.sum(each, axis=-1), axis=0)


def normal_log_density(z: Any, mean: Any, log_variance: Any) -> Any:
    """Return the log density of a diagonal normal, summed over the last axis."""
    squares = ops.square(z - mean) * ops.exp(-log_variance)
    return -0.5 * ops.sum(squares + log_variance + math.log(2 * math.pi), axis=-1)


def kl_between(mean: Any, log_variance: Any, other_mean: Any, other_log_variance: Any) -> Any:
    """Return the divergence of a diagonal normal from another, summed over the last axis."""
    ratio = log_variance - other_log_variance
    distance = ops.square(mean - other_mean) * ops.exp(-other_log_variance)
    return 0.5 * ops.sum(ops.exp(ratio) + distance - 1 - ratio, axis=-1)


def product(mean: Any, log_variance: Any, given: Any, *, prior: bool) -> tuple[Any, Any]:
    """Return the product of normal experts: mean and log variance.

    Wu and Goodman 2018, section 2.1: the precisions add up, and weigh the means. They are added as
    logarithms, so that a very sure expert overflows nothing.

    Args:
        mean: of the experts, ``(experts, batch, latent_dim)``.
        log_variance: of the same shape.
        given: 1 for an expert that is there, else 0: ``(experts, batch)``.
        prior: whether N(0, I) is one of the experts. Where no other is there it always is.

    Returns:
        two tensors ``(batch, latent_dim)``.
    """
    there = given[..., None]
    log_precision = there * -log_variance + (1 - there) * _NOTHING
    alone = 1 - ops.max(given, axis=0)[:, None]  # 1 where no expert is there
    of_prior = ops.zeros_like(mean[:1]) + (0.0 if prior else 1.0) * (1 - alone) * _NOTHING
    log_precision = ops.concatenate([log_precision, of_prior], axis=0)
    total = ops.logsumexp(log_precision, axis=0)
    shares = ops.exp(log_precision[:-1] - total)
    return ops.sum(shares * mean, axis=0), -total


def single(mean: Any, log_variance: Any) -> Mixture:
    """Return one normal, mean and log variance ``(batch, latent_dim)``, as a mixture."""
    return Mixture(mean[None], log_variance[None], ops.ones_like(mean[None, :, 0]))


def subsets_of(count: int, smallest: int = 1, largest: int | None = None) -> np.ndarray:
    """Return all subsets of so many experts, the small ones first: float32 ``(subsets, count)``."""
    sizes = range(smallest, (count if largest is None else largest) + 1)
    chosen = [each for size in sizes for each in combinations(range(count), size)]
    rows = np.zeros((len(chosen), count), "float32")
    for row, members in zip(rows, chosen, strict=True):
        row[list(members)] = 1
    return rows


def mixture_of_products(mean: Any, log_variance: Any, given: Any, subsets: np.ndarray) -> Mixture:
    """Return the mixture, in equal parts, of the products of subsets of the experts.

    A component counts for the items that have all its experts. Sutter et al. 2021, "Generalized
    Multimodal ELBO", equation 8; with subsets of one expert each it is the mixture of experts of
    Shi et al. 2019.

    Args:
        mean: of the experts, ``(experts, batch, latent_dim)``.
        log_variance: of the same shape.
        given: 1 for an expert that is there, else 0: ``(experts, batch)``.
        subsets: the components, ``(components, experts)``.
    """
    products, complete = [], []
    for row in subsets:
        members = np.flatnonzero(row)
        parts = [ops.stack([each[int(m)] for m in members]) for each in (mean, log_variance, given)]
        products.append(product(*parts, prior=False))
        complete.append(ops.prod(parts[2], axis=0))
    counted = ops.stack(complete)
    weight = counted / ops.maximum(ops.sum(counted, axis=0), 1)
    means, log_variances = zip(*products, strict=True)
    return Mixture(ops.stack(means), ops.stack(log_variances), weight)
