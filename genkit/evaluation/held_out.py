"""Whether the data that samples are compared with was held out from training."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.evaluation.extractors.images import eight_bits
from genkit.evaluation.streams import batches_of

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.plugins.specs import Field

SHARED = 0.05
"""Share of the reference that may be training items; data sets repeat a few pictures."""


def shared_items(training: Source, reference: Source, fields: Sequence[str]) -> float:
    """Return the share of the reference's items that are training items, beyond chance.

    Where many training items are there more than once, as rows of few categories are, so many of
    the reference's are like one without being it: their share is taken off.

    Args:
        training: what a model was trained on.
        reference: what its items are compared with.
        fields: in which of them items must be equal, in all; images to 8 bits.
    """
    known, counts = np.unique(np.concatenate(_digests(training, fields)), return_counts=True)
    shared = float(np.isin(np.concatenate(_digests(reference, fields)), known).mean())
    return max(0.0, shared - float(counts[counts > 1].sum() / counts.sum()))


def digests(rows: Iterable[np.ndarray]) -> np.ndarray:
    """Return a 64-bit digest of each row's bytes: equal for equal rows, and else different."""
    found = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(found), np.uint64)


def _digests(source: Source, fields: Sequence[str]) -> list[np.ndarray]:
    return [
        digests(np.concatenate([_as_bytes(batch.fields[n], source.schema[n]) for n in fields], 1))
        for batch in batches_of(source, fields[0], None, fields)
    ]


def _as_bytes(items: Any, field: Field) -> np.ndarray:
    """Return items as bytes, uint8 of shape ``(n, bytes of an item)``.

    Of those that vary in length, and of text, they are the bytes of a digest; a masked one has a
    byte that says so.
    """
    if field.modality == "image" and field.range is not None:
        items = eight_bits(items, field).astype(np.uint8)
    if isinstance(items, list) or items.dtype == object:
        rows = [
            np.frombuffer(each.encode(), np.uint8) if isinstance(each, str) else each
            for each in items
        ]
        return digests(rows).view(np.uint8).reshape(len(rows), -1)
    held, masked = np.ma.getdata(items), np.ma.getmaskarray(items)
    held = np.ascontiguousarray(np.where(masked, np.zeros((), held.dtype), held))
    parts = [held.reshape(len(held), -1).view(np.uint8)]
    if isinstance(items, np.ma.MaskedArray):
        parts.append(masked.reshape(len(held), -1).view(np.uint8))
    return np.concatenate(parts, axis=1)
