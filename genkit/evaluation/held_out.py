"""Whether the data that samples are compared with was held out from training."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from genkit.evaluation.extractors.images import eight_bits
from genkit.evaluation.streams import batches_of

if TYPE_CHECKING:
    from genkit.data import Source

SHARED = 0.05
"""Share of the reference that may be training items; data sets repeat a few pictures."""


def shared_items(training: Source, reference: Source, field: str) -> float:
    """Return the share of the reference's items that are training items: images to 8 bits."""
    known = np.concatenate(_digests(training, field))
    return float(np.isin(np.concatenate(_digests(reference, field)), known).mean())


def digests(rows: np.ndarray) -> np.ndarray:
    """Return a 64-bit digest of each row's bytes: equal for equal rows, and else different."""
    found = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in rows]
    return np.frombuffer(b"".join(found), np.uint64)


def _digests(source: Source, name: str) -> list[np.ndarray]:
    field = source.schema[name]
    image = field if field.modality == "image" and field.range is not None else None
    return [
        digests(eight_bits(batch.items, image).astype(np.uint8) if image else batch.items)
        for batch in batches_of(source, name, None)
    ]
