"""The mixed data set as a folder of images that other tools read, with provenance.

mixed/train/<class>/real-00000.png, synthetic-00000.png, ...; mixed/train/metadata.jsonl

That is the ``imagefolder`` convention of Hugging Face, and what GenKit's own ``image-folder``
reads. Folders are named so that their sorted order is that of the class numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.files import write_text
from genkit.report.grids import save_png, to_pictures

if TYPE_CHECKING:
    from genkit.data.source import Source

_AT_A_TIME = 256


def write_mixed(
    folder: Path,
    parts: Sequence[tuple[str, Source, Sequence[Mapping[str, Any]]]],
) -> None:
    """Write the pictures and their facts into a folder.

    Args:
        folder: an empty one.
        parts: of the data set: its origin (``real`` or ``synthetic``), the items, and what is to
            stand in ``metadata.jsonl`` about each.
    """
    split = folder / "train"
    schema = parts[0][1].schema
    classes = schema[schema.name_of("label")].classes
    for name in folder_names(classes):
        (split / name).mkdir(parents=True)
    lines = [
        json.dumps(line)
        for origin, source, facts in parts
        for line in _write_items(split, origin, source, facts, classes)
    ]
    write_text(split / "metadata.jsonl", "\n".join(lines) + "\n")


def folder_names(classes: Sequence[str]) -> list[str]:
    """Name a folder for each class: its number, and what of its name is safe in a path."""
    digits = len(str(len(classes) - 1))
    names = []
    for number, name in enumerate(classes):
        safe = re.sub(r"[^\w]+", "-", name, flags=re.ASCII).strip("-").lower()
        prefix = f"{number:0{digits}d}"
        names.append(prefix if safe in ("", str(number)) else f"{prefix}-{safe}")
    return names


def _write_items(
    split: Path,
    origin: str,
    source: Source,
    facts: Sequence[Mapping[str, Any]],
    classes: Sequence[str],
) -> Iterator[dict[str, Any]]:
    names = folder_names(classes)
    for start in range(0, len(source), _AT_A_TIME):
        rows = np.arange(start, min(start + _AT_A_TIME, len(source)))
        image, label = (source.schema.name_of(kind) for kind in ("image", "label"))
        batch = source.gather(rows)
        pictures, labels = to_pictures(batch[image], source.schema[image]), batch[label]
        for row, picture, label in zip(rows.tolist(), pictures, labels, strict=True):
            file = f"{names[label]}/{origin}-{row:06d}.png"
            save_png(picture, split / file)
            yield {
                "file_name": file,
                "label": int(label),
                "class": classes[label],
                "origin": origin,
                **facts[row],
            }
