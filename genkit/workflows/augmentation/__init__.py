"""Does generated data help a classifier? The augmentation verdict."""

from typing import Literal

Classical = Literal["flip", "translation", "cutout"]
"""A random change to training images."""
