"""Captioned pictures as GenKit's data: fields ``image`` and ``caption``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

import genkit
from genkit.data import Batch, Source, Subset, vocabulary_of, with_vocabulary
from genkit.errors import DataError
from genkit_text2image.captions import Caption
from genkit_text2image.configs import CaptionedConfig
from genkit_text2image.splitting import held_out
from genkit_text2image.words import Words

IMAGE, CAPTION = "image", "caption"


class CaptionedSource(Source):
    """Pictures with their captions, as numbers of words, int32 ``(longest,)``.

    In training captions are widened: some get words of their picture's keywords and categories,
    and some words are left out, so that a model meets more combinations than were written.

    Args:
        pictures: with a field ``image``.
        captions: of each.
        words: the vocabulary.
        config: how captions are cut and widened.

    Attributes:
        texts: the captions as text, by item, with words that the vocabulary lacks.
    """

    def __init__(
        self, pictures: Source, captions: Sequence[Caption], words: Words, config: CaptionedConfig
    ) -> None:
        self._pictures, self._words, self._config = pictures, words, config
        self._captions = tuple(captions)
        encoded = [words.encode(caption.words, config.longest) for caption in captions]
        self._encoded = np.stack(encoded)
        field, self.assets = with_vocabulary(
            CAPTION, genkit.Field((config.longest,), "int32", "text"), words.names
        )
        self.schema = genkit.Schema({IMAGE: pictures.schema[IMAGE], CAPTION: field})
        self._widens = config.split == "train" and bool(config.widen or config.drop_words)

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(" ".join(caption.words) for caption in self._captions)

    def __len__(self) -> int:
        return len(self._captions)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        return {**self._pictures.gather(indices), CAPTION: self._encoded[indices]}

    def draw(self, indices: NDArray[np.integer], rng: Generator) -> Batch:
        if not self._widens:
            return {}
        return {CAPTION: np.stack([self._widened(self._captions[row], rng) for row in indices])}

    def _widened(self, caption: Caption, rng: Generator) -> NDArray[np.int32]:
        config, words = self._config, list(caption.words)
        if caption.hints and rng.random() < config.widen:
            some = rng.permutation(len(caption.hints))[: rng.integers(1, len(caption.hints) + 1)]
            words += [caption.hints[place] for place in some]
        kept = rng.random(len(words)) >= config.drop_words
        left = [word for word, keep in zip(words, kept, strict=True) if keep]
        return self._words.encode(left or words, config.longest)

    def fingerprint(self) -> str:
        told = [self._pictures.fingerprint(), self._words.names]
        told += [[caption.words, caption.hints] for caption in self._captions]
        told += [self._config.longest]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def divided(
    pictures: Source, captions: Sequence[Caption], config: CaptionedConfig
) -> CaptionedSource:
    """Return the pictures of the split that is asked for; the vocabulary is that of training.

    Raises:
        DataError: nothing is left for it.
    """
    held = held_out(
        [each.words for each in captions], config.held_out, config.known, config.split_seed
    )
    seen = [each for each, out in zip(captions, held, strict=True) if not out]
    words = Words.learned([(*each.words, *each.hints) for each in seen], config.vocabulary)
    chosen = {"train": ~held, "test": held, "all": np.ones(len(held), bool)}[config.split]
    rows = np.flatnonzero(chosen)
    if not len(rows):
        raise DataError(
            f"Expected captions to hold out whose words are each in {config.known} others or more; "
            f"there are none among {len(captions)}.",
            "Ask for less: --data known=1, or measure on --data split=all",
        )
    part = Subset(pictures, rows)
    return CaptionedSource(part, [captions[row] for row in rows], words, config)


def words_in(schema: genkit.Schema, assets: Mapping[str, np.ndarray]) -> Words:
    """Return the vocabulary of a model's captions, which came with its data."""
    return Words(vocabulary_of(schema, caption_field(schema), assets))


def caption_field(schema: genkit.Schema) -> str:
    """Name the field of captions in numbers of words.

    Raises:
        DataError: text in another form, or none.
    """
    name = schema.name_of("text")
    field = schema[name]
    if len(field.shape) != 1 or field.shape[0] is None or not field.vocabulary:
        raise DataError(
            f"Expected captions as numbers of words; received {field}.",
            "Use a data set of genkit-keras-text2image: --dataset captioned-folder "
            "--data path=FOLDER",
        )
    return name
