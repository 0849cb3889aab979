"""Image files: decode them, and be wary of all of them."""

from __future__ import annotations

import ctypes
import struct
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, _imaging

from genkit.builtin.datasets.image_search import READS_AVIF
from genkit.data.source import allocate
from genkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from genkit.data.left_out import LeftOut
    from genkit.data.transforms import ImageTransform

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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"{image.width}x{image.height} pixels are too many")
            more = getattr(image, "n_frames", 1) - 1 if image.format in _SEVERAL else 0
            upright = ImageOps.exif_transpose(image)
            plain = _without_transparency(_in_8_bits(upright))
            values = np.asarray(plain.convert(mode) if mode else plain)
    return values if values.ndim == 3 else values[..., None], more  # noqa: PLR2004


@contextmanager
def _silent_libtiff() -> Iterator[None]:
    """Keep the C library that reads TIFF from printing lines: damaged files are counted and told.

    It is found through Pillow's own module, and prints as ever where it isn't.
    """
    try:
        take_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
    except (OSError, AttributeError):
        yield
        return
    take_handler.argtypes, take_handler.restype = (ctypes.c_void_p,), ctypes.c_void_p
    before = take_handler(None)
    try:
        yield
    finally:
        take_handler(before)


@_silent_libtiff()
def decode_all(
    files: Sequence[Path],
    mode: str | None,
    transforms: Sequence[ImageTransform],
    left_out: LeftOut,
    limit: int | None = None,
) -> tuple[NDArray[np.uint8], list[Path]]:
    """Decode images into one array, each transformed on its way.

    Args:
        files: the images.
        mode: as for ``decode``.
        transforms: applied to every image by itself.
        left_out: counts the files that can't be read.
        limit: stop after so many images.

    Returns:
        the images, shape ``(items, height, width, channels)``, and their files.

    Raises:
        DataError: not one could be read, or they differ in size or in channels.
    """
    images: NDArray[Any] | None = None
    used: list[Path] = []
    limit = min(limit or len(files), len(files))
    for file in files:
        if len(used) == limit:
            break
        try:
            image, more = decode(file, mode)
        except _UNREADABLE:
            left_out.add("unreadable", file)
            continue
        if more:
            left_out.add("frames or pages after the first", file)
        image = _transformed(file, image, transforms)
        if images is None:
            images = allocate((limit, *image.shape), "uint8")
        elif image.shape != images.shape[1:]:
            raise _mixed(used[0], images.shape[1:], file, image.shape)
        images[len(used)] = image
        used.append(file)
    if images is None:
        raise DataError(
            f"Expected readable images; none of {len(files)} can be read, the first {files[0]}."
        )
    return images[: len(used)], used


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
    file: Path, image: NDArray[np.uint8], transforms: Sequence[ImageTransform]
) -> NDArray[np.uint8]:
    try:
        for transform in transforms:
            image = transform.apply(image)
    except DataError as error:
        raise DataError(f"{file}: {error.message}", error.hint) from error
    return image


def _mixed(
    first: Path, first_shape: tuple[int, ...], file: Path, shape: tuple[int, ...]
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
