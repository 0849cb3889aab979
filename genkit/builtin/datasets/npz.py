"""A person's own arrays in a NumPy ``.npz`` file; sizes are checked before memory is taken."""

from __future__ import annotations

import math
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from genkit.builtin.datasets.configs import NpzConfig
from genkit.builtin.datasets.images import balanced
from genkit.data.axes import check_axes
from genkit.data.memory import machine_bytes
from genkit.data.pipeline import transformed
from genkit.data.source import ArraySource, Source
from genkit.data.transform_names import parse_transforms
from genkit.data.values import convert, label
from genkit.errors import DataError
from genkit.plugins.names import suggestion
from genkit.plugins.specs import Schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

_USUAL_NAMES = ("image", "images", "x", "x_train")
_MAX_BYTES = 8 << 30


def open_npz(config: NpzConfig) -> Source:
    """Open an ``.npz`` file: the field ``image``, and ``label`` where one is named.

    Raises:
        DataError: no such file, not an ``.npz``, too large, pickled objects, no such array, or
            values that can't be used.
    """
    wanted = {"image": config.image, "label": config.label}
    try:
        with zipfile.ZipFile(config.path) as archive:
            names = [n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy")]
            wanted["image"] = config.image or _usual(names, config.path)
            found = {f: _read(archive, n, names, config) for f, n in wanted.items() if n}
    except (OSError, EOFError, ValueError, SyntaxError, tokenize.TokenError) as error:
        raise _unreadable(config.path, error) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise _unreadable(config.path, error) from error
    images = _arranged(str(wanted["image"]), found["image"], config)
    converted = {"image": convert("image", images[: config.limit], config.range)}
    if config.label:
        converted["label"] = label(config.label, found["label"][: config.limit])
    source = ArraySource(
        {name: array for name, (array, _) in converted.items()},
        Schema({name: field for name, (_, field) in converted.items()}),
    )
    opened = transformed(balanced(source, config), parse_transforms(config.transforms))
    unused = [name for name in names if name not in wanted.values()]
    if unused and config.image is None:
        warnings.warn(
            f"The images of {config.path} are taken from {wanted['image']!r}; not used: "
            f"{', '.join(unused)}. Choose with --data image=NAME and --data label=NAME.",
            stacklevel=2,
        )
    return opened


def _arranged(name: str, images: NDArray[Any], config: NpzConfig) -> NDArray[Any]:
    """Return the images as ``(items, height, width, channels)``."""
    if config.channels is None:
        check_axes(name, images.shape, "Or pass --data channels=first (or last).")
    if images.ndim == 3:  # noqa: PLR2004
        return images[..., None]
    if images.ndim == 4:  # noqa: PLR2004
        return np.moveaxis(images, 1, -1) if config.channels == "first" else images
    raise DataError(
        f"Expected {name!r} as (items, height, width) or (items, height, width, channels); "
        f"received the shape {images.shape}."
    )


def _usual(names: list[str], path: Path) -> str:
    for name in _USUAL_NAMES:
        if name in names:
            return name
    if len(names) == 1:
        return names[0]
    raise DataError(
        f"Expected an array of images in {path}; received {', '.join(names) or 'no arrays'}.",
        "Name it: --data image=NAME",
    )


def _read(archive: zipfile.ZipFile, name: str, names: list[str], config: NpzConfig) -> NDArray[Any]:
    if name not in names:
        raise DataError(
            f"Expected an array {name!r} in {config.path}; received {', '.join(names) or 'none'}.",
            suggestion(name, names),
        )
    member = f"{name}.npy"
    with archive.open(member) as stream:
        announced, dtype = _read_header(stream)
        if dtype.hasobject:
            raise DataError(
                f"Expected plain numbers in {name!r} of {config.path}; received pickled objects.",
                "Save it again with a numeric dtype: array.astype('float32').",
            )
        limit = min(_MAX_BYTES, machine_bytes() // 2)
        if announced > limit:
            raise DataError(
                f"Expected at most {limit / 2**30:.1f} GiB in {name!r} of {config.path}; "
                f"its header announces {announced / 2**30:.1f} GiB."
            )
        if announced + stream.tell() != archive.getinfo(member).file_size:
            raise ValueError(f"the size of {name!r} differs from what its header announces")
        stream.seek(0)
        return np.asarray(npy.read_array(stream, allow_pickle=False))


def _read_header(stream: Any) -> tuple[int, np.dtype[Any]]:
    version = npy.read_magic(stream)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"the .npy version {version} is not one of 1.0 and 2.0")
    shape, _, dtype = readers[version](stream)
    if any(size < 0 for size in shape):
        raise ValueError(f"the shape {shape} is negative")
    return math.prod(shape) * dtype.itemsize, dtype


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:300]
    return DataError(
        f"Expected a NumPy .npz file at {path}; {reason}.",
        "Make one with: numpy.savez_compressed(path, image=array)",
    )
