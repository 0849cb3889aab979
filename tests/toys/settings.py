"""Settings, free of Keras and NumPy."""

from typing import Literal

from pydantic import Field

import genkit


class ToyData(genkit.Config):
    """Settings of the data."""

    split: Literal["train", "test"] = Field("train", description="Which items")
    transforms: tuple[str, ...] = Field((), description="What is done to the items, in this order")
    limit: int | None = Field(None, ge=1, description="The first so many items")


class MeasuresData(genkit.Config):
    """Settings of the labelled table."""

    split: Literal["train", "test"] = Field("train", description="Which rows")
    per_class: int | None = Field(None, ge=1, description="So many rows of each class, drawn")
    subset_seed: int = Field(0, ge=0, description="Which order they are drawn in")
    subset: int = Field(0, ge=0, description="Which slice of that order")


class ToyModel(genkit.Config):
    """Settings of the models."""

    width: int = Field(8, ge=1, description="Units of the hidden layer")


class WriterConfig(genkit.Config):
    """Settings of the model that writes."""

    layers: int = Field(4, ge=1, description="Blocks")
    heads: int = Field(4, ge=1, description="Attention heads; the width is a multiple of them")
    width: int = Field(128, ge=1, description="Channels")
    context: int = Field(64, ge=8, description="Characters it sees and writes at most")
    learning_rate: float = Field(3e-3, gt=0, description="Adam's step size")


class WritingOptions(genkit.Config):
    """What generation takes."""

    temperature: float = Field(1.0, gt=0, description="Above 1 for more variety, below for less")
