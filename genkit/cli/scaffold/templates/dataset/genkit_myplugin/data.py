"""The data set: settings in, a source of items out."""

import csv
import math

import genkit
import numpy as np
from genkit.data import ArraySource
from genkit.errors import DataError

from genkit_myplugin.settings import TableConfig

_TEST_EVERY = 10


def open_table(config: TableConfig) -> ArraySource:
    """Open a table whose rows are a class and the pixels of a gray image, 0 to 255, line by line.

    A first row without numbers is a heading, and left out.

    Returns:
        the fields ``image``, uint8 of shape ``(height, width, 1)``, and ``label``.

    Raises:
        DataError: the file can't be read, or holds something else.
    """
    names, pixels = read_table(config)
    height, width = _size_of(pixels.shape[1], config)
    is_test = np.arange(len(pixels)) % _TEST_EVERY == _TEST_EVERY - 1
    rows = np.flatnonzero(is_test == (config.split == "test"))[: config.limit]
    classes, labels = np.unique(names, return_inverse=True)
    schema = genkit.Schema(
        {
            "image": genkit.Field((height, width, 1), "uint8", "image", range=(0, 255)),
            "label": genkit.Field((), "int32", "label", classes=tuple(map(str, classes))),
        }
    )
    images = pixels.reshape(-1, height, width, 1)
    return ArraySource({"image": images[rows], "label": labels[rows].astype("int32")}, schema)


def read_table(config: TableConfig) -> tuple[list[str], np.ndarray]:
    """Read the names of the classes, and the pixels: uint8, shape ``(rows, pixels)``."""
    names: list[str] = []
    rows: list[list[float]] = []
    try:
        with config.path.open(encoding="utf-8-sig", newline="") as file:
            for number, (name, *cells) in enumerate(filter(None, csv.reader(file)), 1):
                try:
                    rows.append([float(cell) for cell in cells])
                except ValueError as error:
                    if number == 1:
                        continue
                    raise DataError(f"Row {number} of {config.path}: {error}.") from error
                names.append(name)
                if len(rows[-1]) != len(rows[0]):
                    raise DataError(
                        f"Expected {len(rows[0])} pixels in each row of {config.path}; "
                        f"received {len(rows[-1])} in row {number}."
                    )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"The file {config.path} can't be read: {reason}.") from error
    pixels = np.array(rows)
    if not pixels.size or not ((pixels >= 0) & (pixels <= 255)).all():
        raise DataError(f"Expected rows of pixels from 0 to 255 in {config.path}.")
    return names, pixels.astype("uint8")


def _size_of(pixels: int, config: TableConfig) -> tuple[int, int]:
    """Return height and width of images of so many pixels."""
    width = config.width or math.isqrt(pixels)
    height, rest = divmod(pixels, width)
    if rest or (config.width is None and height != width):
        raise DataError(
            f"Expected {pixels} pixels to be whole lines of {width}; they aren't.",
            "Say how long a line is: --data width=28",
        )
    return height, width
