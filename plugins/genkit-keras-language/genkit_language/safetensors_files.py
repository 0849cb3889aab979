"""Safetensors files of others, which may be hostile: what is in them, and one array at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_language.tokenizer import json_object, reason_of

_LENGTH = 8  # bytes that say how long the header is
_MOST_HEADER = 64 << 20
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
FEWEST_BYTES = 2
"""Of a number in such a file: so a file's size bounds how many it holds."""


@dataclass(frozen=True)
class Tensor:
    """An array in a file, not yet read.

    Args:
        name: in the file.
        shape: of it.
        kind: what its numbers are, in the format's words: ``"F32"``, ``"BF16"``.
        file: where it is.
        place: of its first byte in the file.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    file: Path
    place: int

    def read(self) -> NDArray[np.float32]:
        """Return its numbers.

        Raises:
            DataError: they are no floating-point numbers, not finite, or can't be read.
        """
        if self.kind not in _BYTES:
            raise DataError(
                f"Expected {self.name} in {self.file} as {', '.join(_BYTES)}; received "
                f"{self.kind}.",
                "Quantised weights are no floating-point numbers: take the model's own.",
            )
        dtype = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}[self.kind]
        count = math.prod(self.shape)
        try:
            numbers = np.fromfile(self.file, dtype, count, offset=self.place)
        except OSError as error:
            raise DataError(f"The file {self.file} can't be read: {reason_of(error)}.") from error
        if len(numbers) != count:
            raise DataError(f"Expected {self.file} to stay as it is while it is read.")
        if self.kind == "BF16":  # the upper half of a float32
            numbers = (numbers.astype("<u4") << np.uint32(16)).view("<f4")
        found = numbers.astype(np.float32).reshape(self.shape)
        if not np.isfinite(found).all():
            raise DataError(f"Expected finite numbers in {self.name} in {self.file}; some aren't.")
        return found


def tensors_in(file: Path) -> dict[str, Tensor]:
    """Return the arrays of a file by name; none of them is read.

    Raises:
        DataError: it is no safetensors file, or its header tells of what isn't there.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(_LENGTH), "little")
            if not 0 < length <= min(_MOST_HEADER, size - _LENGTH):
                raise DataError(
                    f"Expected a safetensors file; the header of {file} would have {length} bytes, "
                    f"the file has {size}."
                )
            content = stream.read(length)
    except OSError as error:
        raise DataError(f"The file {file} can't be read: {reason_of(error)}.") from error
    header = json_object(content, f"the header of {file}")
    header.pop("__metadata__", None)
    start = _LENGTH + length
    return {name: _tensor(name, told, file, start, size) for name, told in header.items()}


def _tensor(name: str, told: Any, file: Path, start: int, size: int) -> Tensor:
    try:
        kind, shape, (begin, end) = told["dtype"], tuple(told["shape"]), told["data_offsets"]
        right = all(type(each) is int and each >= 0 for each in (*shape, begin, end))
        right = right and isinstance(kind, str) and begin <= end <= size - start
        if right and kind in _BYTES:
            right = end - begin == math.prod(shape) * _BYTES[kind]
    except (KeyError, TypeError, ValueError):
        right = False
    if not right:
        raise DataError(
            f"Expected the header of {file} to tell where {name[:60]!r} is; it is damaged: "
            f"{str(told)[:80]}."
        )
    return Tensor(name, shape, kind, file, start + begin)
