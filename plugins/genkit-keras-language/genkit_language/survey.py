"""A first look at all documents: which can be used, what they hold, which are held out."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genkit.data import LeftOut
from genkit.errors import DataError
from genkit_language.documents import Corpus, Document
from genkit_language.rows import NoTextError
from genkit_language.tokenizer import code_points


@dataclass(frozen=True)
class Survey:
    """What is known of a corpus before any of it is a token.

    Args:
        corpus: the documents.
        used: which of them can be used, bool.
        keys: a number for each that can, which follows from its text alone, uint64.
        characters: how many they have together.
        letters: all characters that they have, in the order of Unicode.
        digest: SHA-256 of all their texts.
        left_out: those that can't be used, counted by reason.
    """

    corpus: Corpus
    used: NDArray[np.bool_]
    keys: NDArray[np.uint64]
    characters: int
    letters: str
    digest: str
    left_out: LeftOut

    @property
    def alone(self) -> bool:
        """Whether there is a single document: its end is held out, and nothing ends it."""
        return len(self.keys) == 1

    def pieces(self, held_out: float) -> Iterator[tuple[bool, Iterator[str]]]:
        """Go through the documents in their order; a single one comes in two pieces.

        Which are held out follows from their texts: copies of one document are on one side, and
        a document stays where it is when others are added.

        Args:
            held_out: the share that is.

        Yields:
            whether the piece is held out, and its text in blocks, to be read before the next.
        """
        if self.alone:
            cut = min(max(1, int(self.characters * (1 - held_out))), self.characters - 1)
            (document,) = (d for d, used in zip(self.corpus, self.used, strict=True) if used)
            yield False, _between(document.blocks(), 0, cut)
            yield True, _between(document.blocks(), cut, self.characters)
            return
        held = _held(self.keys, held_out)
        place = 0
        for document, used in zip(self.corpus, self.used, strict=True):
            if used:
                yield bool(held[place]), document.blocks()
                place += 1


def survey(corpus: Corpus) -> Survey:
    """Read all documents once, a block at a time.

    Raises:
        DataError: none of them can be used; with the reasons.
    """
    used, keys, characters = bytearray(), array("Q"), 0
    seen = np.zeros(0x110000, bool)
    digest, left_out = hashlib.sha256(), corpus.left_out()
    for document in corpus:
        try:
            own, length, found = _read(document)
        except NoTextError as reason:
            left_out.add(str(reason), corpus.path / document.name)
            used.append(False)
            continue
        used.append(True)
        keys.append(int.from_bytes(own[:8], "little"))
        characters += length
        seen[found] = True
        digest.update(own)
    if not keys:
        raise DataError(
            f"Expected text in {corpus.path}; there is none. "
            + (left_out.summary() if left_out.counts else "It has no .txt file, or no line."),
            "Text is UTF-8: convert other files with iconv, say.",
        )
    if characters < 2:  # noqa: PLR2004 - one to learn from, one to hold out
        raise DataError(f"Expected text in {corpus.path}; it has a single character.")
    letters = np.flatnonzero(seen).astype("<u4").tobytes().decode("utf-32-le")
    return Survey(
        corpus,
        np.frombuffer(bytes(used), bool),
        np.array(keys, np.uint64),
        characters,
        letters,
        digest.hexdigest(),
        left_out,
    )


def _read(document: Document) -> tuple[bytes, int, NDArray[np.uint32]]:
    """Return a document's SHA-256, its length, and the numbers of its characters, each once.

    Raises:
        NoTextError: it can't be used.
    """
    own, length, found = hashlib.sha256(), 0, np.zeros(0, np.uint32)
    for block in document.blocks():
        own.update(block.encode())
        length += len(block)
        found = np.union1d(found, code_points(block))
    if not length:
        raise NoTextError("empty")
    return own.digest(), length, found


def _held(keys: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """Return which documents are held out: the share of lowest keys; never none, never all."""
    held: NDArray[np.bool_] = keys < np.uint64(int(share * 2**64))
    if not held.any():
        held = keys == keys.min()
    if held.all():
        held = keys != keys.max()
    if held.all() or not held.any():
        raise DataError(
            f"Expected documents that differ, to learn from some and hold out others; all "
            f"{len(keys)} are the same."
        )
    return held


def _between(blocks: Iterator[str], start: int, stop: int) -> Iterator[str]:
    """Yield the characters of a text from one place up to another."""
    place = 0
    for block in blocks:
        piece = block[max(0, start - place) : max(0, stop - place)]
        place += len(block)
        if piece:
            yield piece
        if place >= stop:
            return
