"""Checks of renderers: on toy items, or on those of a data set of their modality."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.varying import items_of
from genkit.plugins.item_specs import made_for
from genkit.plugins.specs import Field, Schema, resolve
from genkit.testing.check import checks
from genkit.testing.data import sources_of
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from genkit.report.rendering import Renderer
    from genkit.testing.subjects import Subject

_ITEMS = 6
_STEP = 1 / 255  # of the range: what files of 8 bits keep
_TOYS = {
    "audio": Field((None,), "float32", "audio", (-1, 1), rate=8000),
    "video": Field((None, 8, 8, 3), "uint8", "video", (0, 255), rate=12),
}


@checks("renderers")
def check_formats_round_trip(subject: Subject) -> None:
    """What is written in each format can be read back and is the same, to 8 bits of the range."""
    renderer, items = _tried(subject)
    found = False
    for format_ in renderer.own_formats():
        try:
            pairs = _read_back(renderer, items, format_)
        except NotImplementedError:
            continue
        found = True
        for wrote, read in pairs:
            _check_same(wrote, read, renderer, format_)
    if not found:
        raise Skipped("it defines no read")


@checks("renderers")
def check_blank_fits_the_field(subject: Subject) -> None:
    """What stands for a refused item has the field's shape, and can be shown."""
    renderer, items = _tried(subject)
    blank, field = renderer.blank(), renderer.field
    if isinstance(blank, str):
        fits = field.dtype == "string" or field.modality == "text"
    else:
        shape = np.shape(blank)
        fits = len(shape) == len(field.shape) and all(
            wanted in (None, size) for wanted, size in zip(field.shape, shape, strict=True)
        )
    if not fits:
        raise CheckFailed(
            f"Expected blank() of shape {field.shape}, as the field says; received "
            f"{type(blank).__name__} of shape {np.shape(blank)}."
        )
    shown = renderer.html(_batch([blank, items[0]]), "Two items")
    if not isinstance(shown, str) or not shown:
        raise CheckFailed(f"Expected HTML as str from html(); received {shown!r:.80}.")


def _tried(subject: Subject) -> tuple[Renderer, list[Any]]:
    """Return the renderer, with items to try it on."""
    spec = subject.spec
    schema, assets, items = _data(spec.modality, subject.distribution)
    name = schema.name_of(spec.modality)
    renderer: Renderer = made_for(resolve(spec.renderer), schema, name, assets)
    if not renderer.fits():
        raise Skipped(f"it fits no data of the modality {spec.modality!r} that there are")
    return renderer, items


def _data(modality: str, distribution: str) -> tuple[Schema, Any, list[Any]]:
    if modality in _TOYS:
        field, rng = _TOYS[modality], np.random.default_rng(0)
        low, high = field.range or (0, 1)
        shapes = [
            (length, *(size or 1 for size in field.shape[1:])) for length in range(10, 10 + _ITEMS)
        ]
        toys = [(low + (high - low) * rng.random(shape)).astype(field.dtype) for shape in shapes]
        return Schema({modality: field}), {}, toys
    source = next(sources_of(modality, distribution, _ITEMS))
    name = source.schema.name_of(modality)
    batch = source.gather(np.arange(min(_ITEMS, len(source))))
    return source.schema, source.assets, list(items_of(batch, source.schema, name))


def _read_back(renderer: Renderer, items: list[Any], format_: str) -> list[tuple[Any, Any]]:
    """Write items and read them: pairs of both."""
    with tempfile.TemporaryDirectory() as folder:
        if format_ in renderer.streamed:
            file = Path(folder, f"all.{format_}")
            with file.open("wb") as out:
                renderer.write_all([_batch(items[:2]), _batch(items[2:])], out, format_)
            return _paired(items, renderer.read(file), format_)
        if renderer.together:
            file = Path(folder, f"all.{format_}")
            renderer.write(_batch(items), file)
            return _paired(items, renderer.read(file), format_)
        pairs = []
        for place, item in enumerate(items):
            file = Path(folder, f"{place}.{format_}")
            renderer.write(item, file)
            if not file.is_file():
                raise CheckFailed(f"Expected write() to write {file.name}; there is no such file.")
            pairs.append((item, renderer.read(file)))
        return pairs


def _paired(items: list[Any], read: Any, format_: str) -> list[tuple[Any, Any]]:
    if len(read) != len(items):
        raise CheckFailed(f"Expected {len(items)} items back from {format_}; received {len(read)}.")
    return list(zip(items, read, strict=True))


def _check_same(wrote: Any, read: Any, renderer: Renderer, format_: str) -> None:
    if isinstance(read, str):
        same = wrote == read if isinstance(wrote, str) else True  # numbers of a vocabulary
    else:
        first, second = np.asarray(wrote, np.float64), np.asarray(read, np.float64)
        same = first.shape == second.shape and bool(
            np.abs(first - second).max(initial=0) <= _STEP * renderer.field.span
        )
    if not same:
        raise CheckFailed(
            f"Expected from {format_} what was written; it differs.",
            "Write without loss, or leave out read() if the format can't.",
        )


def _batch(items: list[Any]) -> Any:
    """Return items as a batch: one array where they are of one shape."""
    if all(isinstance(item, np.ndarray | np.generic) for item in items) and (
        len({np.shape(item) for item in items}) == 1
    ):
        return np.stack(items)
    return items
