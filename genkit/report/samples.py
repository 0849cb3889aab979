"""Generated items as files: reviewed first, then shown by the renderer of their modality."""

from __future__ import annotations

import itertools
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import GenkitError, PluginError, UsageError
from genkit.files import write_text
from genkit.report.grids import grid, save_png
from genkit.report.rendering import find_renderer
from genkit.report.reviewing import Review

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from genkit.models.model import Model
    from genkit.plugins.registry import Registry
    from genkit.report.rendering import Renderer


@dataclass(frozen=True)
class Reviewed:
    """A batch of items, what they are called, and which of them may be written.

    Args:
        items: shape ``(n, ...)``.
        names: one each; of the file, without its ending.
        label: the class that all were generated for, if any.
        allowed: bool array of shape ``(n,)``.
    """

    items: np.ndarray
    names: Sequence[str]
    label: int | None
    allowed: np.ndarray


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
        field = model.generated_field()
        self.modality = model.schema[field].modality
        self.renderer = find_renderer(model.schema, field, registry)
        self.review = Review(model.schema, field, registry)

    def formats(self) -> list[str]:
        """List the formats that these items can be written in, the usual one first."""
        own = [self.renderer.suffix] if self.renderer and self.renderer.suffix else []
        drawn = ["grid"] if self.renderer and self.renderer.draws else []
        return [*own, "npz", *drawn]

    def reviewed(
        self, batches: Iterable[np.ndarray], names: Iterator[str], label: int | None = None
    ) -> Iterator[Reviewed]:
        """Have batches of items reviewed.

        Args:
            batches: arrays of shape ``(n, ...)``.
            names: at least one for each item.
            label: the class of all of them.
        """
        for items in batches:
            called = [next(names) for _ in items]
            yield Reviewed(items, called, label, self.review.allowed(items))

    def write_files(self, batches: Iterable[Reviewed], folder: Path) -> list[Path]:
        """Write what may be written in the modality's own format.

        Returns:
            a file for each item; with a renderer that shows items together, one for each label.
        """
        renderer = self.renderer
        assert renderer is not None, "formats() offered it"
        if renderer.together:
            return self._write_together(batches, folder)
        files: list[Path] = []
        for batch in batches:
            for item, name, allowed in zip(batch.items, batch.names, batch.allowed, strict=True):
                if allowed:
                    files.append(folder / f"{name}.{renderer.suffix}")
                    self._ask(renderer.write, item, files[-1])
        return files

    def draw_grid(self, batches: Iterable[Reviewed], columns: int | None = None) -> Image.Image:
        """Draw all items in one picture; the place of one that may not be written stays blank.

        With a renderer that shows items together, each row of items is drawn as one.

        Raises:
            UsageError: items of this modality can't be drawn, or all were refused.
        """
        renderer = self.renderer
        if renderer is None or not renderer.draws:
            raise UsageError(f"Items of the modality {self.modality!r} can't be drawn.")
        draw = self._draw_rows if renderer.together else self._draw_each
        pictures = draw(renderer, batches, columns)
        if not any(pictures):
            raise UsageError("All items were refused: there is nothing to draw.")
        return grid(pictures, None if renderer.together else columns)

    def write_grid(
        self, batches: Iterable[Reviewed], file: Path, columns: int | None = None
    ) -> Path:
        """Draw all items in one picture, as ``draw_grid`` does, in a PNG file."""
        save_png(self.draw_grid(batches, columns), file)
        return file

    def _draw_each(
        self, renderer: Renderer, batches: Iterable[Reviewed], _: int | None
    ) -> list[Image.Image | None]:
        pictures: list[Image.Image | None] = []
        for batch in batches:
            drawn = self._ask(renderer.pictures, batch.items)
            pictures += [p if a else None for p, a in zip(drawn, batch.allowed, strict=True)]
        return pictures

    def _draw_rows(
        self, renderer: Renderer, batches: Iterable[Reviewed], columns: int | None
    ) -> list[Image.Image | None]:
        every = list(batches)
        items = np.concatenate([batch.items for batch in every])
        allowed = np.concatenate([batch.allowed for batch in every])
        each = columns or len(items)
        rows = (slice(start, start + each) for start in range(0, len(items), each))
        kept = (items[row][allowed[row]] for row in rows)
        return [self._ask(renderer.pictures, row)[0] if len(row) else None for row in kept]

    def draw(self, items: np.ndarray, file: Path, columns: int | None = None) -> Path:
        """Draw items, shape ``(n, ...)``, in one picture, as ``write_grid`` does."""
        return self.write_grid(self.reviewed([items], itertools.repeat("")), file, columns)

    def write_overview(
        self, items: np.ndarray, file: Path, columns: int | None = None
    ) -> Path | None:
        """Show items in one file: a picture, or else a page, or nothing without a renderer.

        Args:
            items: shape ``(n, ...)``.
            file: where to, without an ending.
            columns: of a picture.
        """
        if self.renderer is None:
            return None
        if self.renderer.draws:
            return self.draw(items, file.with_suffix(".png"), columns)
        page = file.with_suffix(".html")
        kept = items[self.review.allowed(items)]
        if not len(kept):
            raise UsageError("All items were refused: there is nothing to show.")
        shown = self._ask(self.renderer.html, kept, f"{len(kept)} samples")
        write_text(page, f"<!doctype html>\n<meta charset=utf-8>\n{shown}\n")
        return page

    def _write_together(self, batches: Iterable[Reviewed], folder: Path) -> list[Path]:
        renderer = self.renderer
        assert renderer is not None, "formats() offered it"
        files = []
        for label, some in itertools.groupby(batches, key=lambda batch: batch.label):
            items = np.concatenate([batch.items[batch.allowed] for batch in some])
            if len(items):
                name = "samples" if label is None else f"label-{label}"
                files.append(folder / f"{name}.{renderer.suffix}")
                self._ask(renderer.write, items, files[-1])
        return files

    def _ask(self, ask: Callable[..., Any], *arguments: Any) -> Any:
        """Call the renderer, which may be a plugin's."""
        try:
            return ask(*arguments)
        except (GenkitError, OSError):
            raise
        except Exception as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise PluginError(
                f"The renderer {type(self.renderer).__name__} of {self.modality} failed: {reason}",
                "See whose it is with: genkit list renderers",
            ) from error


def save_npz(batches: Iterable[Reviewed], file: Path) -> Path:
    """Write the array 'samples' of what may be written, and 'label' if there are labels.

    Memory doesn't grow with the number of items: how many there are is known at the end only, so
    they wait in a file beside.
    """
    waiting = file.with_suffix(".waiting")
    labels: list[int] = []
    labelled = False
    count, like = 0, np.empty((0,), np.float32)
    with waiting.open("wb") as stream:
        for batch in batches:
            like = np.ascontiguousarray(batch.items[batch.allowed])
            stream.write(like.tobytes())
            count += len(like)
            if batch.label is not None:
                labelled = True
                labels += [batch.label] * len(like)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("samples.npy", "w", force_zip64=True) as entry:
            header = np.lib.format.header_data_from_array_1_0(like)
            header["shape"] = (count, *like.shape[1:])
            np.lib.format.write_array_header_1_0(entry, header)
            with waiting.open("rb") as stream:
                shutil.copyfileobj(stream, entry, 1 << 20)
        if labelled:
            with archive.open("label.npy", "w") as entry:
                np.lib.format.write_array(entry, np.array(labels, np.int32), allow_pickle=False)
    waiting.unlink()
    return file
