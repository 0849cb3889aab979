"""Settings and options; this module is free of Keras, so that help and errors stay fast."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

import genkit

Split = Annotated[
    Literal["train", "validation"],
    Field(description="Which documents: for training, or held out; of a single one its end"),
]
TokenizerKind = Annotated[
    Literal["characters", "bytes", "bpe"],
    Field(description="What a token is; bytes and bpe take every text, characters those it has"),
]
Vocabulary = Annotated[
    int,
    Field(ge=257, le=1_000_000, description="Tokens that bpe learns from the training documents"),
]
HeldOut = Annotated[
    float,
    Field(gt=0, lt=1, description="Share of the documents, or of a single one, that is held out"),
]
Block = Annotated[
    int,
    Field(
        ge=1,
        le=1 << 16,
        description="Tokens of an item, as metrics and reports see it; what a model learns from "
        "is its own setting",
    ),
]


class ShakespeareConfig(genkit.Config):
    """Settings of ``tinyshakespeare``."""

    tokenizer: TokenizerKind = "characters"
    vocabulary: Vocabulary = 1024
    block: Block = 64
    split: Split = "train"
    held_out: HeldOut = 0.1


class TextConfig(genkit.Config):
    """Settings of ``text``."""

    path: genkit.AbsolutePath = Field(
        description="A text file, a folder of .txt files, or a .jsonl or .parquet file with a "
        "document a row"
    )
    column: str = Field("text", description="Of a .jsonl or .parquet file, where the text stands")
    tokenizer: TokenizerKind = "characters"
    tokenizer_file: genkit.AbsolutePath | None = Field(
        None,
        description="For bpe, one that exists: tokenizer.json, or a folder with it or with "
        "vocab.json and merges.txt",
    )
    vocabulary: Vocabulary = 1024
    block: Block = 64
    split: Split = "train"
    held_out: HeldOut = 0.1
