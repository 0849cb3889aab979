"""The text of a table's file: what the file is, unpacked and decoded as a stream.

Memory stays that of a block whatever the file holds, and a small file that unpacks to a huge one
is refused.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from genkit.errors import DataError

_HEAD = 1 << 20
_FREE = 1 << 26  # bytes that any packed file may unpack to
_MOST_UNPACKED = 100  # times the packed size: tables come to 3 to 50
_MOST_NUL = 0.1  # of a text's bytes

_UNPACKERS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_ZIP = b"PK\x03\x04"
_UNPACK, _SAVE = "Unpack it, and name the unpacked file.", "Save it as CSV in UTF-8."
_NO_TABLES = (
    (b"\x28\xb5\x2f\xfd", "packed by Zstandard", _UNPACK),
    (b"\x04\x22\x4d\x18", "packed by LZ4", _UNPACK),
    (b"\x1f\x9d", "packed by compress", _UNPACK),
    (b"7z\xbc\xaf", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", _SAVE),
    (b"PAR1", "Parquet", _SAVE),
    (b"ARROW1", "an Arrow file", _SAVE),
    (b"ORC", "ORC", _SAVE),
    (b"Obj\x01", "Avro", _SAVE),
    (b"\x89HDF", "HDF5", _SAVE),
    (b"SQLite format 3", "an SQLite database", _SAVE),
    (b"\x93NUMPY", "a NumPy array", _SAVE),
    (b"\x80\x04", "a pickle, which is never opened", _SAVE),
    (b"\x80\x05", "a pickle, which is never opened", _SAVE),
    (b"%PDF", "a PDF", _SAVE),
    (b'{"', "JSON", _SAVE),
    (b"[{", "JSON", _SAVE),
    (b"<?xml", "XML", _SAVE),
    (b"<!doctype html", "a web page", "Download the file itself, not the page that shows it."),
    (b"<html", "a web page", "Download the file itself, not the page that shows it."),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file", "Run: git lfs pull"),
)
_BYTE_ORDER_MARKS = (  # UTF-32's begins as UTF-16's does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


@contextmanager
def open_text(
    file: Path, encoding: str = "", *, fallback: str = "", most: int | None = None
) -> Iterator[IO[str]]:
    """Open a file of text: as it is, or packed by gzip, bzip2, xz or zip.

    A byte order mark decides the encoding before all else, then zeros in every second byte, as in
    UTF-16, then ``encoding``; else it is UTF-8.

    Args:
        file: where it lies.
        encoding: by a name that Python knows; empty to find out.
        fallback: what is read in if it is none of these; empty to refuse it.
        most: bytes that it may have, unpacked; None for any number.

    Raises:
        DataError: it can't be read, is damaged, too large or no text; also inside the block.
    """
    with ExitStack() as opened, _faults(file):
        raw = opened.enter_context(file.open("rb", buffering=_HEAD))
        status = file.stat()
        stream = _unpacked(file, raw, opened)
        if stream is not raw and stat.S_ISREG(status.st_mode):
            bound = max(_FREE, _MOST_UNPACKED * status.st_size)
            told = f"The file {file} unpacks to more than {_MOST_UNPACKED} times its size."
            stream = _bounded(stream, bound, DataError(told, f"If that is right: {_UNPACK}"))
        if most is not None:
            told = f"Expected at most {most >> 20} MiB of text in {file}; it has more."
            stream = _bounded(stream, most, DataError(told, "Take a part of the rows."))
        head = stream.peek(1)
        _refuse_other_kinds(file, head)
        found = _encoding(head, encoding, fallback)
        text = _decoded(stream, found)
        try:
            yield text
        except UnicodeError as error:
            raise _undecodable(file, found, error) from error


@contextmanager
def _faults(file: Path) -> Iterator[None]:
    """Report what goes wrong with a file in one line."""
    try:
        yield
    except EOFError as error:
        raise DataError(f"The file {file} can't be read: it ends too early.", _AGAIN) from error
    except (zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise DataError(
            f"The file {file} can't be read: it is damaged, {error}.", _AGAIN
        ) from error
    except OSError as error:
        raise DataError(f"The file {file} can't be read: {error.strerror or error}.") from error


_AGAIN = "Copy or download it again."


def _unpacked(file: Path, raw: Any, opened: ExitStack) -> Any:
    """Return a buffered stream of what is inside."""
    head = raw.peek(1)
    if head.startswith(_ZIP):
        inner = opened.enter_context(_zip_member(file, raw, opened))
    else:
        unpack = next((u for mark, u in _UNPACKERS.items() if head.startswith(mark)), None)
        if unpack is None:
            return raw
        inner = opened.enter_context(unpack(raw))
    return io.BufferedReader(inner, _HEAD)


def _zip_member(file: Path, raw: Any, opened: ExitStack) -> Any:
    archive = opened.enter_context(zipfile.ZipFile(raw))
    names = archive.namelist()
    if "[Content_Types].xml" in names or "content.xml" in names:
        raise DataError(f"Expected a table of text in {file}; it is a spreadsheet.", _SAVE)
    files = [n for n in names if not n.endswith(("/", ".DS_Store")) and "__MACOSX" not in n]
    if len(files) != 1:
        raise DataError(
            f"Expected one file in {file}; it holds {len(files)}: {', '.join(files)[:200]}.",
            "Unpack it, and name the file.",
        )
    try:
        return archive.open(files[0])
    except (RuntimeError, NotImplementedError) as error:  # a password, another compression
        raise DataError(f"The file {file} can't be read: {error}.", _UNPACK) from error


class _Bounded(io.RawIOBase):
    """Bytes of a stream up to a number of them."""

    def __init__(self, stream: Any, most: int, error: DataError) -> None:
        self._stream, self._left, self._error = stream, most, error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count: int = self._stream.readinto1(buffer)
        self._left -= count
        if self._left < 0:
            raise self._error
        return count


def _bounded(stream: Any, most: int, error: DataError) -> io.BufferedReader:
    return io.BufferedReader(_Bounded(stream, most, error), _HEAD)


def _refuse_other_kinds(file: Path, head: bytes) -> None:
    """Refuse what is no text, by its first bytes.

    Raises:
        DataError: what it is, and what to do.
    """
    start = head[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for mark, what, remedy in _NO_TABLES:
        if head.startswith(mark) or start.startswith(mark):
            raise DataError(f"Expected a table of text in {file}; it is {what}.", remedy)
    if head[257:262] == b"ustar":
        raise DataError(f"Expected a table of text in {file}; it is a tar archive.", _UNPACK)
    if any(head.startswith(mark) for mark in (*_UNPACKERS, _ZIP)):
        raise DataError(f"Expected a table of text in {file}; it is packed twice.", _UNPACK)
    marked = any(head.startswith(mark) for mark, _ in _BYTE_ORDER_MARKS)
    if not (marked or _wide(head)) and head.count(0) > _MOST_NUL * len(head):
        raise DataError(f"Expected a table of text in {file}; it holds binary data.", _SAVE)


def _wide(head: bytes) -> str:
    """Return the form of UTF-16 of a text without a byte order mark; empty if it is none."""
    pairs = len(head) // 2
    low, high = head[0::2].count(0), head[1::2].count(0)
    if high > pairs / 2 and low < pairs * _MOST_NUL:
        return "utf-16-le"
    return "utf-16-be" if low > pairs / 2 and high < pairs * _MOST_NUL else ""


def _encoding(head: bytes, wanted: str, fallback: str) -> str:
    for mark, name in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name
    if found := _wide(head) or wanted:
        return found
    if fallback:
        try:
            head.decode()
        except UnicodeDecodeError as error:
            if error.end < len(head) - 3:  # not a character that the head's end cuts
                return fallback
    return "utf-8"


def _decoded(stream: Any, encoding: str) -> IO[str]:
    try:
        return io.TextIOWrapper(stream, encoding, newline="")
    except (LookupError, ValueError) as error:
        raise DataError(
            f"Expected an encoding that Python knows; received {encoding!r}.",
            "For example: --data encoding=latin-1, cp1252, utf-16 or gbk.",
        ) from error


def _undecodable(file: Path, encoding: str, error: UnicodeError) -> DataError:
    wrong = str(error)
    if isinstance(error, UnicodeDecodeError):
        wrong = f"{error.object[error.start : error.end][:4].hex(' ')} (hex): {error.reason}"
    return DataError(
        f"The file {file} can't be read as {encoding.upper()}: {wrong}.",
        "Name its encoding, as --data encoding=latin-1 or cp1252, or save it in UTF-8.",
    )
