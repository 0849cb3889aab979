"""Which sizes StyleGAN2's networks go through, and how wide they are there; free of Keras."""

from __future__ import annotations

import genkit
from genkit.errors import DataError

LEAST = 4  # where synthesis begins
_LARGEST = 1024


def image_side(schema: genkit.Schema) -> tuple[int, int]:
    """Return the side and the channels of the schema's square images.

    Raises:
        DataError: no image field, or images of another form than a square whose side is a power of
            two, 8 to 1024.
    """
    name = schema.name_of("image")
    shape = schema[name].shape
    powers = [LEAST << times for times in range(1, 9)]
    if len(shape) != 3 or schema[name].range is None:  # noqa: PLR2004
        raise DataError(
            "stylegan2 needs images (height, width, channels) with a range; received "
            f"{schema[name]}."
        )
    height, width, channels = shape
    if height != width or height not in powers:
        largest = max(height or _LARGEST, width or _LARGEST)
        near = next((power for power in powers if power >= largest), _LARGEST)
        raise DataError(
            "stylegan2 needs square images whose side is a power of two from 8 to 1024; received "
            f"{height}x{width}.",
            f"Add: --data transforms=resize={near}x{near}",
        )
    return int(height), int(channels or 0)


def resolutions(side: int) -> list[int]:
    """Return 4, 8, 16 and so on up to the side of an image."""
    return [LEAST << times for times in range((side // LEAST).bit_length())]


def channels_at(resolution: int, base: int, most: int) -> int:
    """Return how many channels the networks have where pictures have that side."""
    return max(1, min(base // resolution, most))


def style_count(side: int) -> int:
    """Return how many styles a picture takes: two a resolution, the last for colours alone."""
    return 2 * len(resolutions(side))


def noise_count(side: int) -> int:
    """Return how many numbers the noise inputs of a picture take."""
    return LEAST**2 + sum(2 * resolution**2 for resolution in resolutions(side)[1:])
