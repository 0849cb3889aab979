"""What items of a field can be written as, whatever shows them; nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from genkit.plugins.schema import Field

if TYPE_CHECKING:
    from genkit.report.rendering import Renderer

RECORDS = ("csv", "jsonl", "parquet")
"""Formats with a row an item, a column a field."""

PRINTED = ("txt", "jsonl", "csv")
"""Formats that a terminal can show."""


def is_text(field: Field) -> bool:
    """Whether its items are text: ``str``, or numbers of a vocabulary."""
    return field.modality == "text" or (field.dtype == "string" and not field.shape)


def is_scalar(field: Field) -> bool:
    """Whether an item of it is one value: a number, a date, a class."""
    return not field.shape and not is_text(field)


def has_own_file(field: Field, renderer: type[Renderer]) -> bool:
    """Whether an item of the field gets a file of its own: a picture, a sound."""
    formats = renderer.own_formats()
    whole = renderer.together or formats[:1] == renderer.streamed[:1]
    return bool(formats) and not whole and not is_text(field)


def formats_of(fields: Mapping[str, Field], renderers: Mapping[str, type[Renderer]]) -> list[str]:
    """List the formats that items can be written in, the usual one first.

    Args:
        fields: the output fields.
        renderers: classes of those that show them, as far as there are any.
    """
    alone = renderers.get(next(iter(fields))) if len(fields) == 1 else None
    own = list(alone.own_formats()) if alone else []
    drawn = ["grid"] if alone and alone.draws else []
    in_files = [
        name for name, renderer in renderers.items() if has_own_file(fields[name], renderer)
    ]
    simple = all(is_text(field) or is_scalar(field) for field in fields.values())
    arrays = [] if any(is_text(f) or f.dtype == "string" for f in fields.values()) else ["npz"]
    if own and not simple:  # a sound is no list of numbers
        return [*own, *arrays, *drawn]
    rows = _record_formats(fields, in_files if len(fields) > 1 else ())
    first, second = (rows, arrays) if simple or in_files else (arrays, rows)
    return list(dict.fromkeys([*own, *first, *second, *drawn]))


def _record_formats(fields: Mapping[str, Field], in_files: Collection[str]) -> list[str]:
    """List the formats of rows, of which a cell may name a file."""
    others = [
        field
        for name, field in fields.items()
        if name not in in_files and not is_text(field) and not is_scalar(field)
    ]
    if any(len(field.shape) != 1 for field in others):
        return []
    if others:  # lists, which a line of CSV can't hold
        return ["jsonl", "parquet"]
    return ["jsonl", "csv", "parquet"] if in_files else list(RECORDS)
