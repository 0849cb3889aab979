"""Pack MNIST's four IDX files into the one file that the package carries.

    python -m genkit.builtin.datasets.pack_mnist FOLDER OUTPUT

FOLDER holds train-images-idx3-ubyte.gz and its three companions. The output is the pixels of the
60,000 training and 10,000 test images, then their labels, one byte each, compressed with LZMA.
"""

from __future__ import annotations

import hashlib
import lzma
import sys
from pathlib import Path

from genkit.builtin.datasets.idx import read_idx

_PARTS = ("train-images-idx3", "t10k-images-idx3", "train-labels-idx1", "t10k-labels-idx1")


def pack(folder: Path, output: Path) -> str:
    """Write the packed file; give the SHA-256 of what it holds."""
    content = b"".join(read_idx(folder / f"{part}-ubyte.gz").tobytes() for part in _PARTS)
    output.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    print(pack(Path(sys.argv[1]), Path(sys.argv[2])))  # noqa: T201
