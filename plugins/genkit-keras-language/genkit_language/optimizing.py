"""How the decoder is trained: optimizers whose decay is for matrices alone, and their rates."""

from __future__ import annotations

import math
from typing import Any

import keras

from genkit_language.configs import GPTConfig


def optimizer_for(config: GPTConfig, network: Any) -> Any:
    """Return the optimizer of a decoder.

    With ``muon`` the matrices of blocks follow Muon (Jordan et al. 2024), scaled so that one rate
    does for all (Liu et al. 2025), and all else Adam; with ``adamw`` all follow Adam, and matrices
    decay (Loshchilov and Hutter 2019). Narrow matrices beside frozen ones follow it always: Muon is
    for those that are of full rank.
    """
    if config.optimizer == "muon" and not config.lora_rank:
        return keras.optimizers.Muon(
            config.learning_rate,
            adam_beta_2=config.beta_2,
            adam_weight_decay=None,
            weight_decay=config.weight_decay,
            global_clipnorm=config.clip,
            exclude_layers=["table$", "head$", "places$"],
        )
    optimizer = keras.optimizers.AdamW(
        config.learning_rate,
        weight_decay=config.weight_decay,
        beta_2=config.beta_2,
        epsilon=1e-8,
        global_clipnorm=config.clip,
    )
    flat = [each for each in network.trainable_variables if len(each.shape) < 2]  # noqa: PLR2004
    optimizer.exclude_from_weight_decay(var_list=flat)
    return optimizer


def rate_factor(config: GPTConfig, step: int, total: float) -> float:
    """Return what the learning rate is multiplied by: a warm-up, then half a cosine to the end.

    Args:
        config: of the model.
        step: how many steps were done.
        total: how many there are; infinite while nobody knows, and then it doesn't fall.
    """
    if step < config.warmup_steps:
        return (step + 1) / (config.warmup_steps + 1)
    done = min(1.0, (step - config.warmup_steps) / max(1.0, total - config.warmup_steps))
    return config.least_rate + (1 - config.least_rate) * (1 + math.cos(math.pi * done)) / 2
