"""Items as NumPy archives, written as they come."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from genkit.data import Ragged
from genkit.models.outputs import without_mask


def write_npz(
    batches: Iterable[Mapping[str, Any]], out: BinaryIO, beside: Path | None = None
) -> None:
    """Write arrays by name, all items on the first axis, as ``numpy.load`` reads them.

    Items that vary in length stand end to end, and ``<name>_length`` says how long each is, as in
    ``genkit.data.Ragged``. Where values are missing, ``<name>_missing`` says which.

    Memory doesn't grow with the number of items: how many there are is known at the end only, so
    they wait in files beside.

    Args:
        batches: arrays by name, or lists of arrays that differ in their first axis.
        out: where to; it may be a pipe.
        beside: the folder in which they wait; the system's for such files if not given.
    """
    with (
        tempfile.TemporaryDirectory(prefix=".", suffix=".partial", dir=beside) as folder,
        ExitStack() as files,
    ):
        waiting: dict[str, _Waiting] = {}
        for batch in batches:
            for name, array in _arrays(batch).items():
                if name not in waiting:
                    file = files.enter_context(Path(folder, str(len(waiting))).open("w+b"))
                    waiting[name] = _Waiting(file, array)
                waiting[name].add(array)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, held in waiting.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    held.copy_to(entry)


def read_npz(file: Path) -> dict[str, Any]:
    """Read what ``write_npz`` wrote: arrays by name, and lists where items vary in length."""
    with np.load(file, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    read: dict[str, Any] = dict(arrays)
    for name, array in arrays.items():
        if (lengths := read.pop(f"{name}_length", None)) is not None:
            held = Ragged(array, lengths)
            read[name] = [held[place] for place in range(len(held))]
        if (missing := read.pop(f"{name}_missing", None)) is not None:
            read[name] = np.ma.MaskedArray(array, missing)
    return read


class _Waiting:
    """Rows of an array in a file, until it is known how many there are."""

    def __init__(self, file: BinaryIO, like: np.ndarray) -> None:
        self._file, self._dtype, self._shape = file, like.dtype, like.shape[1:]
        self._count = 0

    def add(self, rows: np.ndarray) -> None:
        self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
        self._count += len(rows)

    def copy_to(self, entry: Any) -> None:
        header = np.lib.format.header_data_from_array_1_0(np.empty((0, *self._shape), self._dtype))
        header["shape"] = (self._count, *self._shape)
        np.lib.format.write_array_header_1_0(entry, header)
        self._file.seek(0)
        shutil.copyfileobj(self._file, entry, 1 << 20)


def _arrays(batch: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return a batch as plain arrays."""
    arrays: dict[str, np.ndarray] = {}
    for name, items in batch.items():
        if isinstance(items, np.ma.MaskedArray):
            arrays[name] = without_mask(items)
            arrays[f"{name}_missing"] = np.ma.getmaskarray(items)
        elif isinstance(items, np.ndarray) and items.dtype != object:
            arrays[name] = items
        else:
            rows = [np.asarray(item) for item in items]
            if rows:
                arrays[f"{name}_length"] = np.array([len(row) for row in rows], np.int32)
                arrays[name] = np.concatenate(rows)
    return arrays
