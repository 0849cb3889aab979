"""Settings of the unsound plugin; each class but the first has one defect."""

from typing import Literal

import pydantic
from pydantic import Field

import genkit


class Sound(genkit.Config):
    """Sound settings."""

    width: int = Field(4, description="How wide")


class SoundData(genkit.Config):
    """Settings of a data set with splits."""

    items: int = Field(40, description="How many")
    split: Literal["train", "test"] = Field("train", description="Which")


class ChoosyData(SoundData):
    """Settings of a data set of which a subset can be drawn."""

    per_class: int | None = Field(None, description="How many of each class")
    subset_seed: int = Field(0, description="Seed of the draw")
    subset: int = Field(0, description="Which draw")


class Changing(Sound):
    @pydantic.field_serializer("width")
    def _one_more(self, value):
        return value + 1


class Loose(genkit.Config):
    model_config = pydantic.ConfigDict(extra="ignore")
    width: int = Field(4, description="How wide")


class Silent(genkit.Config):
    width: int = 4
