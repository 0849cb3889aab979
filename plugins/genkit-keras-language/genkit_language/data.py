"""Text as GenKit's data: items are pieces of it, models learn from windows at any place."""

from __future__ import annotations

import hashlib
import json
import lzma
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

import genkit
from genkit.data import Batch, Source, Subset, with_vocabulary
from genkit.errors import DataError, UsageError
from genkit_language.configs import TextConfig, TokensConfig
from genkit_language.documents import Corpus
from genkit_language.kept_tokenizer import keeps_tokenizer, load_tokenizer
from genkit_language.survey import survey
from genkit_language.token_file import Tokens, numbers_in, tokens_of
from genkit_language.tokenizer import ASSET, Tokenizer

FIELD = "text"


class TextSource(Source):
    """The tokens of a split. Its items are pieces of ``block`` tokens; the last may be shorter.

    Args:
        tokens: all of them.
        block: tokens of an item.
        drawn: whether a model learns from windows at places that are drawn.

    Attributes:
        tokens: all of them, to be read at any place.
        block: as given.
        drawn: as given.
    """

    def __init__(self, tokens: Tokens, block: int, *, drawn: bool) -> None:
        self.tokens, self.drawn, self.block = tokens, drawn, block
        if not len(tokens.numbers):
            raise DataError("Expected at least one token in each split; received none.")
        self.schema, self.assets = schema_of(tokens.tokenizer)

    def __len__(self) -> int:
        return (len(self.tokens.numbers) + self.block - 1) // self.block

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        starts = np.asarray(indices, np.int64) * self.block
        total = len(self.tokens.numbers)
        lengths = np.minimum(self.block, total - starts).astype(np.int32)
        rows = np.zeros((len(starts), int(lengths.max(initial=0))), np.int32)
        for row, start, length in zip(rows, starts, lengths, strict=True):
            row[:length] = self.tokens.numbers[start : start + length]
        return {FIELD: rows, f"{FIELD}_length": lengths}

    def fingerprint(self) -> str:
        tokenizer = self.tokens.tokenizer.asset().tobytes()
        told = [self.tokens.digest, hashlib.sha256(tokenizer).hexdigest(), self.block]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def schema_of(tokenizer: Tokenizer) -> tuple[genkit.Schema, dict[str, NDArray[Any]]]:
    """Return what text in a tokenizer's tokens is as data, and the assets that belong to it."""
    field, assets = with_vocabulary(FIELD, genkit.Field((None,), "int32", "text"), tokenizer.names)
    return genkit.Schema({FIELD: field}), {**assets, ASSET: tokenizer.asset()}


class Windows(Source):
    """What a model of text learns from: windows of ``context`` tokens, and the token behind each.

    They follow one on another, so that each token but the first is foretold once, and what doesn't
    fill a last window is left. In training each begins at a place that is drawn, up to a window
    later: an epoch still goes through all of the text.

    Args:
        source: where the tokens are; or some of its items, at which windows then begin.
        context: tokens that a model sees at once.

    Raises:
        DataError: no text that can be read at any place, or fewer tokens than a window needs.
    """

    def __init__(self, source: Source, context: int) -> None:
        whole, items = whole_text(source), items_of(source)
        if whole is None:
            raise DataError(
                f"Expected text that can be read at any place; received a {type(source).__name__}.",
                "Use a data set of genkit-keras-language: --dataset text --data path=FILE.txt",
            )
        self._tokens, self._context, self._drawn = whole.tokens, context, whole.drawn
        self._fingerprint = source.fingerprint
        found = len(whole.tokens.numbers)
        if found <= context:
            raise DataError(
                f"Expected more tokens in a split than the model sees at once, {context}; received "
                f"{found}.",
                f"Let it see fewer: --set context={max(2, found - 1)}; or bring more text.",
            )
        self._last = found - context - 1
        self._apart = context if items is None else whole.block
        self._items = np.arange((found - 1) // context) if items is None else items
        self.schema = genkit.Schema({"window": genkit.Field((context + 1,), "int32", "window")})

    def __len__(self) -> int:
        return len(self._items)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        return self._at(self._items[indices] * self._apart)

    def draw(self, indices: NDArray[np.integer], rng: Generator) -> Batch:
        if not self._drawn:
            return {}
        later = rng.integers(0, self._apart, len(indices))
        return self._at(self._items[indices] * self._apart + later)

    def _at(self, starts: NDArray[np.integer]) -> Batch:
        starts = np.minimum(starts, self._last)
        return {"window": numbers_in(self._tokens, starts, self._context + 1)}

    def fingerprint(self) -> str:
        told = [self._fingerprint(), self._context]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def whole_text(source: Source | None) -> TextSource | None:
    """Return the text that a source or some of its items are of; None if it is no such text."""
    while isinstance(source, Subset):
        source = source.source
    return source if isinstance(source, TextSource) else None


def items_of(source: Source) -> NDArray[np.integer] | None:
    """Return which items of the whole some are; None for all of them."""
    if not isinstance(source, Subset):
        return None
    items = items_of(source.source)
    return source.indices if items is None else items[source.indices]


def open_text(config: TextConfig) -> TextSource:
    """Open text of one's own: the field ``text``, int32 numbers of tokens.

    Documents that can't be used are counted by reason, and a warning names the first ones.

    Raises:
        DataError: no such file, no text in it, or a tokenizer that can't be used.
        UsageError: a tokenizer's file for another kind than ``bpe``.
    """
    check_tokenizer(config.tokenizer, config.tokenizer_file)
    return _opened(Corpus(config.path, config.column), config, config.tokenizer_file)


def check_tokenizer(kind: str, file: Path | None) -> None:
    """Refuse a tokenizer's file for another kind than ``bpe``; a run's is of its own kind."""
    if file is not None and kind != "bpe" and not keeps_tokenizer(file):
        raise UsageError(
            f"Expected tokenizer=bpe with a tokenizer_file; received {kind}.",
            "Add --data tokenizer=bpe",
        )


def open_tinyshakespeare(config: TokensConfig) -> TextSource:
    """Open Tiny Shakespeare, a part of the package: the field ``text``, numbers of tokens."""
    packed = files("genkit_language") / "tinyshakespeare" / "input.txt.xz"
    with as_file(packed) as file, TemporaryDirectory(prefix="genkit-") as folder:
        path = Path(folder) / "tinyshakespeare.txt"
        path.write_bytes(lzma.decompress(file.read_bytes()))
        return _opened(Corpus(path), config, None)


def write_fake(folder: Path) -> dict[str, Any]:
    """Write a few documents for ``genkit check``; give the settings that open them."""
    rng = np.random.default_rng(0)
    words = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog")
    for number in range(20):
        text = " ".join(rng.choice(words, 60))
        (folder / f"{number:02d}.txt").write_text(f"{text}.\n", encoding="utf-8")
    return {"path": str(folder)}


def _opened(corpus: Corpus, config: TokensConfig, tokenizer_file: Path | None) -> TextSource:
    found = survey(corpus)
    loaded = None
    if tokenizer_file is not None:
        loaded = load_tokenizer(tokenizer_file, ends=not found.alone)
    tokens = tokens_of(found, config, loaded, config.split)
    source = TextSource(tokens, config.block, drawn=config.split == "train")
    found.left_out.record_in(source)
    return source
