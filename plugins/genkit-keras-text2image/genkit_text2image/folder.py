"""A person's own captioned pictures in a folder, and emoji as one of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import genkit
from genkit.data import FileItem, FileSource, ItemFiles, LeftOut
from genkit.errors import DataError
from genkit_text2image.captions import FILE_NAME, read_captions
from genkit_text2image.configs import EmojiConfig, FolderConfig
from genkit_text2image.picture_files import NoPictureError, read_picture
from genkit_text2image.source import IMAGE, CaptionedSource, divided


def open_folder(config: FolderConfig) -> CaptionedSource:
    """Open a folder of pictures with captions: ``image``, uint8, and ``caption``, int32.

    Pictures without a caption and captions without a picture are left out, counted by reason, and
    a warning names the first of each.

    Raises:
        DataError: no folder, no captions, no picture that can be read, or nothing in the split.
    """
    return _opened(config.path, config)


def open_emoji(config: EmojiConfig) -> CaptionedSource:
    """Open the emoji of ``$GENKIT_DATA/emoji64``, or of a folder that is laid out like it.

    Raises:
        DataError: as for ``open_folder``; or nobody has said where they are.
    """
    if config.path is not None:
        return _opened(config.path, config)
    data = os.environ.get("GENKIT_DATA")
    if not data:
        raise DataError(
            "Expected the emoji in $GENKIT_DATA/emoji64; GENKIT_DATA is not set.",
            f"Name a folder of pictures with {FILE_NAME}: --data path=FOLDER",
        )
    return _opened(Path(data).absolute() / "emoji64", config)


def write_fake(folder: Path) -> Mapping[str, Any]:
    """Write a few captioned pictures for ``genkit check``; return the settings that open them."""
    from genkit_text2image.shapes import write_shapes

    write_shapes(folder, items=60, side=8)
    return {"path": str(folder), "side": 8, "known": 1}


def _opened(folder: Path, config: FolderConfig) -> CaptionedSource:
    left_out = LeftOut(folder)
    captions = read_captions(folder, config.longest, left_out)

    def read(file: Path) -> FileItem:
        try:
            return FileItem(read_picture(file, config.side, config.mode))
        except NoPictureError:
            return FileItem(None, "unreadable")

    items = ItemFiles(folder, sorted(captions), read, left_out)
    field = genkit.Field(items.shape[1:], "uint8", "image", (0, 255))
    pictures = FileSource(IMAGE, items, genkit.Schema({IMAGE: field}))
    used = [captions[items.file(row)] for row in range(len(items))]
    source = divided(pictures.in_memory(), used, config)
    left_out.record_in(source)
    return source
