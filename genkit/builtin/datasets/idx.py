"""A strict reader of IDX files, the format of MNIST and its kin.

Layout: two zero bytes, a type code (8: unsigned bytes), the number of axes, the length of each
axis as a big-endian 32-bit integer, then the values.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from genkit.errors import DataError
from genkit.files import reason_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_UNSIGNED_BYTES = 0x08
_MAX_AXES = 4
_MAX_BYTES = 1 << 30
_PIECE = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(
    path: Path, *, sha256: str | None = None, max_bytes: int = _MAX_BYTES
) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, compressed with gzip or not.

    Args:
        path: the file.
        sha256: what the decompressed content must have.
        max_bytes: the most memory the values may take.

    Raises:
        DataError: not such a file, too large, cut short, with data left over, or of other
            content than expected.
    """
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            stream = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if compressed else file
            header, shape = _read_header(stream, path)
            size = int(np.prod(shape, dtype=object))
            if size > max_bytes:
                raise _fault(path, f"{size} bytes of values; the limit is {max_bytes}")
            content = _read_values(stream, size)
            if len(content) < size:
                raise _fault(path, f"{len(content)} bytes of values where {size} are announced")
            if stream.read(1):
                raise _fault(path, f"data after the {size} bytes of values that are announced")
    except (OSError, EOFError, zlib.error) as error:
        raise _fault(path, reason_of(error)) from error
    if sha256 is not None and hashlib.sha256(header + content).hexdigest() != sha256:
        raise _fault(path, "content with another SHA-256 than the published file")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_header(stream: IO[bytes], path: Path) -> tuple[bytes, tuple[int, ...]]:
    start = stream.read(4)
    if len(start) < 4 or start[:3] != bytes([0, 0, _UNSIGNED_BYTES]):  # noqa: PLR2004
        raise _fault(path, f"a header that begins with {start.hex(' ') or 'nothing'}")
    n_axes = start[3]
    if not 1 <= n_axes <= _MAX_AXES:
        raise _fault(path, f"{n_axes} axes")
    lengths = stream.read(4 * n_axes)
    if len(lengths) < 4 * n_axes:
        raise _fault(path, "a header that is cut short")
    return start + lengths, struct.unpack(f">{n_axes}I", lengths)


def _read_values(stream: IO[bytes], size: int) -> bytearray:
    # Piece by piece: memory is taken for what is there, not for what a header announces.
    content = bytearray()
    while piece := stream.read(min(_PIECE, size - len(content))):
        content += piece
    return content


def _fault(path: Path, received: str) -> DataError:
    return DataError(
        f"Expected an IDX file of unsigned bytes at {path}; received {received}.",
        "Get the file again.",
    )
