"""Tables of prompts and answers as GenKit's data: a model learns the answers, given the prompts."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.data import Batch, Source, with_vocabulary
from genkit.errors import DataError
from genkit_language.configs import PromptsConfig
from genkit_language.data import FIELD, TextSource, check_tokenizer, items_of, whole_text
from genkit_language.documents import Corpus, Document
from genkit_language.kept_tokenizer import load_tokenizer
from genkit_language.rows import NoTextError, Row, rows_of
from genkit_language.survey import Survey, survey
from genkit_language.token_file import SPLITS, Tokens, made_tokenizer, written
from genkit_language.tokenizer import Tokenizer

PROMPT = "prompt"
SEPARATOR = "separator.text"
"""Name of the asset that keeps what stands between a prompt and its answer: UTF-8."""


class Table(Corpus):
    """The rows of a table as documents, each of two blocks: the prompt with separator, the answer.

    Args:
        config: which file, and its columns.

    Raises:
        DataError: no such file.
    """

    def __init__(self, config: PromptsConfig) -> None:
        super().__init__(config.path)
        self._config = config

    def __iter__(self) -> Iterator[Document]:
        columns = [self._config.prompt, self._config.answer]
        for row in rows_of(self.path, columns):
            yield Document(row.name, partial(self._blocks, row))

    def _blocks(self, row: Row) -> Iterator[str]:
        prompt, answer = (row.text(name) for name in (self._config.prompt, self._config.answer))
        for what, text in (("prompt", prompt), ("answer", answer)):
            if not text.strip():
                raise NoTextError(f"empty {what}")
        yield prompt + self._config.separator
        yield answer


class PromptSource(TextSource):
    """The rows of a split. An item is a whole row: the prompt, the separator, the answer.

    Args:
        tokens: of all rows, one behind the other, an end behind each.
        lengths: of each row's prompt, with the separator, and of its answer, with the end; int64
            of shape ``(rows, 2)``.
        separator: what stands between prompt and answer.

    Attributes:
        starts: where each row begins, ``(rows,)``.
        lengths: as given.
    """

    def __init__(self, tokens: Tokens, lengths: NDArray[np.integer], separator: str) -> None:
        super().__init__(tokens, 1, drawn=False)
        self.lengths = lengths
        self.starts = np.cumsum(lengths.sum(1)) - lengths.sum(1)
        text = self.schema[FIELD]
        prompt, assets = with_vocabulary(PROMPT, text, tokens.tokenizer.names)
        self.schema = genkit.Schema({FIELD: text, PROMPT: prompt})
        packed = np.frombuffer(separator.encode(), np.uint8)
        self.assets = {**self.assets, **assets, SEPARATOR: packed}

    def __len__(self) -> int:
        return len(self.starts)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        prompts, answers = self.lengths[indices].T
        batch: Batch = {}
        for name, lengths in ((FIELD, prompts + answers - 1), (PROMPT, prompts)):
            rows = np.zeros((len(lengths), int(lengths.max(initial=0))), np.int32)
            for row, start, length in zip(rows, self.starts[indices], lengths, strict=True):
                row[:length] = self.tokens.numbers[start : start + length]
            batch |= {name: rows, f"{name}_length": lengths.astype(np.int32)}
        return batch

    def fingerprint(self) -> str:
        told = [super().fingerprint(), hashlib.sha256(self.lengths.tobytes()).hexdigest()]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


class Answers(Source):
    """What a model of text learns from rows: each with its end, and which tokens count.

    Args:
        source: the rows, or some of them.
        context: tokens that a model sees at once.

    Raises:
        DataError: a row is longer.
    """

    def __init__(self, source: Source, context: int) -> None:
        whole, items = whole_text(source), items_of(source)
        assert isinstance(whole, PromptSource), "the model has looked"
        self._rows, self._context, self._fingerprint = whole, context, source.fingerprint
        self._items = np.arange(len(whole)) if items is None else items
        sizes = whole.lengths[self._items].sum(1)
        if (long := int((sizes > context + 1).sum())) > 0:
            raise DataError(
                f"Expected rows of at most {context + 1} tokens, which the model takes; {long} of "
                f"{len(sizes)} have more, the longest {sizes.max()}.",
                f"Let it see more: --set context={sizes.max() - 1}; or leave such rows out: "
                f"--data longest={context + 1}",
            )
        self.schema = genkit.Schema(
            {
                "window": genkit.Field((context + 1,), "int32", "window"),
                "counts": genkit.Field((context,), "float32", "share", (0, 1)),
            }
        )

    def __len__(self) -> int:
        return len(self._items)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        rows, items = self._rows, self._items[indices]
        windows = np.zeros((len(items), self._context + 1), np.int32)
        counts = np.zeros((len(items), self._context), np.float32)
        for place, item in enumerate(items):
            (prompt, answer), start = rows.lengths[item], rows.starts[item]
            windows[place, : prompt + answer] = rows.tokens.numbers[start : start + prompt + answer]
            counts[place, prompt - 1 : prompt + answer - 1] = 1
        return {"window": windows, "counts": counts}

    def fingerprint(self) -> str:
        told = [self._fingerprint(), self._context]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def separator_of(assets: Mapping[str, NDArray[Any]]) -> str:
    """Return what stands between prompts and answers; nothing for a model of plain text.

    Raises:
        DataError: it is damaged.
    """
    if SEPARATOR not in assets:
        return ""
    try:
        return np.asarray(assets[SEPARATOR], np.uint8).tobytes().decode()
    except UnicodeDecodeError as error:
        raise DataError("Expected a separator of the run in UTF-8; it is damaged.") from error


def open_prompts(config: PromptsConfig) -> PromptSource:
    """Open a table of prompts and answers: the fields ``text``, a whole row, and ``prompt``.

    Rows that can't be used are counted by reason, and a warning names the first ones. Which are
    held out follows from their texts.

    Raises:
        DataError: no such file, no two rows that differ, or a tokenizer that can't be used.
        UsageError: a tokenizer's file for another kind than ``bpe``.
    """
    check_tokenizer(config.tokenizer, config.tokenizer_file)
    found = survey(Table(config))
    if found.alone:
        raise DataError(
            f"Expected two rows or more in {config.path}, to learn from some and hold out others; "
            "received one."
        )
    if config.tokenizer_file is not None:
        tokenizer = load_tokenizer(config.tokenizer_file, ends=True)
        if tokenizer.end is None:
            raise DataError(
                f"Expected a tokenizer with a token that ends an answer; that of "
                f"{config.tokenizer_file} has none.",
                "Take that of a run on documents, or leave tokenizer_file out.",
            )
    else:
        tokenizer = made_tokenizer(found, config)
    source = _encoded(found, config, tokenizer)
    found.left_out.record_in(source)
    return source


def write_fake(folder: Path) -> dict[str, Any]:
    """Write a few rows for ``genkit check``; give the settings that open them."""
    rows = [
        {"prompt": f"{a} and {b}", "answer": f"{a + b}"} for a in range(2, 9) for b in range(2, 9)
    ]
    path = folder / "sums.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return {"path": str(path)}


def _encoded(found: Survey, config: PromptsConfig, tokenizer: Tokenizer) -> PromptSource:
    """Return the rows of the split that is asked for, as tokens."""
    lengths = array("q")
    tokens = written(_rows(found, config, tokenizer, lengths), tokenizer, config.path)
    return PromptSource(tokens, np.array(lengths, np.int64).reshape(-1, 2), config.separator)


def _rows(
    found: Survey, config: PromptsConfig, tokenizer: Tokenizer, lengths: array[int]
) -> Iterator[NDArray[np.integer]]:
    """Return the tokens of each row of the split, and add the lengths of its two parts."""
    held_out, end = SPLITS.index(config.split), np.array([tokenizer.end], tokenizer.dtype)
    rows = np.flatnonzero(found.used).tolist()
    for row, (held, blocks) in zip(rows, found.pieces(config.held_out), strict=True):
        prompt, answer = (tokenizer.encode(block).astype(tokenizer.dtype) for block in blocks)
        if config.longest is not None and len(prompt) + len(answer) + 1 > config.longest:
            found.left_out.add(
                f"longer than {config.longest} tokens", config.path / f"row {row + 1}"
            )
        elif held == held_out:
            lengths.extend((len(prompt), len(answer) + 1))
            yield np.concatenate([prompt, answer, end])
