"""Documents from files that may hold anything: a block of text at a time, faults counted."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from genkit.data import LeftOut
from genkit.errors import DataError
from genkit_language.rows import TABLES, NoTextError, Row, checked, rows_of

BLOCK = 1 << 20
"""Bytes of a file that are read at once."""

_ROWS = ("jsonl", "parquet")  # whose rows are documents; a .csv file is a text like others


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
        self._kind = "folder" if path.is_dir() else TABLES.get(path.suffix.lower(), "file")

    def __iter__(self) -> Iterator[Document]:
        """Go through the documents in an order that is always the same."""
        if self._kind in _ROWS:
            return self._of_rows()
        return self._of_files()

    def left_out(self) -> LeftOut:
        """Return an empty tally of documents that can't be used."""
        return LeftOut(self.path)

    def _of_rows(self) -> Iterator[Document]:
        for row in rows_of(self.path, [self._column]):
            yield Document(row.name, partial(_of_row, row, self._column))

    def _of_files(self) -> Iterator[Document]:
        if self._kind == "folder":
            files = sorted(each for each in self.path.rglob("*.txt") if each.is_file())
        else:
            files = [self.path]
        for file in files:
            yield Document(str(file.relative_to(self.path)), partial(_of_file, file))


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
                yield checked(decoder.decode(content))
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise NoTextError("no UTF-8") from None


def _of_row(row: Row, column: str) -> Iterator[str]:
    text = row.text(column)
    for start in range(0, len(text), BLOCK):
        yield text[start : start + BLOCK]


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
