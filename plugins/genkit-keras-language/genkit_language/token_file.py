"""All of a corpus as numbers of tokens, in files that are mapped into memory."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_language.bpe import BPE
from genkit_language.configs import SplitConfig
from genkit_language.documents import whole_words
from genkit_language.kept_tokenizer import tokenizer_of
from genkit_language.survey import Survey
from genkit_language.tokenizer import Bytes, Characters, Tokenizer, json_object

SPLITS = ("train", "validation")
_FORM = 1  # of the files; another one is another key
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Tokens:
    """The tokens of one split.

    Args:
        numbers: mapped, shape ``(tokens,)``.
        tokenizer: what they mean.
        digest: SHA-256 of the numbers.
    """

    numbers: NDArray[np.integer]
    tokenizer: Tokenizer
    digest: str


def tokens_of(found: Survey, settings: SplitConfig, loaded: Tokenizer | None, split: str) -> Tokens:
    """Return the tokens of a split, made anew only if they aren't in the user's cache.

    Args:
        found: what is known of the corpus.
        settings: those of the data set.
        loaded: a tokenizer that exists; None to make the one that the settings name.
        split: ``"train"`` or ``"validation"``.

    Raises:
        DataError: no room, or files that change while they are read.
    """
    from filelock import FileLock

    own = loaded.asset().tobytes() if loaded else b""
    kind = [settings.tokenizer, settings.vocabulary * (settings.tokenizer == "bpe")]
    key = [_FORM, found.digest, *kind, hashlib.sha256(own).hexdigest(), settings.held_out]
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
    cache = _cache()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f".{name}.lock"):  # a second process waits, and finds them there
            tokens = _read(cache / name, split)
            if tokens is None:
                _write(cache / name, found, settings, loaded)
                tokens = _read(cache / name, split)
    except OSError as error:
        raise _no_room(found.corpus.path, error) from error
    assert tokens is not None, "it was just written"
    return tokens


def written(parts: Iterable[NDArray[np.integer]], tokenizer: Tokenizer, path: Path) -> Tokens:
    """Return tokens, written part after part into a file that is gone with what reads it.

    Args:
        parts: the numbers, one behind the other.
        tokenizer: what they mean.
        path: what they are of, for messages.

    Raises:
        DataError: no room.
    """
    digest, count, cache = hashlib.sha256(), 0, _cache()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache) as file:
            for part in parts:
                digest.update(_little(part).tobytes())
                file.write(part.astype(tokenizer.dtype, copy=False).tobytes())
                count += len(part)
            file.flush()
            numbers: NDArray[np.integer] = np.zeros(0, tokenizer.dtype)
            if count:  # nothing can't be mapped
                numbers = np.memmap(file, tokenizer.dtype, "r", shape=count)
    except OSError as error:
        raise _no_room(path, error) from error
    return Tokens(numbers, tokenizer, digest.hexdigest())


def _cache() -> Path:
    import pooch

    return Path(pooch.os_cache("genkit")) / "text"


def _no_room(path: Path, error: OSError) -> DataError:
    return DataError(f"Expected room for the tokens of {path} in {_cache()}; {error.strerror}.")


def _read(folder: Path, split: str) -> Tokens | None:
    """Return what is in the cache, unless it isn't there, or isn't what was written."""
    try:
        about = json_object((folder / "about.json").read_bytes(), "what the tokens are")
        tokenizer = tokenizer_of(about["tokenizer"])
        told = about["splits"][split]
        numbers = np.memmap(folder / f"{split}.bin", tokenizer.dtype, "r", shape=told["tokens"])
    except (OSError, DataError, KeyError, TypeError, ValueError):
        return None
    right = _digest(numbers) == told["digest"]
    return Tokens(numbers, tokenizer, told["digest"]) if right else None


def _digest(numbers: NDArray[np.integer]) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(numbers), _CHUNK):
        digest.update(_little(numbers[start : start + _CHUNK]).tobytes())
    return digest.hexdigest()


def _little(numbers: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return the same numbers in the order of bytes in which a digest is made."""
    return numbers.astype(numbers.dtype.newbyteorder("<"), copy=False)


def _write(folder: Path, found: Survey, settings: SplitConfig, loaded: Tokenizer | None) -> None:
    """Write both splits, and what they are, into a folder that appears when all is there."""
    tokenizer = loaded or made_tokenizer(found, settings)
    with tempfile.TemporaryDirectory(prefix=".", suffix=".partial", dir=folder.parent) as name:
        place = Path(name)
        counts = _write_numbers(place, found, settings.held_out, tokenizer)
        splits = {
            split: {
                "tokens": count,
                "digest": _digest(np.memmap(place / f"{split}.bin", tokenizer.dtype, "r")),
            }
            for split, count in counts.items()
        }
        about = {"tokenizer": json.loads(tokenizer.asset().tobytes()), "splits": splits}
        (place / "about.json").write_text(json.dumps(about), encoding="utf-8")
        folder.mkdir(exist_ok=True)
        # That which says what is there comes last.
        for file in (*(f"{split}.bin" for split in SPLITS), "about.json"):
            (place / file).replace(folder / file)


def _write_numbers(
    place: Path, found: Survey, held_out: float, tokenizer: Tokenizer
) -> dict[str, int]:
    """Return how many tokens each split has."""
    counts, characters = dict.fromkeys(SPLITS, 0), 0
    with ExitStack() as opened:
        files = {
            split: opened.enter_context((place / f"{split}.bin").open("wb")) for split in SPLITS
        }
        for held, blocks in found.pieces(held_out):
            split = SPLITS[held]
            for block in whole_words(blocks):
                characters += len(block)
                numbers = tokenizer.encode(block).astype(tokenizer.dtype)
                files[split].write(numbers.tobytes())
                counts[split] += len(numbers)
            if tokenizer.end is not None and not found.alone:
                files[split].write(np.array([tokenizer.end], tokenizer.dtype).tobytes())
                counts[split] += 1
    if characters != found.characters:
        raise DataError(f"Expected {found.corpus.path} to stay as it is while it is read.")
    return counts


def made_tokenizer(found: Survey, settings: SplitConfig) -> Tokenizer:
    """Return the tokenizer that the settings name; what it learns is of training documents."""
    ends = not found.alone
    if settings.tokenizer == "characters":
        return Characters(found.letters, ends=ends)
    if settings.tokenizer == "bytes":
        return Bytes(ends=ends)
    return BPE.train(_training_texts(found, settings.held_out), settings.vocabulary, ends=ends)


def _training_texts(found: Survey, held_out: float) -> Iterator[str]:
    for held, blocks in found.pieces(held_out):
        if not held:
            yield from whole_words(blocks)


def numbers_in(tokens: Tokens, starts: NDArray[np.integer], length: int) -> NDArray[np.int32]:
    """Return windows of some tokens, int32 of shape ``(starts, length)``.

    Args:
        tokens: all of them.
        starts: where each window begins; all of it must be there.
        length: of each.
    """
    places = np.asarray(starts)[:, None] + np.arange(length)
    return np.asarray(tokens.numbers[places]).astype(np.int32)
