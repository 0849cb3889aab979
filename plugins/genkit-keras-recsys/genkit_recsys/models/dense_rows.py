"""Dense rows of histories, made on the device: a batch on the host costs what histories hold."""

from __future__ import annotations

from typing import Any

from keras import ops


def dense_rows(items: Any, lengths: Any, n_items: int) -> Any:
    """Return ones where there was an interaction, and zeros elsewhere; on tensors.

    Args:
        items: item numbers, int32 of shape ``(batch, size)``, anything behind each history.
        lengths: how many items each history has, int32 of shape ``(batch,)``.
        n_items: how many items there are.

    Returns:
        float32 of shape ``(batch, n_items)``.
    """
    batch, size = ops.shape(items)
    # Behind a history its first item stands again, and is set once more; that of an empty one is
    # set to 0. So nothing is added up, and places that are set twice have one value.
    there = ops.arange(size, dtype="int32")[None] < lengths[:, None]
    items = ops.where(there, items, items[:, :1])
    rows = ops.broadcast_to(ops.arange(batch, dtype="int32")[:, None], (batch, size))
    ones = ops.broadcast_to(ops.cast(lengths > 0, "float32")[:, None], (batch, size))
    places = ops.reshape(ops.stack([rows, items], axis=-1), (-1, 2))
    zeros = ops.zeros((batch, n_items), "float32")
    return ops.scatter_update(zeros, places, ops.reshape(ones, (-1,)))
