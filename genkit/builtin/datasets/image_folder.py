"""A person's own images in a folder, with labels and captions where there are any.

- Images are found in sub-folders too, and sorted by path.
- Where every image lies in a sub-folder, the first sub-folder on its way is its label.
- Captions come from ``metadata.jsonl`` (see ``metadata.py``); an image it leaves out has "".
- Where all sub-folders are called after splits they are the splits, each laid out as above (see
  ``folder_layout.py``). Elsewhere every image belongs to ``train``.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.builtin.datasets.configs import ImageFolderConfig
from genkit.builtin.datasets.folder_layout import SPLITS, Layout, find_layout, split_of
from genkit.builtin.datasets.image_files import image_items
from genkit.builtin.datasets.image_search import READABLE, ImageSearch
from genkit.builtin.datasets.images import balanced
from genkit.builtin.datasets.metadata import read_captions
from genkit.data.file_source import FileSource
from genkit.data.left_out import LeftOut
from genkit.data.pipeline import transformed
from genkit.data.transform_names import parse_transforms
from genkit.errors import DataError, MissingSplitError
from genkit.plugins.specs import Field, Schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.data.source import Source


def open_image_folder(config: ImageFolderConfig) -> Source:
    """Open a folder of images.

    Fields: ``image``, uint8, what is transparent on white; ``label``, where images lie in
    sub-folders; ``caption``, where there is a ``metadata.jsonl`` with texts. What can't be used is
    counted in the source's ``left_out``, and warned of once.

    Raises:
        DataError: no folder, no readable image, images of mixed size or kind, folders that may be
            splits or classes, a broken ``metadata.jsonl``.
    """
    left_out = LeftOut(config.path)
    layout = find_layout(config.path, ImageSearch(config.path, left_out), left_out)
    files = _wanted(config, layout, left_out)
    labels = layout.labels()
    classes = tuple(sorted(set(labels.values())))
    transforms = parse_transforms(config.transforms)
    certain = [transform for transform in transforms if not transform.random]
    items, field = image_items(
        config.path, files, left_out, mode=config.mode, transforms=certain, limit=config.limit
    )
    used = [items.file(number) for number in range(len(items))]
    arrays: dict[str, NDArray[Any]] = {}
    fields = {"image": field}
    if labels:
        numbers = {name: number for number, name in enumerate(classes)}
        _warn_of_empty_classes(classes, {labels[file] for file in used}, config)
        arrays["label"] = np.array([numbers[labels[file]] for file in used], np.int32)
        fields["label"] = Field((), "int32", "label", classes=classes)
    if captions := _captions(config.path, layout):
        arrays["caption"] = np.array([captions.get(file, "") for file in used], object)
        fields["caption"] = Field((), "string", "text")
    source = FileSource("image", items, Schema(fields), arrays)
    left_out.record_in(source)
    chosen = balanced(source, config)
    if isinstance(chosen, FileSource):
        chosen = chosen.in_memory()
    return transformed(chosen, [transform for transform in transforms if transform.random])


def _wanted(config: ImageFolderConfig, layout: Layout, left_out: LeftOut) -> list[Path]:
    there = [split for split in SPLITS if split in layout.images]
    wanted = there if config.split == "all" else [config.split]
    files = [file for split in wanted for file in layout.images.get(split, ())]
    if files:
        return files
    if not any(layout.images.values()):
        raise DataError(
            f"Expected images ({READABLE}) in {config.path}; found none.",
            left_out.summary() if left_out.counts else "",
        )
    if layout.divided:
        for folder in config.path.iterdir():
            if folder.is_dir() and split_of(folder.name) == config.split:
                raise DataError(
                    f"Expected images ({READABLE}) in {folder}; found none.",
                    "Put them there, or remove the folder.",
                )
        raise MissingSplitError(
            f"Expected a folder for the split {config.split} in {config.path}; received "
            f"{' and '.join(there)}.",
            f"Choose another split: {', '.join((*there, 'all'))}.",
        )
    raise MissingSplitError(
        f"Expected a folder {config.split!r} in {config.path}; there is none.",
        f"Split the images into sub-folders train and test, or choose another split: "
        f"{', '.join((*there, 'all'))}.",
    )


def _warn_of_empty_classes(
    classes: tuple[str, ...], used: set[str], config: ImageFolderConfig
) -> None:
    empty = [name for name in classes if name not in used]
    if empty and config.split == "train":
        limited = "; limit takes the first images, per_class=N some of each class"
        warnings.warn(
            f"{len(empty)} of {len(classes)} classes have no images for training, the first "
            f"{empty[0]!r}{limited if config.limit else ''}.",
            stacklevel=3,
        )


def _captions(folder: Path, layout: Layout) -> dict[Path, str]:
    captions: dict[Path, str] = {}
    for base in dict.fromkeys((folder, *layout.bases.values())):
        captions |= read_captions(base)
    return captions
