"""What every baseline starts from: GenKit's initial weights and each case's optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Adam:
    """Settings of Adam (Kingma and Ba 2015); the defaults are those of Keras."""

    learning_rate: float
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7


ADAM = {
    "dcgan": Adam(2e-4, beta_1=0.5),
    "vae": Adam(1e-3),
    "mlp-gan": Adam(2e-4, beta_1=0.5),
    "wgan-gp": Adam(1e-4, beta_1=0.0, beta_2=0.9),
    "generation": Adam(2e-4, beta_1=0.5),
}
_VARIANTS = {
    "jax": ("jit", "jit sub-pixel"),
    "tensorflow": ("function", "function xla"),
    "torch": ("eager", "eager channels-last", "compile", "compile channels-last"),
}
LEAKY_SLOPE = 0.2
BATCH_NORM_MOMENTUM = 0.99
# A hand-written loop keeps the generator's first pass for its second use; GenKit's model states
# both, and the averages move twice.
BATCH_NORM_MOMENTUM_OF_TWO = 0.99**2
BATCH_NORM_EPSILON = 1e-3
PENALTY = 10.0


def layer_weights(weights: Mapping[str, np.ndarray], network: str) -> list[dict[str, np.ndarray]]:
    """Return the weights of a network by name, layer by layer; layers without any are left out.

    Args:
        weights: of the whole model by structure key, ``generator/layers/0/kernel``.
        network: the first part of the key.
    """
    layers: dict[int, dict[str, np.ndarray]] = {}
    for key, array in weights.items():
        owner, _, index, name = key.split("/")
        if owner == network:
            layers.setdefault(int(index), {})[name] = array
    return [layers[index] for index in sorted(layers)]


def variants(backend: str, case: str) -> tuple[str, ...]:
    """List the forms in which a baseline runs a case: compilers, layouts, convolutions."""
    if case == "mlp-gan":  # no convolution to lay out or rewrite
        return {"jax": ("jit",), "torch": ("eager", "compile")}.get(backend, _VARIANTS[backend])
    if case == "wgan-gp" and backend == "torch":  # what it compiles can't be differentiated twice
        return ("eager", "eager channels-last")
    return _VARIANTS[backend]


def refuse_unknown(backend: str, case: str, variant: str) -> None:
    """Refuse a variant that a baseline does not offer for a case.

    Raises:
        ValueError: with the variants there are.
    """
    known = variants(backend, case)
    if variant not in known:
        raise ValueError(
            f"Expected one of the variants {', '.join(known)} for {case}; received {variant!r}."
        )
