"""Labels that are hidden now and then in training, and guidance by them in generation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keras import ops

if TYPE_CHECKING:
    from collections.abc import Callable


def hidden(label: Any, draw: Any, share: float, no_label: int) -> Any:
    """Replace some labels by the one that means none.

    Args:
        label: integers ``(batch,)``.
        draw: uniform in [0, 1), ``(batch,)``.
        share: of labels that are hidden.
        no_label: the number that means no label.
    """
    return ops.where(draw < share, no_label, ops.cast(label, "int32"))


def guided(
    network: Callable[..., Any], x: Any, times: Any, label: Any, *, no_label: int, guidance: Any
) -> Any:
    """Return a network's answer, moved from that without a label through that with it, and beyond.

    Ho and Salimans 2022, "Classifier-Free Diffusion Guidance", equation 6 with w = guidance - 1.

    Args:
        network: takes a list of ``x``, times and, with labels, these.
        x: ``(batch, ...)``.
        times: ``(batch,)``.
        label: int32 ``(batch,)``; or None, for a network without labels.
        no_label: the number that means no label.
        guidance: a float or a scalar tensor; 1 is the answer with the label.
    """
    if label is None:
        return network([x, times], training=False)
    if isinstance(guidance, float) and guidance == 1.0:
        return network([x, times, label], training=False)
    both = [ops.concatenate([a, a], axis=0) for a in (x, times)]
    labels = ops.concatenate([label, no_label * ops.ones_like(label)], axis=0)
    with_label, without = ops.split(network([*both, labels], training=False), 2, axis=0)
    return without + guidance * (with_label - without)
