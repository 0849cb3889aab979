"""The likelihood of items under a latent-variable model, estimated by importance sampling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data import sample_rng

if TYPE_CHECKING:
    from genkit.builtin.models.vae import VAE

_AT_ONCE = 10  # samples an item in one pass: the decoder then works on 640 latents


def importance_nll(
    model: VAE,
    items: np.ndarray,
    samples: int = 100,
    seed: int = 0,
    label: Sequence[int | str] | None = None,
) -> np.ndarray:
    """Bound ``-log p(x)`` of each item from above, in nats.

    Burda et al. 2016, "Importance Weighted Autoencoders", equation 8: with ``k`` samples from the
    encoder, ``-log mean p(x, z) / q(z | x)``. The bound falls towards the true value as ``k``
    grows, so it is stated with its ``k``.

    Args:
        model: has ``log_weights``, as ``vae`` and its kin do.
        items: shape ``(n, height, width, channels)`` in the schema's range.
        samples: ``k``, a multiple of 10.
        seed: of the samples; item ``i``'s depend only on (seed, i).
        label: for a conditional model, the class of each.

    Returns:
        float64 array of shape ``(n,)``.
    """
    if samples < _AT_ONCE or samples % _AT_ONCE:
        raise ValueError(f"Expected a multiple of {_AT_ONCE} samples; received {samples}.")
    latent_dim: Any = model.config.latent_dim
    streams = [sample_rng(seed, index) for index in range(len(items))]
    labels = model.label_input(len(items), label)
    log_weights = []
    for _ in range(samples // _AT_ONCE):
        shape = (_AT_ONCE, latent_dim)
        noise = np.stack([stream.standard_normal(shape, dtype="float32") for stream in streams])
        log_weights.append(model.map_items("log_weights", items=items, noise=noise, **labels))
    together = np.concatenate(log_weights, axis=1).astype(np.float64)
    from scipy.special import logsumexp

    bounds: np.ndarray = np.log(samples) - logsumexp(together, axis=1)
    return bounds
