"""The model ``gpt``: foretells the next token from those before, and so goes on from a prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops

import genkit
from genkit.data import Source
from genkit.errors import DataError, UsageError
from genkit_language.beams import best_so_far, next_beams, with_beams
from genkit_language.configs import GPTConfig
from genkit_language.data import Windows, whole_text
from genkit_language.kept_tokenizer import read_tokenizer, rows_by_token
from genkit_language.network import Decoder
from genkit_language.optimizing import optimizer_for, rate_factor
from genkit_language.prompts import PROMPT, Answers, PromptSource, separator_of
from genkit_language.sampling import next_tokens
from genkit_language.score import Score, score
from genkit_language.stop_words import stop_words
from genkit_language.tokenizer import Tokenizer

_USUAL_LENGTH = 256


class GPT(genkit.Model):
    """A decoder-only transformer of text.

    Args:
        config: its settings.
        schema: data with a field of tokens, as the data sets of this plugin have it.

    Raises:
        DataError: text in another form.
        UsageError: settings that don't fit each other.
    """

    config: GPTConfig
    generation_batch = 8

    def __init__(self, config: GPTConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.text = schema.name_of("text")
        field = schema[self.text]
        if field.shape != (None,) or field.range is None or not field.vocabulary:
            raise DataError(
                f"Expected text as numbers of tokens; received {field}.",
                "Use a data set of genkit-keras-language: --dataset text --data path=FILE.txt",
            )
        # With a table of prompts a text is nothing without one; else it goes on from any text.
        answers = PROMPT in schema
        self.conditions = (
            genkit.Condition(
                PROMPT,
                modality="" if answers else "text",
                required=answers,
                longest=config.context,
            ),
        )
        self.network = Decoder(config, int(field.range[1]) + 1)
        self.network.build()
        self.add_optimizer("network", optimizer_for(config, self.network), self.network)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """What turns text into tokens and back; it came with the data."""
        return read_tokenizer(self.assets)

    @property
    def first_token(self) -> int:
        """What a text without a prompt stands behind: a document's end, or else a line break."""
        if self.tokenizer.end is not None:
            return self.tokenizer.end
        try:
            return int(self.tokenizer.encode("\n")[-1])
        except UsageError:  # text of one line, as characters
            return 0

    def examples(self, source: Source) -> Source:
        if isinstance(whole_text(source), PromptSource):
            return Answers(source, self.config.context)
        return Windows(source, self.config.context)

    def adopt(
        self,
        name: str,
        ours: np.ndarray,
        theirs: np.ndarray,
        assets: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        """Return a row of the table or the head for each token that both know, by its text."""
        if name == "network/places":
            return theirs[: len(ours)]
        if name not in ("network/table", "network/head"):
            return theirs
        return rows_by_token(ours, theirs, self.tokenizer, read_tokenizer(assets))

    def learning_rate_factors(self, step: int, total: float) -> dict[str, float]:
        return {"network": rate_factor(self.config, step, total)}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:  # noqa: ARG002
        return {}

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        return {"loss": minimize("network", self.cross_entropy, *_learned(batch))[0]}

    def validation_step(self, batch: Any) -> dict[str, Any]:
        window, *counts = _learned(batch)
        return {"loss": _mean(self.surprise(window), *counts)}

    def cross_entropy(self, window: Any, counts: Any = None) -> Any:
        """Return the mean over all tokens that are foretold, in nats.

        Args:
            window: int32 ``(batch, length)``.
            counts: which tokens but the first count, 0 or 1, ``(batch, length - 1)``; the mean is
                then that of each row's own, so that short answers count as much as long ones.
        """
        return _mean(self._surprise(window, training=True), counts)

    def surprise(self, window: Any) -> Any:
        """Return by how much each token but the first surprises the model, in nats.

        Args:
            window: int32 ``(batch, length)``.

        Returns:
            float32 ``(batch, length - 1)``: minus the logarithm of the chance that it was given.
        """
        return self._surprise(window, training=False)

    def _surprise(self, window: Any, *, training: bool) -> Any:
        scores = ops.cast(self.network(window[:, :-1], training=training), "float32")
        wanted = ops.take_along_axis(scores, ops.expand_dims(window[:, 1:], -1), axis=-1)
        return ops.logsumexp(scores, axis=-1) - wanted[..., 0]

    def score(self, text: str) -> Score:
        """Return how much a text surprises the model, part by part; see ``Score``.

        Raises:
            UsageError: it has characters that the model doesn't know.
            DataError: it is empty.
        """
        return score(self, text)

    def encode_condition(
        self, name: str, values: Sequence[Any]
    ) -> np.ndarray | Sequence[np.ndarray]:
        if not all(isinstance(text, str) for text in values):
            return super().encode_condition(name, values)
        separator = separator_of(self.assets)
        return [self.tokenizer.encode(text + separator).astype("int32") for text in values]

    def present(self, items: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        texts = [self.tokenizer.decode(np.asarray(item, int)) for item in items[self.text]]
        return {self.text: np.array(texts, object)}

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"uniform": rng.random((n, self.config.longest), dtype="float32")}

    def first_state(  # type: ignore[override]  # its inputs are named
        self,
        uniform: Any,
        prompt: Any,
        prompt_length: Any,
        *,
        length: int | None = None,
        stop: str | None = None,
        beams: int | None = None,
        length_penalty: Any = 1.0,
        **asked: Any,
    ) -> dict[str, Any]:
        """Return the state when a prompt is read: its keys and values are in the cache."""
        length = length or min(_USUAL_LENGTH, self.config.longest)
        if length > self.config.longest:
            raise UsageError(
                f"Expected a length of at most {self.config.longest}; received {length}.",
                "A model trained with --set longest=N writes more.",
            )
        alone = ops.cast(prompt_length == 0, "int32")  # texts without a prompt
        first = ops.arange(prompt.shape[1], dtype="int32") == 0
        begun = ops.logical_and(ops.expand_dims(alone, -1) == 1, first)
        prompt = ops.where(begun, self.first_token, ops.cast(prompt, "int32"))
        room = self.config.context + length + 1 - prompt.shape[1]
        state = {
            "tokens": ops.pad(prompt, ((0, 0), (0, room))),
            "count": prompt_length + alone,  # of tokens, with that which no prompt stands behind
            "alone": alone,
            "ended": ops.zeros_like(alone) > 0,
            "steps": ops.zeros((), "int32"),
            "most": ops.convert_to_tensor(np.int32(length)),
            "cache": self.network.begin(prompt),
            "uniform": uniform,
            "asked": _scalars({"temperature": 1.0, **asked}),
        }
        if "repetition_penalty" in asked:
            state["seen"] = self._seen(prompt, prompt_length)
        if stop is not None:
            state["stop"] = self._stop(stop, alone)
        if beams is not None:
            penalty = ops.convert_to_tensor(length_penalty, "float32")
            return with_beams(state, beams, penalty)
        return state

    def next_state(self, state: dict[str, Any]) -> dict[str, Any]:
        if "search" in state:
            return next_beams(self, state)
        tokens, count = state["tokens"], state["count"]
        last = ops.take_along_axis(tokens, count[:, None] - 1, axis=1)[:, 0]
        scores, cache = self.network.step(last, count - 1, state["cache"])
        uniform = ops.take(state["uniform"], state["steps"], axis=1)
        drawn = next_tokens(scores, uniform, state["asked"], state.get("seen"))
        end = self.tokenizer.end
        is_end = drawn == end if end is not None else ops.zeros_like(state["ended"])
        ended = ops.logical_or(state["ended"], is_end)
        writes = ops.logical_not(ended)
        here = ops.arange(tokens.shape[1], dtype="int32") == count[:, None]
        count = count + ops.cast(writes, "int32")
        steps = state["steps"] + 1
        new = {
            **state,
            "tokens": ops.where(ops.logical_and(here, writes[:, None]), drawn[:, None], tokens),
            "count": count,
            "steps": steps,
            "cache": cache,
        }
        ended = ops.logical_or(ended, steps >= state["most"])
        if self.config.places == "learned":
            ended = ops.logical_or(ended, count > self.config.context)
        if "seen" in state:
            mine = drawn[:, None] == ops.arange(self.network.size, dtype="int32")
            new["seen"] = ops.logical_or(state["seen"], ops.logical_and(mine, writes[:, None]))
        if "stop" in state:
            stop = state["stop"]
            read = ops.take(
                ops.reshape(stop["table"], (-1,)), stop["at"] * self.network.size + drawn
            )
            at = ops.where(writes, read, stop["at"])
            new["stop"] = {**stop, "at": at}
            ended = ops.logical_or(ended, ops.take(stop["found"], at))
        return {**new, "ended": ended}

    def ended(self, state: dict[str, Any]) -> Any:
        return state["ended"]

    def result(self, state: dict[str, Any]) -> dict[str, Any]:
        tokens, count, alone = state["tokens"], state["count"], state["alone"]
        if "search" in state:
            tokens, count = best_so_far(state)
        text = ops.where(alone[:, None] == 1, tokens[:, 1:], tokens[:, :-1])
        return {self.text: text, f"{self.text}_length": count - alone}

    def _seen(self, prompt: Any, length: Any) -> Any:
        """Return which tokens prompts have, bool ``(batch, size)``."""
        there = ops.arange(prompt.shape[1], dtype="int32") < length[:, None]
        mine = ops.expand_dims(prompt, -1) == ops.arange(self.network.size, dtype="int32")
        return ops.any(ops.logical_and(mine, ops.expand_dims(there, -1)), axis=1)

    def _stop(self, stop: str, alone: Any) -> dict[str, Any]:
        """Return the machine that looks for words which end a text, before the first token."""
        words = [word for word in stop.split("|") if word]
        if not words:
            raise UsageError(f"Expected words that end a text, parted by |; received {stop!r}.")
        machine = stop_words(words, self.tokenizer.pieces)
        return {
            "table": ops.convert_to_tensor(machine.table),
            "found": ops.convert_to_tensor(machine.found),
            "at": ops.zeros_like(alone),
        }


def _learned(batch: Any) -> list[Any]:
    """Return the windows of a batch, and of answers to prompts which of their tokens count."""
    return [batch[name] for name in ("window", "counts") if name in batch]


def _mean(surprise: Any, counts: Any = None) -> Any:
    if counts is None:
        return ops.mean(surprise)
    return ops.mean(ops.sum(surprise * counts, axis=-1) / ops.sum(counts, axis=-1))


def _scalars(values: dict[str, Any]) -> dict[str, Any]:
    """Return tensors: integers int32, all else float32."""
    kinds = {
        name: "int32" if isinstance(value, int) else "float32" for name, value in values.items()
    }
    return {name: ops.convert_to_tensor(value, kinds[name]) for name, value in values.items()}
