"""Files of tables, whatever their form: text, packed or not, and Parquet."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from genkit.data.tables import Dialect, TableChunk, read_table
from genkit.errors import DataError

_ROWS = 1 << 16
_PACKED = {".gz", ".bz2", ".xz", ".zip"}
_DELIMITERS = {".tsv": "\t", ".data": "\t", ".inter": "\t", ".item": "\t", ".user": "\t"}
_REMEDY = (
    "Name its columns, or number them from 0 on where there is no head: "
    "--data user_column=... --data item_column=..."
)


def table_chunks(
    file: Path, names: list[str], dialect: Dialect | None = None
) -> Iterator[TableChunk]:
    """Yield chunks of a table's rows, cut to some columns.

    Args:
        file: Parquet by its suffix or its first bytes, or text: RecBole's atomic files, ``.data``
            and ``.tsv`` with tabs, MovieLens' ``.dat`` with two colons, others with commas unless
            the dialect has another delimiter.
        names: of the columns; if all are numbers, those of a text without a head, from 0 on.
        dialect: how a text is written.

    Raises:
        DataError: the file can't be read, or lacks a column.
    """
    if _is_parquet(file):
        return _parquet_chunks(file, names)
    head = not all(name.isascii() and name.isdigit() for name in names)
    return read_table(file, names, _dialect(file, dialect), head=head, remedy=_REMEDY)


def place_in(file: Path) -> str:
    """Return what the numbers of a chunk's ``lines`` count: lines, or rows of Parquet."""
    return "row" if _is_parquet(file) else "line"


def suffix_of(file: Path) -> str:
    """Return the suffix in small letters, of what is inside if it is packed."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _dialect(file: Path, given: Dialect | None) -> Dialect:
    """Fill in what a file's suffix says of its form; MovieLens' older files are in Latin-1."""
    given, suffix = given or Dialect(), suffix_of(file)
    usual = "::" if suffix == ".dat" else _DELIMITERS.get(suffix, "")
    fallback = "latin-1" if suffix in {".dat", ".item"} else ""
    return dataclasses.replace(given, delimiter=given.delimiter or usual, fallback=fallback)


def _is_parquet(file: Path) -> bool:
    if file.suffix.lower() == ".parquet":
        return True
    with suppress(OSError):
        if file.is_file():
            with file.open("rb") as stream:
                return stream.read(4) == b"PAR1"
    return False


def _parquet_chunks(file: Path, names: list[str]) -> Iterator[TableChunk]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise DataError(
            "Expected pyarrow, which reads Parquet; it is not installed.",
            "Install it with: pip install 'genkit-keras-recsys[parquet]'",
        ) from error
    try:
        with parquet.ParquetFile(file) as table:
            there = list(table.schema_arrow.names)
            for name in names:
                if there.count(name) != 1:
                    raise DataError(
                        f"Expected one column {name!r} in {file}; it has {', '.join(there)[:200]}.",
                        _REMEDY,
                    )
            first = 1
            for batch in table.iter_batches(_ROWS, columns=names):
                columns = [_as_text(file, name, batch.column(name)) for name in names]
                rows: list[Sequence[str]] = list(zip(*columns, strict=True))
                yield TableChunk(rows, range(first, first + len(rows)))
                first += len(rows)
    except (OSError, ArrowException) as error:
        raise DataError(
            f"The file {file} can't be read: {reason_of(error)}.", "Copy or download it again."
        ) from error


def _as_text(file: Path, name: str, column: Any) -> list[str]:
    """Return the values of an Arrow array as text; times in ISO 8601, UTC."""
    from pyarrow import string, types

    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if types.is_nested(column.type):
        raise DataError(f"Expected text or numbers as {name!r} in {file}; it has {column.type}.")
    if types.is_timestamp(column.type) or types.is_date(column.type):
        times = column.to_numpy(zero_copy_only=False).astype("datetime64[us]")
        return ["" if text == "NaT" else text for text in np.datetime_as_string(times).tolist()]
    if types.is_binary(column.type) or types.is_large_binary(column.type):
        column = column.cast(string())
    return ["" if value is None else str(value) for value in column.to_pylist()]


def reason_of(error: Exception) -> str:
    """Return why a file can't be had, in one line: the system's words, without its number."""
    words = getattr(error, "strerror", None) or " ".join(str(error).split())
    return re.sub(r"\[Errno -?\d+\] ", "", words)[:300].rstrip(".")
