"""A data set of many files that are read when they are needed: docs/how-to/write-a-dataset.md."""

from pathlib import Path

import numpy as np

import genkit
from genkit.data import FileItem, FileSource, ItemFiles, LeftOut


def read(file: Path) -> FileItem:
    """Return what a file holds; None, and why, if it can't be used."""
    try:
        return FileItem(np.load(file).astype("float32"))
    except (OSError, ValueError):
        return FileItem(None, "unreadable")


def open_recordings(folder: Path) -> FileSource:
    left_out = LeftOut(folder)
    items = ItemFiles(folder, sorted(folder.glob("*.npy")), read, left_out)
    field = genkit.Field(items.shape[1:], "float32", "audio", (-1, 1))
    source = FileSource("sound", items, genkit.Schema({"sound": field}))
    left_out.record_in(source)
    return source
