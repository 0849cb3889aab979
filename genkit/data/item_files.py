"""Items in files, one a file: decoded when they are needed, by several workers."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from genkit.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.data.left_out import LeftOut

CACHE_BYTES = 1 << 28
"""How much of a data set's decoded files stays in memory: 256 MiB."""

_DIGEST_BYTES = 16
_MOST_WORKERS = 8  # beyond, Python's own share of decoding is the limit
_FILES_A_TASK = 8


class FileItem(NamedTuple):
    """What a file holds.

    Args:
        value: the item; None for a file that can't be used.
        left_out: why the file is left out, or which part of it; the same words for the same reason.
    """

    value: NDArray[Any] | None
    left_out: str = ""


ReadFile: TypeAlias = Callable[[Path], FileItem]
"""Decodes a file; several threads call it at once. A ``DataError`` ends the opening."""


class ItemFiles:
    """The items of a list of files, as an array whose rows are decoded when they are asked for.

    All files are decoded once, as it opens: what can't be used is counted, and of each item a
    digest is kept, so that a file that changes later is refused. The first items that fit the cache
    stay in memory; the others are decoded anew each time. Threads decode, but the order and the
    bits are those of one.

    Args:
        root: the folder that all files are in.
        files: in the order of the items.
        read: decodes one.
        left_out: counts what can't be used.
        limit: stop after so many items.
        differs: makes the error for an item of another shape, from a file and its shape and the
            first file and its shape.

    Attributes:
        shape: of all items, ``(items, ...)``.
        dtype: of the items.

    Raises:
        DataError: no file can be used, or items differ in shape or dtype.
    """

    def __init__(
        self,
        root: Path,
        files: Sequence[Path],
        read: ReadFile,
        left_out: LeftOut,
        *,
        limit: int | None = None,
        differs: Callable[[Path, tuple[int, ...], Path, tuple[int, ...]], DataError] | None = None,
    ) -> None:
        self._root, self._read = root, read
        self._rows: NDArray[np.intp] | None = None
        most = min(limit or len(files), len(files))
        names, ends = bytearray(), np.empty(most, np.int64)
        digests = np.empty((most, _DIGEST_BYTES), np.uint8)
        cached: NDArray[Any] | None = None
        first = Path()
        count = 0
        for file, item in _read_in_order(read, files):
            if item.left_out:
                left_out.add(item.left_out, file)
            if item.value is None:
                continue
            value = item.value
            if cached is None:
                first, rows = file, min(most, CACHE_BYTES // max(1, value.nbytes))
                cached = np.empty((rows, *value.shape), value.dtype)
            if value.shape != cached.shape[1:] or value.dtype != cached.dtype:
                raise (differs or _differs)(file, value.shape, first, cached.shape[1:])
            if count < len(cached):
                cached[count] = value
            names += os.fsencode(file.relative_to(root))
            ends[count] = len(names)
            digests[count] = np.frombuffer(_digest(value), np.uint8)
            count += 1
            if count == most:
                break
        if cached is None:
            raise DataError(
                f"Expected readable files; none of {len(files)} can be read, the first "
                f"{files[0] if files else root}."
            )
        self._names, self._ends, self._digests = bytes(names), ends[:count], digests[:count]
        self._cached = cached[:count]
        self.shape, self.dtype = (count, *cached.shape[1:]), cached.dtype

    def __len__(self) -> int:
        return int(self.shape[0])

    @property
    def nbytes(self) -> int:
        """Size of all items, decoded."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    @property
    def fit_the_cache(self) -> bool:
        """Whether all items may stay in memory."""
        return self.nbytes <= CACHE_BYTES

    @property
    def index_bytes(self) -> int:
        """Size of what is kept of each file: its name, where the name ends, and the digest."""
        return len(self._names) + self._ends.nbytes + self._digests.nbytes

    def file(self, number: int) -> Path:
        """Return the file of an item."""
        return self._file(number if self._rows is None else int(self._rows[number]))

    def select(self, rows: NDArray[np.integer]) -> ItemFiles:
        """Return some of the items, in the order of ``rows``; cache and index are shared."""
        chosen = copy.copy(self)
        vars(chosen)["_rows"] = rows if self._rows is None else self._rows[rows]
        chosen.shape = (len(rows), *self.shape[1:])
        return chosen

    def __getitem__(self, wanted: NDArray[np.integer] | slice) -> NDArray[Any]:
        """Return the items at these indices, decoded by several workers.

        Raises:
            DataError: a file isn't there any more, or has changed.
        """
        rows = (np.arange(len(self._ends)) if self._rows is None else self._rows)[wanted]
        items = np.empty((len(rows), *self.shape[1:]), self.dtype)
        held = rows < len(self._cached)
        items[held] = self._cached[rows[held]]
        places = np.flatnonzero(~held)

        def decode(part: NDArray[np.intp]) -> None:
            for place in part:
                items[place] = self._decoded(int(rows[place]))

        if len(places) < _FILES_A_TASK:
            decode(places)
        else:
            tasks = np.array_split(places, -(-len(places) // _FILES_A_TASK))
            list(_workers().map(decode, tasks))
        return items

    def whole(self) -> NDArray[Any]:
        """Return all items in memory."""
        if self._rows is None and len(self._cached) == len(self):
            return self._cached
        return self[:]

    def _file(self, row: int) -> Path:
        begin = self._ends[row - 1] if row else 0
        return self._root / os.fsdecode(self._names[begin : self._ends[row]])

    def _decoded(self, row: int) -> NDArray[Any]:
        file = self._file(row)
        value = self._read(file).value
        if value is None or _digest(value) != self._digests[row].tobytes():
            gone = "has changed" if file.exists() else "is gone"
            raise DataError(
                f"Expected {file} as it was when the data was opened; it {gone}.",
                "Bring it back, or begin a new run with the data as it is.",
            )
        return value


def _digest(value: NDArray[Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(value).data, digest_size=_DIGEST_BYTES).digest()


def _differs(
    file: Path, shape: tuple[int, ...], first: Path, first_shape: tuple[int, ...]
) -> DataError:
    return DataError(
        f"Expected items of one shape and dtype; that of {first} is {first_shape} and that of "
        f"{file} {shape}."
    )


def _read_in_order(read: ReadFile, files: Sequence[Path]) -> Iterator[tuple[Path, FileItem]]:
    """Yield what each file holds; only a few are decoded ahead."""

    def read_some(some: Sequence[Path]) -> list[FileItem]:
        return [read(file) for file in some]

    ahead = _FILES_A_TASK * _worker_count()
    for start in range(0, len(files), ahead):
        now = files[start : start + ahead]
        tasks = [now[begin : begin + _FILES_A_TASK] for begin in range(0, len(now), _FILES_A_TASK)]
        for task, items in zip(tasks, _workers().map(read_some, tasks), strict=True):
            yield from zip(task, items, strict=True)


def _worker_count() -> int:
    if hasattr(os, "sched_getaffinity"):
        return min(_MOST_WORKERS, len(os.sched_getaffinity(0)))
    return min(_MOST_WORKERS, os.cpu_count() or 1)


@cache
def _workers() -> ThreadPoolExecutor:
    """Return the threads that decode, of the whole process."""
    return ThreadPoolExecutor(_worker_count(), "genkit-decode")


if hasattr(os, "register_at_fork"):  # a forked process has none of these threads
    os.register_at_fork(after_in_child=_workers.cache_clear)
