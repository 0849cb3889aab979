"""The settings; free of Keras and NumPy, so that mistakes are told at once."""

from typing import Literal

import genkit
from pydantic import Field


class TableConfig(genkit.Config):
    """Settings of the data set: each is given with ``--data NAME=VALUE``."""

    path: genkit.AbsolutePath = Field(description="The CSV file")
    width: int | None = Field(None, ge=1, description="Pixels in a line; square images without it")
    split: Literal["train", "test"] = Field(
        "train", description="test: every tenth image; train: all others"
    )
    limit: int | None = Field(None, ge=1, description="The first so many images of the split")
