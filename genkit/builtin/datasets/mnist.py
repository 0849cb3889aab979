"""MNIST, all 70,000 images, from a file inside the package (made by ``pack_mnist.py``)."""

from __future__ import annotations

import hashlib
import lzma
from importlib.resources import files
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from genkit.builtin.datasets.configs import MnistConfig
from genkit.builtin.datasets.images import open_labelled, rows_of
from genkit.errors import DataError
from genkit.files import reason_of

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from genkit.data.source import Source

N_TRAIN, N_TEST, SIDE = 60_000, 10_000, 28
SHA256 = "c2069063c1105f2bf96266aef1ff68c6e13bdda7a54e37bf19c16f1db24efc83"
_ITEMS = N_TRAIN + N_TEST

_SIZE = _ITEMS * (SIDE * SIDE + 1)
_MEMORY_LIMIT = 256 << 20
_in_use: WeakValueDictionary[str, NDArray[np.uint8]] = WeakValueDictionary()


def open_mnist(config: MnistConfig) -> Source:
    """Open MNIST: fields ``image``, shape ``(28, 28, 1)``, uint8, and ``label``.

    Raises:
        DataError: the file in the package is damaged or missing.
    """
    values = _values()
    images = values[: _ITEMS * SIDE * SIDE].reshape(_ITEMS, SIDE, SIDE, 1)
    labels = values[_ITEMS * SIDE * SIDE :]
    rows = rows_of(config.split, N_TRAIN)
    return open_labelled(
        images[rows], labels[rows], [str(digit) for digit in range(10)], (0, 255), config
    )


def _values() -> NDArray[np.uint8]:
    """Return all pixels and labels, unpacked once for all sources that have them."""
    values = _in_use.get(SHA256)
    if values is None:
        values = np.frombuffer(_unpacked(files(__package__) / "mnist.xz"), np.uint8)
        _in_use[SHA256] = values
    return values


def _unpacked(file: Traversable) -> bytes:
    try:
        decompressor = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY_LIMIT)
        content = decompressor.decompress(file.read_bytes(), max_length=_SIZE)
    except (OSError, lzma.LZMAError) as error:
        raise _damaged(reason_of(error)) from error
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise _damaged("its content has another SHA-256")
    return content


def _damaged(reason: str) -> DataError:
    return DataError(
        f"Expected MNIST inside the genkit package; its file is damaged: {reason}.",
        "Install genkit-keras again.",
    )
