"""The settings; free of Keras, so that ``genkit info`` and mistakes are told at once."""

import genkit
from pydantic import Field


class LikesConfig(genkit.Config):
    """Settings of the data set: each is given with ``--data NAME=VALUE``."""

    path: genkit.AbsolutePath | None = Field(
        None, description="A CSV file with the columns user and item; without it, made-up readers"
    )
    readers: int = Field(300, ge=1, description="How many readers are made up")
    seed: int = Field(0, ge=0, description="Seed of what they liked")


class ItemNeighboursConfig(genkit.Config):
    """Settings of the model: each is given with ``--set NAME=VALUE``."""

    shrink: float = Field(
        5.0, ge=0, description="How much a likeness is lowered that few people vouch for"
    )
