"""Generated items as files: reviewed first, then shown by the renderer of their modality."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from genkit.errors import UsageError
from genkit.files import write_text
from genkit.report.archives import write_npz
from genkit.report.forms import RECORDS, formats_of, has_own_file
from genkit.report.grids import grid, save_png
from genkit.report.readable import ReadableColumns
from genkit.report.renderer_calls import call_renderer
from genkit.report.renderers import render_items
from genkit.report.rendering import find_renderer
from genkit.report.reviewed import Reviewed
from genkit.report.reviewing import Reviews
from genkit.report.rows import RowWriter

if TYPE_CHECKING:
    from PIL import Image

    from genkit.models.model import Model
    from genkit.plugins.registry import Registry
    from genkit.plugins.schema import Schema
    from genkit.report.rendering import Renderer

_LABEL = "label"
_SAMPLES = "samples"


class Samples:
    """Writes what a model generated.

    Args:
        model: with its schema.
        registry: where renderers and reviewers are looked up; what is installed when left out.

    Raises:
        GenkitError: the modality's renderer or a reviewer can't be made.
    """

    def __init__(self, model: Model, registry: Registry | None = None) -> None:
        assert model.schema is not None, "a loaded model knows its data"
        self.schema: Schema = model.schema
        self.field = model.generated_field()
        self.fields = model.output_fields or (self.field,)
        self.modality = self.schema[self.field].modality
        self.assets = model.assets
        self.renderers = {
            name: find_renderer(self.schema, name, registry, self.assets) for name in self.fields
        }
        self.renderer = self.renderers[self.field] if len(self.fields) == 1 else None
        self.review = Reviews(self.schema, self.fields, registry, self.assets)

    def formats(self) -> list[str]:
        """List the formats that these items can be written in, the usual one first."""
        fields = {name: self.schema[name] for name in self.fields}
        return formats_of(fields, {name: type(r) for name, r in self.renderers.items() if r})

    def shows(self) -> bool:
        """Whether there is more to show of items than numbers."""
        return len(self.fields) > 1 or self.renderer is not None

    def in_one_file(self, format_: str) -> bool:
        """Whether a file of this format holds all items, however many come."""
        if self._is_own(format_):
            return self.renderer is not None and format_ in self.renderer.streamed
        return format_ not in RECORDS or not self._in_files()

    def reviewed(
        self, batches: Iterable[Any], names: Iterator[str], label: int | None = None
    ) -> Iterator[Reviewed]:
        """Have batches of items reviewed.

        Args:
            batches: items by output field, as ``Model.generate_items`` gives them; or arrays of
                shape ``(n, ...)`` of the only one.
            names: at least one for each item.
            label: the class of all of them.
        """
        for batch in batches:
            items = batch if isinstance(batch, Mapping) else {self.field: batch}
            called = [next(names) for _ in items[self.field]]
            yield Reviewed(items, called, label, self.review.allowed(items))

    def write(
        self,
        batches: Iterable[Reviewed],
        format_: str,
        folder: Path,
        columns: int | None = None,
    ) -> list[Path]:
        """Write what may be written, as it comes: any number of items in the memory of a batch.

        Args:
            batches: what ``reviewed`` gives.
            format_: one of ``formats()``.
            folder: where to.
            columns: of a grid.

        Returns:
            a file for each item, or one for all; where a class was asked for, of text and of items
            that are shown together one for each class.
        """
        if self._is_own(format_):
            return self._write_own(batches, format_, folder)
        file = folder / ("grid.png" if format_ == "grid" else f"{_SAMPLES}.{format_}")
        with file.open("wb") as out:
            self.write_to(batches, format_, out, columns, folder)
        beside = (each for each in sorted(folder.iterdir()) if each != file)
        return [file, *beside] if self._in_files() and format_ in RECORDS else [file]

    def write_to(
        self,
        batches: Iterable[Reviewed],
        format_: str,
        out: BinaryIO,
        columns: int | None = None,
        folder: Path | None = None,
    ) -> None:
        """Write all that may be written into one file, which may be a pipe.

        Args:
            batches: what ``reviewed`` gives.
            format_: one of ``formats()`` that is ``in_one_file``.
            out: where to.
            columns: of a grid.
            folder: for what needs files beside.
        """
        if format_ == "grid":
            self.draw_grid(batches, columns).save(out, "PNG")
        elif format_ == "npz":
            write_npz(map(self._arrays, batches), out, folder)
        elif self.renderer is not None and self._is_own(format_):
            kept = (batch.kept()[self.field] for batch in batches if batch.allowed.any())
            call_renderer(self.renderer, self.renderer.write_all, kept, out, format_)
        else:
            rows = RowWriter(self.schema, self.fields, self.assets, self._in_files())
            rows.write(batches, format_, out, folder)

    def draw_grid(self, batches: Iterable[Reviewed], columns: int | None = None) -> Image.Image:
        """Draw all items in one picture; the place of one that may not be written stays blank.

        With a renderer that shows items together, each row of items is drawn as one.

        Raises:
            UsageError: items of this modality can't be drawn, or all were refused.
        """
        renderer = self.renderer
        if renderer is None or not renderer.draws:
            what = f"the modality {self.modality!r}" if len(self.fields) == 1 else "several fields"
            raise UsageError(f"Items of {what} can't be drawn.")
        draw = self._draw_rows if renderer.together else self._draw_each
        pictures = draw(renderer, batches, columns)
        if not any(pictures):
            raise UsageError("All items were refused: there is nothing to draw.")
        return grid(pictures, None if renderer.together else columns)

    def draw(self, items: np.ndarray, file: Path, columns: int | None = None) -> Path:
        """Draw items, shape ``(n, ...)``, in one picture, as ``draw_grid`` does: a PNG file."""
        save_png(self.draw_grid(self.reviewed([items], itertools.repeat("")), columns), file)
        return file

    def write_overview(self, items: Any, file: Path, columns: int | None = None) -> Path | None:
        """Show items in one file, in the form that their renderer has for it.

        Args:
            items: as a batch of ``reviewed``.
            file: where to, without an ending.
            columns: of a picture.

        Returns:
            a grid of pictures, or what the renderer names as ``overview``; rows as CSV, and else a
            page. None where nothing but numbers could be shown.
        """
        renderer = self.renderer
        if not self.shows():
            return None
        if renderer is not None and renderer.draws:
            return self.draw(items, file.with_suffix(".png"), columns)
        (batch,) = self.reviewed([items], itertools.repeat(""))
        if not batch.allowed.any():
            raise UsageError("All items were refused: there is nothing to show.")
        kept = batch.kept()
        if renderer is not None and renderer.overview:
            shown = file.with_suffix(f".{renderer.overview}")
            partial = shown.with_name(f".{shown.name}")
            call_renderer(renderer, renderer.write_overview, kept[self.field], partial)
            partial.replace(shown)
            return shown
        if pictures := self._pictures(kept):
            save_png(grid(pictures), file.with_suffix(".png"))
            return file.with_suffix(".png")
        if len(self.fields) > 1 and self.formats()[0] == "csv":
            shown = file.with_suffix(".csv")
            with shown.open("wb") as out:
                self.write_to([batch], "csv", out)
            return shown
        page = file.with_suffix(".html")
        alt = f"{int(batch.allowed.sum())} samples"
        content = render_items(self.schema, kept, alt, assets=self.assets)
        write_text(page, f"<!doctype html>\n<meta charset=utf-8>\n{content}\n")
        return page

    def _pictures(self, items: Mapping[str, Any]) -> list[Image.Image]:
        """Return pictures of the first of several fields that has some."""
        for name, renderer in self.renderers.items():
            if renderer is not None and renderer.draws and not renderer.together:
                drawn: list[Image.Image] = call_renderer(renderer, renderer.pictures, items[name])
                return drawn
        return []

    def _draw_each(
        self, renderer: Renderer, batches: Iterable[Reviewed], _: int | None
    ) -> list[Image.Image | None]:
        pictures: list[Image.Image | None] = []
        for batch in batches:
            drawn = call_renderer(renderer, renderer.pictures, batch.items[self.field])
            pictures += [p if a else None for p, a in zip(drawn, batch.allowed, strict=True)]
        return pictures

    def _draw_rows(
        self, renderer: Renderer, batches: Iterable[Reviewed], columns: int | None
    ) -> list[Image.Image | None]:
        every = list(batches)
        items = np.concatenate([batch.items[self.field] for batch in every])
        allowed = np.concatenate([batch.allowed for batch in every])
        each = columns or len(items)
        rows = (slice(start, start + each) for start in range(0, len(items), each))
        kept = (items[row][allowed[row]] for row in rows)
        return [
            call_renderer(renderer, renderer.pictures, row)[0] if len(row) else None for row in kept
        ]

    def _is_own(self, format_: str) -> bool:
        return self.renderer is not None and format_ in self.renderer.own_formats()

    def _write_own(self, batches: Iterable[Reviewed], format_: str, folder: Path) -> list[Path]:
        """Write files in the modality's own format: one for each item, or for each class."""
        renderer = self.renderer
        assert renderer is not None, "formats() offered it"
        files: list[Path] = []
        if not renderer.together and format_ not in renderer.streamed:
            for batch in batches:
                for item, name, allowed in zip(
                    batch.items[self.field], batch.names, batch.allowed, strict=True
                ):
                    if allowed:
                        files.append(folder / f"{name}.{format_}")
                        call_renderer(renderer, renderer.write, item, files[-1])
            return files
        for label, some in itertools.groupby(batches, key=lambda batch: batch.label):
            file = folder / f"{_SAMPLES if label is None else f'label-{label}'}.{format_}"
            if renderer.together:
                items = np.concatenate([batch.kept()[self.field] for batch in some])
                if not len(items):
                    continue
                call_renderer(renderer, renderer.write, items, file)
            else:
                with file.open("wb") as out:
                    self.write_to(some, format_, out)
            files.append(file)
        return files

    @cached_property
    def _columns(self) -> ReadableColumns:
        return ReadableColumns(self.schema, self.fields, self.assets)

    def _arrays(self, batch: Reviewed) -> dict[str, Any]:
        """Return arrays of an archive: ``samples``, or those of the fields, and the class asked."""
        kept = self._columns.arrays_of(batch.kept())
        arrays = kept if len(self.fields) > 1 else {_SAMPLES: kept[self.field]}
        if batch.label is not None and _LABEL not in arrays:
            arrays[_LABEL] = np.full(int(batch.allowed.sum()), batch.label, np.int32)
        return arrays

    def _in_files(self) -> dict[str, Renderer]:
        """Return the renderers of fields that rows name the files of: pictures beside captions."""
        return {
            name: renderer
            for name, renderer in self.renderers.items()
            if renderer is not None
            and len(self.fields) > 1
            and has_own_file(self.schema[name], type(renderer))
        }
