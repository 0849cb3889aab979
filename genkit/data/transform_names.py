"""Transforms by name, as a recipe writes them.

resize=32, resize=32x48     to exactly this height x width, antialiased
center-crop=64              the middle, height x width too
grayscale                   one channel: luma of ITU-R BT.601
denoise, denoise=5          median of an odd window, 3 unless told
normalize=-1,1              float32, from the field's range to this one
flip                        left to right, half of the items, drawn anew for each batch
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from genkit.data.transforms import (
    CenterCrop,
    Denoise,
    Flip,
    Grayscale,
    Normalize,
    Resize,
    Transform,
)
from genkit.errors import UsageError
from genkit.plugins.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LARGEST_SIDE = 8192
_LARGEST_WINDOW = 31


def parse_transforms(names: Iterable[str]) -> list[Transform]:
    """Read transforms by name, as a recipe writes them: ``["resize=32", "flip"]``.

    Raises:
        UsageError: an unknown name, a bad value, or a random transform before another one.
    """
    names = list(names)
    found = [_parse(name) for name in names]
    order = sorted(range(len(found)), key=lambda i: found[i].random)
    if order != list(range(len(found))):
        # The others are applied once, when the data opens; the random ones to every batch.
        raise UsageError(
            f"Expected random transforms last; received {names}.",
            f"Write {[names[i] for i in order]}.",
        )
    return found


def _parse(name: str) -> Transform:
    kind, equals, value = (part.strip() for part in name.partition("="))
    if kind not in _READERS:
        raise UsageError(
            f"Expected a transform ({', '.join(_READERS)}); received {name!r}.",
            suggestion(kind, _READERS),
        )
    example, read = _READERS[kind]
    try:
        return read(value if equals else None)
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"Expected {example}; received {name!r}.") from None


def _sides(value: str | None) -> tuple[int, int]:
    matched = re.fullmatch(r"([0-9]{1,5})(?:x([0-9]{1,5}))?", value or "")
    if not matched:
        raise ValueError(value)
    height, width = int(matched[1]), int(matched[2] or matched[1])
    if not (0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE):
        raise ValueError(value)
    return height, width


def _read_normalize(value: str | None) -> Normalize:
    low, high = (float(part) for part in (value or "").split(","))
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(value)
    return Normalize(low, high)


def _read_denoise(value: str | None) -> Denoise:
    window = 3 if value is None else int(value)
    if window % 2 == 0 or not 1 < window <= _LARGEST_WINDOW:
        raise ValueError(value)
    return Denoise(window)


def _read_plain(kind: type[Grayscale | Flip]) -> Callable[[str | None], Transform]:
    def read(value: str | None) -> Transform:
        if value is not None:
            raise ValueError(value)
        return kind()

    return read


_READERS: dict[str, tuple[str, Callable[[str | None], Transform]]] = {
    "resize": ("resize=32 or resize=32x48", lambda value: Resize(*_sides(value))),
    "center-crop": (
        "center-crop=32 or center-crop=32x48",
        lambda value: CenterCrop(*_sides(value)),
    ),
    "grayscale": ("grayscale, without a value", _read_plain(Grayscale)),
    "denoise": ("denoise or an odd window such as denoise=5", _read_denoise),
    "normalize": ("normalize=-1,1 or normalize=0,1", _read_normalize),
    "flip": ("flip, without a value", _read_plain(Flip)),
}
