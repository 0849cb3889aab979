"""Which token comes next: its scores changed as asked, then drawn by a uniform number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

_NEVER = -1e9
_COLDEST = 1e-4  # below it scores would overflow; temperature 0 is told apart


def next_tokens(scores: Any, uniform: Any, asked: Mapping[str, Any], seen: Any = None) -> Any:
    """Draw a token for each row.

    Args:
        scores: ``(batch, size)``.
        uniform: a number from 0 to 1 a row, ``(batch,)``; with scores it decides alone.
        asked: scalar tensors: ``temperature``, and ``top_k``, ``top_p``, ``min_p`` and
            ``repetition_penalty`` where they are asked for.
        seen: which tokens each text has, bool ``(batch, size)``, for the penalty.

    Returns:
        int32 ``(batch,)``.
    """
    scores = ops.cast(scores, "float32")
    if "repetition_penalty" in asked:
        scores = against_repeats(scores, seen, asked["repetition_penalty"])
    likeliest = ops.cast(ops.argmax(scores, axis=-1), "int32")
    scores = scores / ops.maximum(asked["temperature"], _COLDEST)
    for name, keep in (("top_k", best), ("top_p", nucleus), ("min_p", likely)):
        if name in asked:
            scores = keep(scores, asked[name])
    return ops.where(asked["temperature"] > 0, pick(scores, uniform), likeliest)


def pick(scores: Any, uniform: Any) -> Any:
    """Draw a token from ``softmax(scores)``: the inverse of the distribution, at ``uniform``."""
    chances = ops.cumsum(ops.softmax(scores, axis=-1), axis=-1)
    # The sum of all chances is not quite 1: the last token that has one stands for the rest.
    wanted = ops.minimum(uniform[:, None], chances[:, -1:] * (1 - 1e-7))
    return ops.cast(ops.sum(ops.cast(chances <= wanted, "int32"), axis=-1), "int32")


def against_repeats(scores: Any, seen: Any, penalty: Any) -> Any:
    """Lower the scores of tokens that are there already (Keskar et al. 2019)."""
    return ops.where(seen, ops.where(scores > 0, scores / penalty, scores * penalty), scores)


def best(scores: Any, count: Any) -> Any:
    """Keep the ``count`` highest scores, and what equals the last of them."""
    ranked = _ranked(scores)
    place = ops.minimum(count, scores.shape[-1]) - 1
    return ops.where(scores >= ops.take(ranked, place, axis=-1)[:, None], scores, _NEVER)


def nucleus(scores: Any, share: Any) -> Any:
    """Keep the fewest likeliest that have this chance together (Holtzman et al. 2020)."""
    ranked = _ranked(scores)
    chances = ops.softmax(ranked, axis=-1)
    before = ops.cumsum(chances, axis=-1) - chances
    least = ops.min(ops.where(before < share, ranked, -_NEVER), axis=-1, keepdims=True)
    return ops.where(scores >= least, scores, _NEVER)


def likely(scores: Any, share: Any) -> Any:
    """Keep those with this share of the likeliest's chance (Nguyen et al. 2024)."""
    most = ops.max(scores, axis=-1, keepdims=True)
    return ops.where(scores >= most + ops.log(share), scores, _NEVER)


def _ranked(scores: Any) -> Any:
    return -ops.sort(-scores, axis=-1)
