"""Settings, free of Keras and NumPy."""

from typing import Literal

from pydantic import Field

import genkit


class ToyData(genkit.Config):
    """Settings of the data."""

    split: Literal["train", "test"] = Field("train", description="Which items")
    transforms: tuple[str, ...] = Field((), description="What is done to the items, in this order")
    limit: int | None = Field(None, ge=1, description="The first so many items")


class ToyModel(genkit.Config):
    """Settings of the models."""

    width: int = Field(8, ge=1, description="Units of the hidden layer")
