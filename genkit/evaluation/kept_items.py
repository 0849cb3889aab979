"""Generated items on the disk, for an evaluation that was interrupted; nothing is pickled."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data import Ragged, pack_text, unpack_text
from genkit.errors import DataError
from genkit.files import write_bytes
from genkit.models.outputs import as_objects

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KeptItems:
    """Batches of items in files of arrays: numbers, with what is missing; texts; and many lengths.

    Args:
        folder: where they are: of these weights, labels and versions.
        fields: names of the output fields.
    """

    def __init__(self, folder: Path, fields: Sequence[str]) -> None:
        self._folder, self._fields = folder, fields

    def read(self, start: int, n: int) -> dict[str, NDArray[Any]] | None:
        """Return the ``n`` items from one on; None if they aren't there, or are damaged."""
        items = {}
        for number, name in enumerate(self._fields):
            try:
                found = self._read(f"{start:09d}-{number}" if number else f"{start:09d}")
            except (OSError, ValueError, EOFError, DataError):
                return None
            if len(found) != n:
                return None
            items[name] = found
        return items

    def keep(self, start: int, items: Mapping[str, NDArray[Any]]) -> None:
        """Keep a batch; without room, or of items of another kind, it is generated again."""
        files: dict[str, NDArray[Any]] = {}
        for number, name in enumerate(self._fields):
            parts = _parts(items[name])
            if not parts:
                return
            stem = f"{start:09d}-{number}" if number else f"{start:09d}"
            files |= {f"{stem}{ending}.npy": array for ending, array in parts.items()}
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            for name, array in files.items():
                buffer = BytesIO()
                np.save(buffer, array)
                write_bytes(self._folder / name, buffer.getvalue())

    def forget(self) -> None:
        """Remove what was kept."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # there may be another evaluation's
            self._folder.parent.rmdir()

    def _read(self, stem: str) -> NDArray[Any]:
        def array(ending: str) -> NDArray[Any]:
            file = self._folder / f"{stem}{ending}.npy"
            # Mapped: a header that announces more than the file has is refused without memory.
            mapped = np.load(file, mmap_mode="r", allow_pickle=False)
            if not mapped.ndim:
                raise ValueError("no items")
            return np.array(mapped)

        def has(ending: str) -> bool:
            return (self._folder / f"{stem}{ending}.npy").exists()

        if has(".text"):
            return np.array(unpack_text(array(".text")), object)
        if has(".lengths"):
            held = Ragged(array(".values"), array(".lengths"))
            return as_objects([held[index] for index in range(len(held))])
        if has(".missing"):
            masked: NDArray[Any] = np.ma.MaskedArray(array(""), array(".missing"))
            return masked
        return array("")


def _parts(items: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the arrays that stand for a field's items, by the ending of their file; none if none.

    What is read first comes last, so that a batch that was not written whole is not taken.
    """
    if isinstance(items, np.ma.MaskedArray):
        return {".missing": np.ma.getmaskarray(items), "": np.asarray(items.data)}
    if items.dtype != object:
        return {"": items}
    if all(isinstance(item, str) for item in items):
        return {".text": pack_text(items)}
    kinds = {(item.dtype, item.shape[1:]) for item in items if isinstance(item, np.ndarray)}
    if len(kinds) != 1 or not all(isinstance(item, np.ndarray) and item.ndim for item in items):
        return {}
    held = Ragged.of(list(items), str(items[0].dtype))
    return {".values": held.values, ".lengths": held.lengths}
