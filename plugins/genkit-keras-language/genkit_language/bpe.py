"""Byte pair encoding, trained or loaded: GPT-2's kind, whose tokens are strings of bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer as Rust
from tokenizers import decoders, models, pre_tokenizers, trainers

from genkit.errors import DataError
from genkit_language.tokenizer import Tokenizer, checked, json_object, reason_of

MOST_TOKENS = 1_000_000
_MOST_FILE = 64 << 20
_COMPOSED = {"type": "NFC"}
_ENDS = ("<|endoftext|>", "<|end_of_text|>")


class BPE(Tokenizer):
    """Byte pair encoding (Sennrich et al. 2016) of bytes (Radford et al. 2019).

    Make one with ``of``, ``train`` or ``load``.

    Args:
        rust: a ``tokenizers.Tokenizer`` without special tokens.
        form: what it was made of.
        pieces: the bytes that each token stands for.
        end: number of the token that ends a document.
    """

    kind = "bpe"

    def __init__(
        self, rust: Rust, form: Mapping[str, Any], pieces: list[bytes], end: int | None
    ) -> None:
        super().__init__(pieces, end)
        self._rust, self._form = rust, form

    def encode(self, text: str) -> NDArray[np.integer]:
        found = self._rust.encode(checked(text), add_special_tokens=False)
        return np.array(found.ids, np.int32)

    def form(self) -> dict[str, Any]:
        return {"tokenizer": dict(self._form)}

    @classmethod
    def of(cls, form: Any, end: Any = None) -> BPE:
        """Return the tokenizer of a ``tokenizer.json``, which may come from a stranger.

        Special tokens are taken out of it: text that is spelled like one stays text. So is what
        composes characters of several code points first: text comes back as it was, and the numbers
        of text that is composed already, as nearly all is, are the same.

        Args:
            form: its contents.
            end: number of the token that ends a document; None for none.

        Raises:
            DataError: it is no BPE of bytes, is damaged, or doesn't give every text back.
        """
        names = _checked_names(form)
        if end is not None and not (type(end) is int and 0 <= end <= len(names)):
            raise DataError(f"Expected the number of a token that ends documents; received {end}.")
        pieces = [_bytes_of(name, is_end=number == end) for number, name in enumerate(names)]
        if end == len(names):
            pieces.append(b"")
        plain = {**form, "added_tokens": [], "post_processor": None}
        if form.get("normalizer") == _COMPOSED:  # Qwen-2's
            plain["normalizer"] = None
        rust = _opened({**plain, "truncation": None, "padding": None})
        made = cls(rust, form, pieces, end)
        made._check()
        return made

    def _check(self) -> None:
        """Refuse a tokenizer that loses text, or gives numbers that it has no bytes for.

        Raises:
            DataError: it does.
        """
        text = _all_bytes()
        with _refusing("Expected a tokenizer that takes every text; this one doesn't"):
            back = self.decode(self.encode(text))
        if back != text:
            raise DataError(
                "Expected a tokenizer that gives every text back as it was, by bytes; this one "
                "doesn't.",
                "GPT-2's kind does: BPE of bytes, without a normalizer.",
            )

    @classmethod
    def train(cls, texts: Iterable[str], size: int, *, ends: bool) -> BPE:
        """Learn the pairs of bytes that are most frequent in some texts.

        Args:
            texts: in pieces of any length.
            size: how many tokens there are at most, without the end; 256 are single bytes.
            ends: whether there is a token that ends documents, behind the others.
        """
        rust = byte_level()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            show_progress=False,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        )
        rust.train_from_iterator(texts, trainer)
        return cls.of(json.loads(rust.to_str()), rust.get_vocab_size() if ends else None)

    @classmethod
    def load(cls, path: Path, *, ends: bool, end: Any = None) -> BPE:
        """Read a ``tokenizer.json``, or a folder with one or with ``vocab.json``, ``merges.txt``.

        Args:
            path: of the file or the folder.
            ends: whether there must be a token that ends documents. Its own is taken, GPT-2's
                for one, or else one is added behind the others.
            end: its number, where somebody else says it.

        Raises:
            DataError: no such file, too large, or no tokenizer that gives every text back.
        """
        whole = path / "tokenizer.json" if path.is_dir() else path
        two = path / "vocab.json"
        if path.is_dir() and not whole.exists() and two.exists():
            vocabulary = json_object(_content(two), str(two))
            lines = _content(path / "merges.txt").decode("utf-8", "replace").splitlines()
            merges = [line for line in lines if line and not line.startswith("#version")]
            form: dict[str, Any] = json.loads(byte_level().to_str())
            form["model"] |= {"vocab": vocabulary, "merges": merges}
        else:
            form = json_object(_content(whole), str(whole))
        if end is not None:
            return cls.of(form, end)
        names = _checked_names(form)
        own = next((names.index(name) for name in _ENDS if name in names), None)
        return cls.of(form, own if own is not None else len(names) if ends else None)


def byte_level() -> Rust:
    """Return GPT-2's way of parting a text into words of bytes, without any pair yet."""
    rust = Rust(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rust.decoder = decoders.ByteLevel()
    return rust


def _content(file: Path) -> bytes:
    """Return what is in a file, unless it is far too large for a tokenizer."""
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_FILE + 1)
    except OSError as error:
        raise DataError(f"The tokenizer {file} can't be read: {error.strerror}.") from error
    if len(content) > _MOST_FILE:
        raise DataError(
            f"Expected a tokenizer of at most {_MOST_FILE >> 20} MiB; {file} is larger."
        )
    return content


