"""Tables as they come: files of CSV and Parquet, frames of pandas, Polars and Arrow."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from genkit.errors import DataError

_DELIMITERS = (",", ";", "\t", "|")
_WORDS = {"tab": "\t", "\\t": "\t"}
_WIDTH = "another number of cells than the head"


@dataclass(frozen=True)
class RawTable:
    """Columns of Arrow, by name, with nulls for what is missing.

    Args:
        columns: in order.
        is_text: whether all are text that is still to be read: those of CSV.
        frame: ``"pandas"``, ``"polars"``, ``"arrow"``, or ``"csv"``, ``"parquet"``.
        dtypes: what each was stored as, where a frame says more than Arrow.
        labels: names that are no text, by the text that stands for them.
        left_out: rows that could not be read, by reason.
    """

    columns: Mapping[str, pa.ChunkedArray]
    is_text: bool = False
    frame: str = ""
    dtypes: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, int] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values())))

    @property
    def delimited(self) -> bool:
        """Whether it is a file of text."""
        return self.frame == "csv"


def read_file(
    path: Path, *, delimiter: str = "", encoding: str = "", missing: Collection[str] = ()
) -> RawTable:
    """Read a file: Parquet by its first bytes, or CSV, packed as .gz, .bz2, .zst or not.

    Args:
        path: where it lies.
        delimiter: what parts the cells of CSV: a character, or tab; found out when left out.
        encoding: of CSV; UTF-8, or what a byte order mark says, when left out.
        missing: cells that stand for nothing, beside empty ones.

    Raises:
        DataError: it can't be read, or has no rows, no columns, or two of one name.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(4)
        if begin == b"PAR1":
            table, left_out = pq.read_table(path), {}
        else:
            table, left_out = _read_csv(path, delimiter, encoding)
    except OSError as error:
        raise DataError(f"Expected a table in {path}: {error.strerror or error}.") from error
    except (pa.ArrowException, UnicodeError, LookupError) as error:
        raise DataError(f"Expected a table of CSV or Parquet in {path}: {_line(error)}.") from error
    is_text = begin != b"PAR1"
    columns = _columns(table, str(path))
    columns = {name: _without(column, missing) for name, column in columns.items()}
    frame = "csv" if is_text else "parquet"
    return RawTable(columns, is_text, frame, left_out=left_out)


def of_frame(data: Any) -> RawTable:
    """Take a frame of pandas, Polars or Arrow.

    Raises:
        DataError: it has no rows or columns, two of one name, or values of no table.
    """
    home = type(data).__module__.partition(".")[0]
    if home == "pandas":
        return _of_pandas(data if hasattr(data, "columns") else data.to_frame())
    if home == "polars":
        data = data.collect() if hasattr(data, "collect") else data
        return _of_polars(data if hasattr(data, "columns") else data.to_frame())
    return RawTable(_columns(data, "the table"), frame="arrow")


def _of_polars(data: Any) -> RawTable:
    dtypes = {name: str(kind) for name, kind in zip(data.columns, data.dtypes, strict=True)}
    columns = {}
    for name, kind in dtypes.items():
        try:
            columns[name] = pa.chunked_array([data[name].to_arrow()])
        except pa.ArrowException as error:
            raise DataError(
                f"Expected numbers, text, dates or truth values in {name!r}; received {kind}."
            ) from error
    table = pa.table(columns) if columns else pa.table({})
    return RawTable(_columns(table, "the frame"), frame="polars", dtypes=dtypes)


def _of_pandas(data: Any) -> RawTable:
    if not data.columns.is_unique:
        twice = data.columns[data.columns.duplicated()][0]
        raise DataError(f"Expected columns with different names; {str(twice)!r} occurs twice.")
    labels = {str(name): name for name in data.columns if not isinstance(name, str)}
    if any(not isinstance(each, int) for each in labels.values()):
        strange = next(each for each in labels.values() if not isinstance(each, int))
        raise DataError(f"Expected columns named by text or whole numbers; received {strange!r}.")
    columns = {}
    for name in data.columns:
        series = data[name]
        try:
            columns[str(name)] = pa.chunked_array([pa.array(series, from_pandas=True)])
        except (pa.ArrowException, TypeError, OverflowError, UnicodeError) as error:
            raise DataError(
                f"Expected values of one kind in the column {str(name)!r}: {_line(error)}."
            ) from error
    if len(columns) < len(data.columns):
        raise DataError("Expected columns with different names; some are the same as text.")
    dtypes = {
        str(name): _dtype(str(data[name].dtype), columns[str(name)].type) for name in data.columns
    }
    table = pa.table(columns) if columns else pa.table({})
    return RawTable(
        _columns(table, "the frame"),
        frame="pandas",
        dtypes=dtypes,
        labels={name: int(label) for name, label in labels.items()} or None,
    )


