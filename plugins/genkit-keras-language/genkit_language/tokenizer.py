"""What turns text into numbers of tokens and back: the base, and the two that need no training."""

from __future__ import annotations

import abc
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError, UsageError

ASSET = "tokenizer.text"
"""Name of the asset that keeps a tokenizer with its data, its runs and its exported models."""

END = "<end>"
"""What the token that ends a document is called where tokens are listed; it is no text."""

_UNICODE = 0x110000
_MOST_BYTES = 64 << 20


class Tokenizer(abc.ABC):
    """Numbers for pieces of text. Every text that it takes comes back as it was.

    Args:
        pieces: the bytes that each token stands for, by its number; UTF-8 when put together.
        end: number of the token that ends a document; None where there are no documents to end.
            It stands for no bytes, and no text is encoded as it.
    """

    kind: ClassVar[str]

    def __init__(self, pieces: Sequence[bytes], end: int | None) -> None:
        self.pieces = tuple(pieces)
        self.end = end

    @property
    def size(self) -> int:
        """How many tokens there are, with the end."""
        return len(self.pieces)

    @property
    def names(self) -> list[str]:
        """What tokens are called where they are listed; bytes that are no character are U+FFFD."""
        found = [piece.decode("utf-8", "replace") for piece in self.pieces]
        if self.end is not None:
            found[self.end] = END
        return found

    @property
    def dtype(self) -> str:
        """The smallest dtype that holds its numbers."""
        return "uint8" if self.size <= 1 << 8 else "uint16" if self.size <= 1 << 16 else "uint32"

    @abc.abstractmethod
    def encode(self, text: str) -> NDArray[np.integer]:
        """Return the numbers of a text's tokens, one axis.

        Raises:
            UsageError: it has a character that the tokenizer doesn't know.
        """

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of tokens; bytes that are no character, or not yet, become U+FFFD."""
        return b"".join(self.pieces[number] for number in numbers).decode("utf-8", "replace")

    @abc.abstractmethod
    def form(self) -> dict[str, Any]:
        """Return all that ``read_tokenizer`` needs, for JSON, beside its kind and end."""

    def asset(self) -> NDArray[np.uint8]:
        """Return what is kept with a run: JSON in UTF-8."""
        whole = {"kind": self.kind, "end": self.end, **self.form()}
        return np.frombuffer(json.dumps(whole, ensure_ascii=False).encode(), np.uint8)


class Characters(Tokenizer):
    """A token a character, of those that the data has.

    Args:
        letters: all characters, each once.
        ends: whether there is a token that ends documents, behind the others.
    """

    kind = "characters"

    def __init__(self, letters: str, *, ends: bool) -> None:
        self.letters = letters
        pieces = [letter.encode() for letter in letters]
        super().__init__([*pieces, b""] if ends else pieces, len(letters) if ends else None)

    @cached_property
    def _numbers(self) -> NDArray[np.int32]:
        """The number of each character of Unicode; -1 for one that isn't there."""
        table = np.full(_UNICODE, -1, np.int32)
        table[code_points(self.letters)] = np.arange(len(self.letters), dtype=np.int32)
        return table

    def encode(self, text: str) -> NDArray[np.integer]:
        numbers: NDArray[np.int32] = self._numbers[code_points(text)]
        if (numbers < 0).any():
            strange = text[int((numbers < 0).argmax())]
            raise UsageError(
                f"Expected characters that the data has; received {strange!r} in {text[:60]!r}.",
                "A model of bytes or BPE takes every text: --data tokenizer=bpe",
            )
        return numbers

    def form(self) -> dict[str, Any]:
        return {"letters": self.letters}


class Bytes(Tokenizer):
    """A token a byte of UTF-8.

    Args:
        ends: whether there is a token that ends documents, behind the others.
    """

    kind = "bytes"

    def __init__(self, *, ends: bool) -> None:
        pieces = [bytes([number]) for number in range(256)]
        super().__init__([*pieces, b""] if ends else pieces, 256 if ends else None)

    def encode(self, text: str) -> NDArray[np.integer]:
        return np.frombuffer(checked(text).encode(), np.uint8)

    def form(self) -> dict[str, Any]:
        return {}


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the numbers that Unicode gives to the characters of a text."""
    return np.frombuffer(checked(text).encode("utf-32-le"), "<u4")


def checked(text: str) -> str:
    """Refuse what no file could hold: half of a pair of UTF-16 is no character.

    Raises:
        UsageError: it holds one.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"Expected text of whole characters; received {text[error.start]!r}, half of one, in "
            f"{text[:60]!r}."
        ) from error
    return text


def reason_of(error: BaseException) -> str:
    """Return why something failed, in one line."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else f"{error}"
    return " ".join(words.split())[:200] or type(error).__name__


def json_object(content: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object that may come from a stranger.

    Args:
        content: of the file.
        what: it is, for the refusal.

    Raises:
        DataError: too large, or no JSON object.
    """
    if len(content) > _MOST_BYTES:
        raise DataError(
            f"Expected {what} of at most {_MOST_BYTES >> 20} MiB; received "
            f"{len(content) / 2**20:.0f} MiB."
        )
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"Expected {what} as JSON; it is none, it begins with {content[:16]!r}."
        ) from error
    if not isinstance(found, dict):
        raise DataError(f"Expected {what} as a JSON object; received {type(found).__name__}.")
    return found
