"""Image files: decode them, and be wary of all of them."""

from __future__ import annotations

import ctypes
import struct
import warnings
import zlib
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, _imaging

from genkit.builtin.datasets.image_search import READS_AVIF
from genkit.data.item_files import FileItem, ItemFiles
from genkit.data.transforms import ImageTransform, Transform
from genkit.errors import DataError
from genkit.plugins.schema import Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genkit.data.left_out import LeftOut

MAX_PIXELS = 8192 * 8192
_WHITE_IN_16_BITS = 65535
_FORMATS = (
    *("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"),
    *(("AVIF",) if READS_AVIF else ()),
)
# Files that may hold several images. Phones put a smaller one behind a JPEG: that is no other page.
_SEVERAL = ("PNG", "WEBP", "GIF", "TIFF", "AVIF")
# What Pillow raises on damaged files, and on images large enough to exhaust the memory.
_UNREADABLE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def decode(file: Path, mode: str | None) -> tuple[NDArray[np.uint8], int]:
    """Decode an image; what is transparent becomes white.

    Args:
        file: of a format that is read: PNG, JPEG, WebP, BMP, GIF, TIFF, PPM, and AVIF
            where Pillow can.
        mode: ``"RGB"`` or ``"L"`` (gray); None keeps what the image is.

    Returns:
        shape ``(height, width, channels)``, of 1 or 3 channels: of an animation the first frame,
        of several pages the first. And how many more there are.

    Raises:
        OSError: or another of the errors that mean that the image can't be read.
    """
    _silence_libtiff()
    with Image.open(file, formats=_FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError(f"{image.width}x{image.height} pixels are too many")
        more = getattr(image, "n_frames", 1) - 1 if image.format in _SEVERAL else 0
        upright = ImageOps.exif_transpose(image)
        plain = _without_transparency(_in_8_bits(upright))
        values = np.asarray(plain.convert(mode) if mode else plain)
    return values if values.ndim == 3 else values[..., None], more  # noqa: PLR2004


@cache
def _silence_libtiff() -> None:
    """Keep the C library that reads TIFF from printing lines: damaged files are counted and told.

    It is found through Pillow's own module, and prints as ever where it isn't. Once for the whole
    process, since several threads decode.
    """
    with suppress(OSError, AttributeError):
        take_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        take_handler.argtypes, take_handler.restype = (ctypes.c_void_p,), ctypes.c_void_p
        take_handler(None)


def image_items(
    root: Path,
    files: Sequence[Path],
    left_out: LeftOut,
    *,
    mode: str | None = None,
    transforms: Sequence[Transform] = (),
    limit: int | None = None,
) -> tuple[ItemFiles, Field]:
    """Return images as items that are decoded when they are needed, and what each of them is.

    Args:
        root: the folder that the images are in.
        files: the images.
        left_out: counts the files that can't be read.
        mode: as for ``decode``.
        transforms: applied to every image by itself; none draws at random.
        limit: stop after so many images.

    Raises:
        DataError: not one could be read, or they differ in size or in channels.
    """
    field = Field((1, 1, 1), "uint8", "image", (0, 255))

    def read(file: Path) -> FileItem:
        nonlocal field
        try:
            image, more = decode(file, mode)
        except _UNREADABLE:
            return FileItem(None, "unreadable")
        left = "frames or pages after the first" if more else ""
        item, field = _transformed(file, image, transforms)
        return FileItem(item, left)

    with warnings.catch_warnings():  # not in read(): other threads' filters would be lost
        warnings.simplefilter("ignore")
        items = ItemFiles(root, files, read, left_out, limit=limit, differs=_mixed)
    if not items.fit_the_cache:  # they are decoded again, and what Pillow warns of is known
        warnings.filterwarnings("ignore", module=r"PIL\.")
    return items, replace(field, shape=items.shape[1:])


def _in_8_bits(image: Image.Image) -> Image.Image:
    if image.mode == "F":
        raise ValueError("the values are no integers: nobody knows which is white")
    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image, np.float64)
    if values.min() < 0 or values.max() > _WHITE_IN_16_BITS:
        raise ValueError("the values have more than 16 bits: nobody knows which is white")
    return Image.fromarray(np.rint(values / (_WHITE_IN_16_BITS / 255)).astype(np.uint8))


def _without_transparency(image: Image.Image) -> Image.Image:
    gray = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        opaque = image.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        image = Image.alpha_composite(white, opaque)
    return image.convert("L" if gray else "RGB")


def _transformed(
    file: Path, image: NDArray[np.uint8], transforms: Sequence[Transform]
) -> tuple[NDArray[Any], Field]:
    values: NDArray[Any] = image
    field = Field(image.shape, "uint8", "image", (0, 255))
    try:
        for transform in transforms:
            if isinstance(transform, ImageTransform):
                values = transform.apply(values)
            else:
                values = transform(values[None], field)[0]
            field = transform.output(field)
    except DataError as error:
        raise DataError(f"{file}: {error.message}", error.hint) from error
    return values, field


def _mixed(
    file: Path, shape: tuple[int, ...], first: Path, first_shape: tuple[int, ...]
) -> DataError:
    if first_shape[2] != shape[2]:
        names = {1: "gray", 3: "in colour"}
        return DataError(
            f"Expected images of one kind; {first} is {names[first_shape[2]]} and {file} is "
            f"{names[shape[2]]}.",
            "Pass --data mode=RGB (or mode=L for gray).",
        )
    return DataError(
        f"Expected images of one size; {first} is {first_shape[0]}x{first_shape[1]} and {file} "
        f"is {shape[0]}x{shape[1]} (height x width).",
        'Add transforms=["resize=64"], or ["center-crop=64"] where all are large enough.',
    )