def _dtype(name: str, kind: pa.DataType) -> str:
    """Return pandas' name of a dtype, with Arrow's of what it holds where it tells too little."""
    if pa.types.is_decimal(kind):
        return f"{name} of {kind}"
    if pa.types.is_dictionary(kind) and not pa.types.is_string(kind.value_type):
        return f"{name} of {kind.value_type}"
    return name


def _columns(table: pa.Table, where: str) -> dict[str, pa.ChunkedArray]:
    names = table.column_names
    if twice := [name for name in names if names.count(name) > 1]:
        raise DataError(
            f"Expected columns with different names in {where}; {twice[0]!r} occurs twice."
        )
    if not names or not table.num_rows:
        what = "columns" if not names else "rows"
        raise DataError(f"Expected a table with rows and columns in {where}; it has no {what}.")
    return dict(zip(names, map(_plain, table.columns), strict=True))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of text in the usual type of text."""
    return column.cast(pa.string()) if str(column.type) == "string_view" else column


def _without(column: pa.ChunkedArray, missing: Collection[str]) -> pa.ChunkedArray:
    """Return a column of text with nulls for the cells that stand for nothing."""
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return column
    if not missing:
        return column
    stands = pa.array(sorted(missing), column.type)
    return pc.if_else(pc.is_in(column, stands), pa.scalar(None, column.type), column)


def _read_csv(path: Path, delimiter: str, encoding: str) -> tuple[pa.Table, dict[str, int]]:
    """Read every cell as text; rows of another width are counted and left out."""
    left_out: dict[str, int] = {}

    unclosed: list[str] = []

    def skip(row: Any) -> str:
        left_out[_WIDTH] = left_out.get(_WIDTH, 0) + 1
        if "\n" in row.text and row.text.count('"') % 2:
            unclosed.append(row.text)
        return "skip"

    head, encoding = _head(path, encoding)
    parted = _WORDS.get(delimiter, delimiter) or max(_DELIMITERS, key=head.count)
    if len(parted) != 1:
        raise DataError(f"Expected one character or tab as a delimiter; received {delimiter!r}.")
    parsing = {"delimiter": parted, "newlines_in_values": True, "invalid_row_handler": skip}
    with pa.input_stream(str(path), compression="detect") as stream:
        reading = pa_csv.ReadOptions(encoding=encoding)
        found = pa_csv.open_csv(stream, reading, pa_csv.ParseOptions(**parsing))
        names = found.schema.names
    parsing["ignore_empty_lines"] = len(names) > 1  # else an empty line is a cell without a value
    if twice := [name for name in names if names.count(name) > 1]:
        raise DataError(f"Expected one column {twice[0]!r} in {path}; it has several.")
    types = dict.fromkeys(names, pa.string())
    left_out.clear()
    with pa.input_stream(str(path), compression="detect") as stream:
        table = pa_csv.read_csv(
            stream,
            pa_csv.ReadOptions(encoding=encoding),
            pa_csv.ParseOptions(**parsing),
            pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    last = table.columns[-1][-1].as_py() if table.num_rows else ""
    if unclosed or ("\n" in last and not _end(path).endswith(b'"')):
        raise DataError(
            f"Expected a quotation mark at the end of a cell in {path}: one isn't closed, and "
            "hides the rows behind it.",
            "Close it, or write it twice within a cell in quotation marks.",
        )
    return table, left_out


def _end(path: Path) -> bytes:
    """Return the end of a file of text, without line ends."""
    end = b""
    with pa.input_stream(str(path), compression="detect") as stream:
        while part := stream.read(1 << 20):
            end = (end + part)[-64:]
    return end.rstrip(b"\r\n\0")


def _head(path: Path, encoding: str) -> tuple[str, str]:
    """Return the first line of a file of text, and its encoding."""
    with pa.input_stream(str(path), compression="detect") as stream:
        begin = stream.read(1 << 16)
    if not encoding:
        wide = begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = "utf-16" if wide else "utf-8"
    if b"\0" in begin and not encoding.lower().replace("-", "").startswith("utf16"):
        raise DataError(f"Expected a table of CSV or Parquet in {path}; it is no text.")
    lines = begin.decode(encoding, errors="replace").splitlines()
    return (lines[0] if lines else ""), encoding


def _line(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split())[:200].rstrip(".")
