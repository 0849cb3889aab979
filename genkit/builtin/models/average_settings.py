"""The setting of averaged weights, which several models have; this module is free of Keras."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

AverageWindow = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="Width of the averaged weights' window, as a share of the steps so far, "
        "instead of a decay: 0.1 is a tenth; 0 is none",
    ),
]
