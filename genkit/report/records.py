"""Records as files: CSV, JSON Lines and Parquet, written as the items come."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from genkit.errors import UsageError
from genkit.plugins.entry_points import DISTRIBUTION
from genkit.report.forms import is_scalar, is_text
from genkit.report.readable import ReadableColumn

if TYPE_CHECKING:
    from genkit.plugins.schema import Field

_ROWS = 1 << 16  # of a row group of Parquet: what waits in memory


def check_installed(format_: str) -> None:
    """Refuse a format whose package isn't there, before anything is computed for it.

    Raises:
        UsageError: with what to install.
    """
    if format_ == "parquet" and find_spec("pyarrow") is None:
        raise UsageError(
            "Writing Parquet needs the package pyarrow.",
            f"Install it with: pip install '{DISTRIBUTION}[parquet]', or take --format csv.",
        )


def write_records(
    batches: Iterable[Mapping[str, ReadableColumn]],
    fields: Mapping[str, Field | None],
    out: BinaryIO,
    format_: str,
) -> None:
    """Write rows as they come: any number of them in constant memory.

    Args:
        batches: columns by name, those of ``fields``.
        fields: what they are, in order; None for names, of classes or files.
        out: where to; it may be a pipe.
        format_: ``"csv"``, ``"jsonl"`` or ``"parquet"``.
    """
    {"csv": _write_csv, "jsonl": _write_jsonl, "parquet": _write_parquet}[format_](
        batches, fields, out
    )


def _write_csv(
    batches: Iterable[Mapping[str, ReadableColumn]],
    fields: Mapping[str, Field | None],
    out: BinaryIO,
) -> None:
    _write_rows([[*fields]], out)
    for batch in batches:
        columns = [batch[name].texts() for name in fields]
        _write_rows(list(zip(*columns, strict=True)), out)


def _write_rows(rows: Sequence[Any], out: BinaryIO) -> None:
    # Where lines end with "\n", csv takes "\r" for a letter like others, which it is to no reader.
    odd = any("\r" in text for row in rows for text in row)
    text = io.StringIO()
    rows_of = csv.writer(
        text, lineterminator="\n", quoting=csv.QUOTE_ALL if odd else csv.QUOTE_MINIMAL
    )
    rows_of.writerows(rows)
    out.write(text.getvalue().encode())


def _write_jsonl(
    batches: Iterable[Mapping[str, ReadableColumn]],
    fields: Mapping[str, Field | None],
    out: BinaryIO,
) -> None:
    for batch in batches:
        rows = zip(*(batch[name].jsons() for name in fields), strict=True)
        lines = [
            json.dumps(dict(zip(fields, row, strict=True)), ensure_ascii=False) for row in rows
        ]
        out.write("".join(f"{line}\n" for line in lines).encode())


def _write_parquet(
    batches: Iterable[Mapping[str, ReadableColumn]],
    fields: Mapping[str, Field | None],
    out: BinaryIO,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, _arrow_type(field)) for name, field in fields.items()])
    waiting: list[Any] = []
    count = 0
    with pq.ParquetWriter(_Counting(out), schema) as writer:
        for batch in batches:
            arrays = [
                pa.array(batch[name].values, type=schema.field(name).type, mask=batch[name].missing)
                for name in fields
            ]
            waiting.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
            count += len(waiting[-1])
            if count >= _ROWS:
                writer.write_table(pa.Table.from_batches(waiting))
                waiting, count = [], 0
        writer.write_table(pa.Table.from_batches(waiting, schema))


def _arrow_type(field: Field | None) -> Any:
    import pyarrow as pa

    if field is None or is_text(field) or field.dtype == "string":
        kind = pa.string()
    else:
        kind = pa.from_numpy_dtype(np.dtype(field.dtype))
    return kind if field is None or is_text(field) or is_scalar(field) else pa.list_(kind)


class _Counting:
    """A file of which pyarrow asks where it stands: a pipe doesn't know."""

    closed = False

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._count = out, 0

    def write(self, data: Any) -> int:
        self._count += self._out.write(data)
        return self._count

    def tell(self) -> int:
        return self._count

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        """Leave the file open: who opened it closes it."""
