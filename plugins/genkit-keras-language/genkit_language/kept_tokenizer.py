"""A tokenizer that was kept with data, a run or an exported model, which may be a stranger's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from genkit.errors import DataError
from genkit_language.bpe import BPE
from genkit_language.tokenizer import (
    ASSET,
    Bytes,
    Characters,
    Tokenizer,
    json_object,
    reason_of,
)

_ASSETS = "assets.safetensors"  # of a run or an exported model


def read_tokenizer(assets: Mapping[str, NDArray[Any]]) -> Tokenizer:
    """Return the tokenizer that was kept with data or a run.

    Args:
        assets: those of the data.

    Raises:
        DataError: there is none, or it is damaged.
    """
    if ASSET not in assets:
        raise DataError(
            "Expected data with a tokenizer; received "
            f"{', '.join(assets) or 'data without assets'}.",
            "Use a data set of genkit-keras-language: --dataset text --data path=FILE.txt",
        )
    packed = np.asarray(assets[ASSET])
    if packed.dtype != np.uint8:
        raise DataError(f"Expected a tokenizer as bytes; received {packed.dtype}.")
    return tokenizer_of(json_object(packed.tobytes(), "the tokenizer of the run"))


def keeps_tokenizer(path: Path) -> bool:
    """Whether there is a run or an exported model at a path, which has its tokenizer with it."""
    return (path / _ASSETS).is_file()


def load_tokenizer(path: Path, *, ends: bool) -> Tokenizer:
    """Read the tokenizer of a run or an exported model, or one of BPE from its own files.

    Args:
        path: of the folder or the file.
        ends: whether there must be a token that ends documents; that of a model stays as it is.

    Raises:
        DataError: there is none, or it is damaged.
    """
    if not keeps_tokenizer(path):
        return BPE.load(path, ends=ends)
    try:
        return read_tokenizer(load((path / _ASSETS).read_bytes()))
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"The file {path / _ASSETS} can't be read: {reason_of(error)}.") from error


def tokenizer_of(form: Mapping[str, Any]) -> Tokenizer:
    """Return the tokenizer that a form describes, which may come from a stranger.

    Args:
        form: as ``Tokenizer.asset`` writes it.

    Raises:
        DataError: it describes none.
    """
    kind, end = form.get("kind"), form.get("end")
    letters = form.get("letters")
    if kind == "bpe":
        return BPE.of(form.get("tokenizer"), end)
    if kind == "bytes" and end in (None, 256):
        return Bytes(ends=end is not None)
    whole = isinstance(letters, str) and len(set(letters)) == len(letters) > 0
    if kind == "characters" and whole and end in (None, len(str(letters))):
        try:
            return Characters(str(letters), ends=end is not None)
        except UnicodeEncodeError as error:
            raise DataError("Expected a tokenizer of whole characters; it is damaged.") from error
    raise DataError(
        f"Expected a tokenizer of characters, bytes or BPE; it is damaged: {str(dict(form))[:80]!r}"
    )


def rows_by_token(
    ours: NDArray[Any], theirs: NDArray[Any], own: Tokenizer, other: Tokenizer
) -> NDArray[Any]:
    """Return rows of a table in which those of tokens that both tokenizers have are the other's.

    Args:
        ours: a row for each of our tokens.
        theirs: a row for each of the other's.
        own: our tokenizer.
        other: the other's.

    Returns:
        like ``ours``; ``theirs`` where rows are of another width, which nothing can mend.
    """
    if ours.shape[1:] != theirs.shape[1:] or len(theirs) != other.size:
        return theirs
    numbers = {piece: number for number, piece in enumerate(other.pieces) if piece}
    found = ours.copy()
    for row, piece in enumerate(own.pieces):
        number = other.end if row == own.end else numbers.get(piece)
        if number is not None:
            found[row] = theirs[number]
    return found