def _checked_names(form: Any) -> list[str]:
    """Return the names of the tokens by number, those that are added too.

    Raises:
        DataError: it is no BPE, or its numbers are not 0, 1, 2, ... as far as they go.
    """
    model = form.get("model") if isinstance(form, Mapping) else None
    names = model.get("vocab") if isinstance(model, Mapping) else None
    if not isinstance(names, Mapping) or model is None or model.get("type", "BPE") != "BPE":
        raise DataError(
            "Expected a tokenizer of the kind BPE, with a vocabulary; received another.",
            "GPT-2's kind does: tokenizer.json, or vocab.json and merges.txt.",
        )
    added = form.get("added_tokens") or []
    if not isinstance(added, list) or not all(isinstance(each, Mapping) for each in added):
        raise DataError("Expected the added tokens of a tokenizer as a list; it is damaged.")
    numbered = [*names.items(), *((each.get("content"), each.get("id")) for each in added)]
    by_number: dict[int, str] = {}
    for name, number in numbered:
        fits = isinstance(name, str) and type(number) is int and 0 <= number < MOST_TOKENS
        if not fits or by_number.setdefault(number, name) != name:
            raise DataError(
                f"Expected tokens numbered once each, below {MOST_TOKENS:,}; received "
                f"{str(name)[:40]!r}: {str(number)[:40]}."
            )
    if not by_number:
        raise DataError("Expected a tokenizer with tokens; it has none.")
    return [by_number.get(number, "") for number in range(max(by_number) + 1)]


def _opened(form: Mapping[str, Any]) -> Rust:
    with _refusing("Expected a tokenizer; it is damaged"):
        return Rust.from_str(json.dumps(form))


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Tell in one line what the library makes of a file that isn't what it should be.

    Where Rust gives up it raises a PanicException, which is no Exception and is in no module.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise DataError(f"{what}: {reason_of(error)}") from error


def _letters() -> Iterator[tuple[str, int]]:
    """Yield the characters by which GPT-2 writes bytes: those that can be seen are themselves."""
    shown = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [number for number in range(256) if number not in shown]
    for number in shown:
        yield chr(number), number
    for place, number in enumerate(hidden):
        yield chr(256 + place), number


_BYTES = dict(_letters())
_LETTERS = {number: letter for letter, number in _BYTES.items()}


def letter_of(byte: int) -> str:
    """Return the character by which GPT-2 writes a byte."""
    return _LETTERS[byte]


def _bytes_of(name: str, *, is_end: bool) -> bytes:
    """Return what a token stands for; none for what isn't written by bytes: an added token."""
    if is_end or not all(letter in _BYTES for letter in name):
        return b""
    return bytes(_BYTES[letter] for letter in name)


def _all_bytes() -> str:
    """Return a text whose UTF-8 has every byte that UTF-8 can have, some alone, some together."""
    plain = "".join(map(chr, range(0x80)))
    firsts = [*range(0x80, 0xC0), *range(0x80, 0x800, 0x40), *range(0x1000, 0xE000, 0x1000)]
    rest = [0x800, 0xE000, 0xF000, 0x10000, 0x40000, 0x80000, 0xC0000, 0x100000, 0x10FFFF]
    return f"{plain} It's  well\n\n e\u0301 \u00e9{''.join(map(chr, [*firsts, *rest]))}"
