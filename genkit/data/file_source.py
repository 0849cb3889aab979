"""A source of files that are read when they are needed."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from genkit.data.item_files import ItemFiles
from genkit.data.source import ArraySource, Batch, Source, content_digest
from genkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from genkit.plugins.schema import Schema


class FileSource(Source):
    """Data with a field whose items are read from files, one a file, when they are needed.

    Args:
        name: the field that the files hold.
        items: the files.
        schema: what one item is.
        arrays: the other fields, one row a file.

    Raises:
        DataError: the fields aren't those of the schema, or differ in length.

    Example:
        >>> import genkit
        >>> from genkit.data import FileItem, FileSource, ItemFiles, LeftOut
        >>> def open_recordings(root):
        ...     left_out = LeftOut(root)
        ...     files = sorted(root.glob("*.npy"))
        ...     items = ItemFiles(root, files, lambda file: FileItem(np.load(file)), left_out)
        ...     field = genkit.Field(items.shape[1:], "float32", "audio", (-1, 1))
        ...     source = FileSource("sound", items, genkit.Schema({"sound": field}))
        ...     left_out.record_in(source)
        ...     return source
    """

    def __init__(
        self,
        name: str,
        items: ItemFiles,
        schema: Schema,
        arrays: Mapping[str, NDArray[Any]] = MappingProxyType({}),
    ) -> None:
        others = schema.fields.keys() - {name}
        if name not in schema or others != arrays.keys():
            raise DataError(
                f"Expected arrays named {', '.join(sorted(others)) or 'nothing'} beside the files "
                f"of {name!r}; received {', '.join(sorted(arrays)) or 'none'}."
            )
        self.schema, self.name, self.items = schema, name, items
        self.arrays = dict(ArraySource(arrays, _part(schema, others)).arrays) if others else {}
        if wrong := [n for n, array in self.arrays.items() if len(array) != len(items)]:
            raise DataError(
                f"Expected {len(items)} rows, one a file; {wrong[0]!r} has "
                f"{len(self.arrays[wrong[0]])}."
            )
        self._fingerprint = ""

    def __len__(self) -> int:
        return len(self.items)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the items at these indices.

        Raises:
            DataError: a file isn't there any more, or has changed since the data was opened.
        """
        rest = {name: array[indices] for name, array in self.arrays.items()}
        return {self.name: self.items[indices], **rest}

    def select(self, rows: NDArray[np.integer]) -> FileSource:
        """Return a source of some of the items, in the order of ``rows``."""
        rest = {name: array[rows] for name, array in self.arrays.items()}
        chosen = FileSource(self.name, self.items.select(rows), self.schema, rest)
        chosen.skipped, chosen.left_out = self.skipped, self.left_out
        return chosen

    def in_memory(self) -> Source:
        """Return the same data in arrays if all of it fits the cache; otherwise itself."""
        if not self.items.fit_the_cache:
            return self
        whole = ArraySource({self.name: self.items.whole(), **self.arrays}, self.schema)
        whole.skipped, whole.left_out = self.skipped, self.left_out
        return whole

    def fingerprint(self) -> str:
        """Return what an ``ArraySource`` of the same items has; it reads all files once."""
        if not self._fingerprint:
            self._fingerprint = content_digest(self.schema, {self.name: self.items, **self.arrays})
        return self._fingerprint


def _part(schema: Schema, names: set[str]) -> Schema:
    return type(schema)({name: f for name, f in schema.fields.items() if name in names})
