"""What is done to sounds, which vary in length: each comes alone, cut to its own."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from genkit.data import Transform


@dataclass(frozen=True)
class Trim(Transform):
    """Cut silence off both ends."""

    modality: ClassVar[str] = "audio"
    decibels: float

    @classmethod
    def parse(cls, value):
        return cls(float(value))

    def output(self, field):
        return field

    def __call__(self, images, field, rng=None):
        loud = np.flatnonzero(np.abs(images[0]) > field.range[1] * 10 ** (self.decibels / 20))
        return images[:, loud[0] : loud[-1] + 1] if len(loud) else images[:, :0]


@dataclass(frozen=True)
class Every(Transform):
    """Keep every so many samples: another length, at another rate."""

    modality: ClassVar[str] = "audio"
    step: int

    @classmethod
    def parse(cls, value):
        return cls(int(value))

    def output(self, field):
        return replace(field, rate=field.rate / self.step)

    def __call__(self, images, field, rng=None):
        return images[:, :: self.step]


@dataclass(frozen=True)
class Gain(Transform):
    """Multiply, which can be undone."""

    modality: ClassVar[str] = "audio"
    factor: float

    @classmethod
    def parse(cls, value):
        return cls(float(value))

    def output(self, field):
        return replace(field, range=tuple(self.factor * bound for bound in field.range))

    def __call__(self, images, field, rng=None):
        return images * np.float32(self.factor)

    def undo(self, items, field):
        return items / np.float32(self.factor)
