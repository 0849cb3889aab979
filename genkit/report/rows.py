"""Reviewed items as rows: a column a field, and files beside for what no row can hold."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from genkit.data import vocabulary_of
from genkit.report.readable import ReadableColumn, ReadableColumns
from genkit.report.records import write_records
from genkit.report.renderer_calls import call_renderer

if TYPE_CHECKING:
    from genkit.plugins.schema import Field, Schema
    from genkit.report.rendering import Renderer
    from genkit.report.reviewed import Reviewed


class RowWriter:
    """Writes reviewed items as rows.

    Args:
        schema: what the data is.
        fields: names of the output fields.
        assets: those of the data.
        in_files: renderers of the fields whose items get a file of their own; the row names it.
    """

    def __init__(
        self,
        schema: Schema,
        fields: Sequence[str],
        assets: Mapping[str, np.ndarray],
        in_files: Mapping[str, Renderer],
    ) -> None:
        self._schema, self._fields, self._assets, self._in_files = schema, fields, assets, in_files
        inline = [name for name in fields if name not in in_files]
        self._columns = ReadableColumns(schema, inline, assets)

    def write(
        self, batches: Iterable[Reviewed], format_: str, out: BinaryIO, folder: Path | None
    ) -> None:
        """Write what may be written, as it comes.

        Args:
            batches: reviewed items.
            format_: of the file with the rows.
            out: where to; it may be a pipe.
            folder: for the files beside; None if no field needs one.
        """
        waiting = iter(batches)
        first = next(waiting, None)
        label = self._label(first)
        fields: dict[str, Field | None] = {label: None} if label else {}
        for name in self._fields:
            as_name = name in self._in_files or self._columns.is_named(name)
            fields[name] = None if as_name else self._schema[name]
        every = itertools.chain([] if first is None else [first], waiting)
        write_records(self._of(every, label, folder), fields, out, format_)

    def _label(self, batch: Reviewed | None) -> str:
        """Name the column of the class that was asked for; empty if none was."""
        if batch is None or batch.label is None:
            return ""
        name = self._schema.name_of("label")
        return "" if name in self._fields else name

    def _of(
        self, batches: Iterable[Reviewed], label: str, folder: Path | None
    ) -> Iterator[dict[str, ReadableColumn]]:
        names = vocabulary_of(self._schema, label, self._assets) if label else ()
        for batch in batches:
            kept = batch.kept()
            columns = self._columns.of(kept)
            called = [
                name for name, allowed in zip(batch.names, batch.allowed, strict=True) if allowed
            ]
            for field, renderer in self._in_files.items():
                assert folder is not None, "formats of one file have none"
                files = [f"{name}.{field}.{renderer.own_formats()[0]}" for name in called]
                for item, file in zip(kept[field], files, strict=True):
                    call_renderer(renderer, renderer.write, item, folder / file)
                columns[field] = _column(files)
            if label:
                asked = batch.label or 0
                columns[label] = _column([names[asked] if names else str(asked)] * len(called))
            yield columns


def _column(texts: list[str]) -> ReadableColumn:
    return ReadableColumn(np.array(texts, object), np.zeros(len(texts), bool))
