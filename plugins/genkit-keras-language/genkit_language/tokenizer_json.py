"""Tokenizers of every kind as a ``tokenizer.json``, which others can open."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Regex, decoders, models, pre_tokenizers
from tokenizers import Tokenizer as Rust

from genkit_language.bpe import byte_level, letter_of
from genkit_language.tokenizer import Bytes, Characters, Tokenizer

_END = "<|endoftext|>"


def tokenizer_json(tokenizer: Tokenizer) -> tuple[dict[str, Any], str | None]:
    """Return a tokenizer in the form of the library tokenizers, and the name of its end, if any.

    Args:
        tokenizer: of this plugin; all numbers stay.
    """
    if isinstance(tokenizer, Characters):
        form = _of_characters(tokenizer.letters)
    elif isinstance(tokenizer, Bytes):
        form = _of_bytes()
    else:
        form = dict(tokenizer.form()["tokenizer"])
    if tokenizer.end is None:
        return form, None
    named = {number: name for name, number in form["model"]["vocab"].items()}
    added = list(form.get("added_tokens") or [])
    named |= {each["id"]: each["content"] for each in added}
    name = named.get(tokenizer.end, _END)
    if all(each["id"] != tokenizer.end for each in added):
        flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        added.append({"id": tokenizer.end, "content": name, **flags, "special": True})
    return {**form, "added_tokens": sorted(added, key=lambda each: each["id"])}, name


def _of_characters(letters: str) -> dict[str, Any]:
    vocabulary = {letter: number for number, letter in enumerate(letters)}
    rust = Rust(models.WordLevel(vocabulary, unk_token=""))
    rust.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    rust.decoder = decoders.Fuse()
    form: dict[str, Any] = json.loads(rust.to_str())
    return form


def _of_bytes() -> dict[str, Any]:
    form: dict[str, Any] = json.loads(byte_level().to_str())
    form["model"]["vocab"] = {letter_of(byte): byte for byte in range(256)}
    return form
