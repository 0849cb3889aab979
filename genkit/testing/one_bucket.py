"""Items of one bucket: data whose batches all have one shape, so that a step is compiled once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from genkit.data import Subset, bucket
from genkit.data.varying import lengths_of

if TYPE_CHECKING:
    from genkit.data import Source


def of_one_bucket(source: Source) -> Source:
    """Return the items that are padded to the lengths which most are padded to."""
    batch = source.gather(np.arange(len(source)))
    varying = [name for name, field in source.schema.fields.items() if field.varies]
    lengths = zip(*(lengths_of(batch, name).tolist() for name in varying), strict=True)
    buckets = [tuple(map(bucket, each)) for each in lengths]
    usual, _ = Counter(buckets).most_common(1)[0]
    return Subset(source, np.flatnonzero([each == usual for each in buckets]))
