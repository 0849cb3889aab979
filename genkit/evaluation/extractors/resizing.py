"""From images of any size and range to a network's input; by NumPy, whatever the backend."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genkit.errors import DataError
from genkit.evaluation.extractors.images import eight_bits
from genkit.plugins.specs import Field

_GRAY, _COLOUR = 1, 3


def network_input(
    image: Field, side: int, channels: int, name: str
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that makes a network's input.

    Images are rounded to the 8 bits that a file holds, their channels averaged or the one repeated,
    and resized bilinearly, with antialiasing where they shrink.

    Args:
        image: what the images are.
        side: of the input, in pixels.
        channels: of the input, 1 or 3.
        name: of the extractor, for the error.

    Returns:
        a function from items of shape ``(n, *image.shape)`` in the schema's range to float32 of
        shape ``(n, side, side, channels)``, from 0 to 255.

    Raises:
        DataError: the images have no range, no fixed size, or neither one nor three channels.
    """
    gray_or_colour = len(image.shape) == 3 and image.shape[-1] in (_GRAY, _COLOUR)  # noqa: PLR2004
    if image.range is None or None in image.shape or not gray_or_colour:
        raise DataError(
            f"The extractor {name} expects gray or colour images of one size and with a range; "
            f"received the shape {image.shape} and the range {image.range}.",
            "Use --extractor pixels, or a transform of the data set.",
        )
    rows = resizing_matrix(int(image.shape[0] or 0), side)
    columns = resizing_matrix(int(image.shape[1] or 0), side)

    def to_input(items: np.ndarray) -> np.ndarray:
        pixels = eight_bits(items, image)
        if pixels.shape[-1] > channels:
            pixels = pixels.mean(axis=-1, keepdims=True)
        if pixels.shape[1:3] != (side, side):
            planes = np.moveaxis(pixels, -1, 1)
            pixels = np.moveaxis(rows @ planes @ columns.T, 1, -1)
        return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:-1], channels)))

    return to_input


def resizing_matrix(size: int, new: int) -> np.ndarray:
    """Return the matrix that resizes a line of pixels bilinearly.

    Pixel centres stand at halves; where the line shrinks, the triangle of weights widens with it,
    so that no pixel is skipped (antialiasing); at the ends the weights are scaled to add up to one.

    Args:
        size: of the line.
        new: of what comes out.

    Returns:
        float32 of shape ``(new, size)``, each row adding up to one.
    """
    scale = size / new
    centres = (np.arange(new)[:, None] + 0.5) * scale - 0.5
    distance = np.abs(np.arange(size)[None, :] - centres) / max(scale, 1.0)
    weights = np.maximum(0.0, 1.0 - distance)
    matrix: np.ndarray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return matrix
