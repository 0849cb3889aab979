"""Recommendations for all users of a model, into a Parquet file, a block of users at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import DataError
from genkit_recsys.index import ItemIndex
from genkit_recsys.ranking import Scorer
from genkit_recsys.rankings import Block, exact_rankings
from genkit_recsys.recommending import Filters

if TYPE_CHECKING:
    from genkit_recsys.archive import Archive


def recommend_to_all(
    model: Scorer, out: Path, filters: Filters, *, approximate: bool
) -> dict[str, Any]:
    """Write ``user, rank, id, title, score`` for every user that training has seen.

    The file is written whole or not at all.

    Args:
        model: a trained recommender.
        out: the file.
        filters: what else decides.
        approximate: find items by an approximate index.

    Returns:
        ``{"out", "users", "rows", "index"}``; ``index`` is None, or has its recall.

    Raises:
        DataError: pyarrow is not installed, or the disk refuses.
        UsageError: a model without item vectors for the index.
    """
    archive = model.archive
    users = np.flatnonzero(archive.seen.lengths).astype(np.int32)
    rankings, index = exact_rankings(model, users, filters), None
    if approximate:
        found = ItemIndex(model)
        index = found.measure_recall(users, filters)
        rankings = found.rankings(users, filters)
    partial = out.with_name(f".{out.name}.partial")
    try:
        rows = _write(partial, rankings, archive)
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataError(f"The file {out} can't be written: {error.strerror}.") from error
    return {"out": str(out), "users": len(users), "rows": rows, "index": index}


def _write(file: Path, rankings: Iterator[Block], archive: Archive) -> int:
    """Write blocks of rankings as they come; give the number of rows."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            "Expected pyarrow, which writes Parquet; it is not installed.",
            "Install it with: pip install 'genkit-keras-recsys[parquet]'",
        ) from error
    kinds = (pa.string(), pa.int32(), pa.string(), pa.string(), pa.float32())
    columns = pa.schema(list(zip(("user", "rank", "id", "title", "score"), kinds, strict=True)))
    rows = 0
    with parquet.ParquetWriter(file, columns) as writer:
        for block, items, scores in rankings:
            place, rank = np.nonzero(items >= 0)
            chosen = items[place, rank]
            values = [
                [archive.users[user] for user in block[place]],
                (rank + 1).astype(np.int32),
                [archive.items[item] for item in chosen],
                [archive.titles[item] for item in chosen],
                scores[place, rank].astype(np.float32),
            ]
            writer.write_table(pa.table(values, schema=columns))
            rows += len(chosen)
    return rows
