"""Documents from files that may hold anything: a block of text at a time, faults counted."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from genkit.data import LeftOut
from genkit.errors import DataError

BLOCK = 1 << 20
"""Bytes of a file that are read at once."""

_LONGEST_LINE = 64 << 20
_ROWS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


class NoTextError(Exception):
    """A document can't be used; the message is the reason, the same for the same fault."""


@dataclass(frozen=True)
class Document:
    """One text of a corpus.

    Args:
        name: which it is: below the corpus' path.
        blocks: gives its text from the beginning, in blocks; it raises ``NoTextError`` where there
            turns out to be none.
    """

    name: str
    blocks: Callable[[], Iterator[str]]


class Corpus:
    """The documents of a file or a folder.

    Args:
        path: a folder, of which all ``.txt`` files below it are documents; a ``.jsonl``,
            ``.ndjson`` or ``.parquet`` file, of which each row is one; any other file is one.
        column: where the text of a row stands.

    Raises:
        DataError: no such file or folder.
    """

    def __init__(self, path: Path, column: str = "text") -> None:
        if not path.exists():
            raise DataError(f"Expected text at {path}; there is no such file or folder.")
        self.path, self._column = path, column
        self._kind = "folder" if path.is_dir() else _ROWS.get(path.suffix.lower(), "file")

    def __iter__(self) -> Iterator[Document]:
        """Go through the documents in an order that is always the same."""
        if self._kind == "jsonl":
            return self._of_lines()
        if self._kind == "parquet":
            return self._of_parquet()
        return self._of_files()

    def left_out(self) -> LeftOut:
        """Return an empty tally of documents that can't be used."""
        return LeftOut(self.path)

    def _of_files(self) -> Iterator[Document]:
        if self._kind == "file":
            files = [self.path]
        else:
            files = sorted(each for each in self.path.rglob("*.txt") if each.is_file())
        for file in files:
            yield Document(str(file.relative_to(self.path)), partial(_of_file, file))

    def _of_lines(self) -> Iterator[Document]:
        with _opened(self.path) as stream:
            number = 0
            while line := stream.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    raise DataError(
                        f"Expected lines of at most {_LONGEST_LINE >> 20} MiB in {self.path}; "
                        f"line {number} is longer.",
                        'Each line is a document: {"text": "..."}',
                    )
                if line.strip():
                    yield Document(f"line {number}", partial(self._of_line, line))

    def _of_line(self, line: bytes) -> Iterator[str]:
        try:
            row = json.loads(line)
        except UnicodeDecodeError:
            raise NoTextError("no UTF-8") from None
        except (ValueError, RecursionError):
            raise NoTextError("no JSON") from None
        text = row.get(self._column) if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise NoTextError(f"no text in {self._column!r}")
        yield from _of_text(text)

    def _of_parquet(self) -> Iterator[Document]:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise DataError(
                f"Expected pyarrow to read {self.path}; it is not installed.",
                "Install it with: pip install 'pyarrow>=16'",
            ) from error
        try:
            table = parquet.ParquetFile(self.path)
            names = table.schema_arrow.names
            if self._column not in names:
                raise DataError(
                    f"Expected a column {self._column!r} in {self.path}; it has "
                    f"{', '.join(names[:12])}.",
                    "Name it: --data column=NAME",
                )
            number = 0
            for batch in table.iter_batches(batch_size=64, columns=[self._column]):
                for cell in batch.column(0):
                    number += 1
                    yield Document(f"row {number}", partial(self._of_cell, cell))
        except OSError as error:
            raise DataError(f"The file {self.path} can't be read: {error.strerror}.") from error
        except pa.ArrowException as error:
            reason = " ".join(f"{error}".split())[:160]
            raise DataError(f"Expected a Parquet file at {self.path}: {reason}") from error

    def _of_cell(self, cell: Any) -> Iterator[str]:
        try:
            text = cell.as_py()
        except UnicodeDecodeError:
            raise NoTextError("no UTF-8") from None
        if not isinstance(text, str):
            raise NoTextError(f"no text in {self._column!r}")
        yield from _of_text(text)


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise DataError(f"The file {file} can't be read: {error.strerror}.") from error


def _of_file(file: Path) -> Iterator[str]:
    """Yield the text of a file; a byte order mark at its beginning is none of it."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with _opened(file) as stream:
        try:
            while content := stream.read(BLOCK):
                yield _checked(decoder.decode(content))
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise NoTextError("no UTF-8") from None


def _of_text(text: str) -> Iterator[str]:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoTextError("half of a character") from None
    for start in range(0, len(text), BLOCK):
        yield _checked(text[start : start + BLOCK])


def _checked(text: str) -> str:
    if "\0" in text:
        raise NoTextError("NUL, so no text")
    return text


def whole_words(blocks: Iterator[str]) -> Iterator[str]:
    """Part a text into blocks that end with a word, so that its tokens are those of the whole.

    What tokenizers part a text into first, words with the blank before them, never reaches over
    such a place. A text without blanks for megabytes is cut where it must be.

    Args:
        blocks: of the text.

    Yields:
        blocks of like size, none empty; together they are the text.
    """
    rest = ""
    for block in blocks:
        rest += block
        place = _last_begin(rest)
        if place or len(rest) >= 4 * BLOCK:
            place = place or len(rest)
            yield rest[:place]
            rest = rest[place:]
    if rest:
        yield rest


def _last_begin(text: str) -> int:
    """Return the last place where a blank follows on what is none; 0 if there is none."""
    for place in range(len(text) - 1, 0, -1):
        if text[place].isspace() and not text[place - 1].isspace():
            return place
    return 0
