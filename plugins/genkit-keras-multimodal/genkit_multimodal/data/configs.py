"""The settings of the data sets; this module is free of NumPy and Keras."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic
from pydantic import Field

import genkit
from genkit_multimodal.configs import Words

Split = Annotated[
    Literal["train", "test"], Field(description="Which items: for training, or held out")
]


class PairedConfig(genkit.Config):
    """Settings of ``paired``."""

    sets: Words = Field(
        ("mnist", "fsdd"),
        description="The data sets to join, by name; the word label stands for their classes as a "
        "modality of its own; on the command line separated by spaces",
        examples=["mnist fsdd", "mnist label"],
    )
    settings: Words = Field(
        (),
        description="Settings of those sets, SET.KEY=VALUE; on the command line separated by "
        "spaces",
        examples=["mnist.limit=1000"],
    )
    split: Split = "train"
    per_item: int = Field(
        1,
        ge=1,
        le=1000,
        description="Pairs that each item of the set with the most items of a class is in, with "
        "another partner each time",
    )
    limit: int | None = Field(None, ge=1, description="Use only the first so many pairs")
    pair_seed: int = Field(0, ge=0, lt=2**31, description="Seed of who is whose partner")

    @pydantic.field_validator("sets")
    @classmethod
    def _enough(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) < 2 or len(set(value)) < len(value):  # noqa: PLR2004
            raise ValueError("expected two or more names, each once")
        return value


class FsddConfig(genkit.Config):
    """Settings of ``fsdd``."""

    path: genkit.AbsolutePath | None = Field(
        None,
        description="The folder with the recordings; fsdd in the folder that GENKIT_DATA names "
        "when left out",
        examples=["FOLDER"],
    )
    split: Split = "train"
    limit: int | None = Field(None, ge=1, description="Use only the first so many recordings")
