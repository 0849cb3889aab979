"""A person's own PNG and JPEG files in a folder, with labels and captions where there are any.

- Images are found in sub-folders too, and sorted by path.
- Where every image lies in a sub-folder, the first sub-folder on its way is its label.
- Captions come from ``metadata.jsonl`` (see ``metadata.py``); an image it leaves out has "".
- Where the only sub-folders are ``train`` and ``test`` they are the splits, each laid out as
  above. Elsewhere every image belongs to ``train``.
"""

from __future__ import annotations

import warnings
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pydantic

from genkit.builtin.datasets.image_files import decode_all, list_images
from genkit.builtin.datasets.images import SplitImageDataConfig, balanced
from genkit.builtin.datasets.metadata import read_captions
from genkit.data.pipeline import transformed
from genkit.data.source import ArraySource, Source
from genkit.data.transform_names import parse_transforms
from genkit.data.transforms import ImageTransform, Transform
from genkit.errors import DataError
from genkit.plugins.config import AbsolutePath
from genkit.plugins.specs import Field, Schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

from genkit.files import reason_of

_SPLITS = ("train", "test")


class ImageFolderConfig(SplitImageDataConfig):
    """Settings of ``image-folder``."""

    path: AbsolutePath = pydantic.Field(description="The folder")
    mode: Literal["RGB", "L"] | None = pydantic.Field(
        None, description="Convert every image to colour (RGB) or gray (L); needed where both occur"
    )


def open_image_folder(config: ImageFolderConfig) -> Source:
    """Open a folder of images.

    Fields: ``image``, uint8, what is transparent on white; ``label``, where images lie in
    sub-folders; ``caption``, where there is a ``metadata.jsonl`` with texts. Images that can't be
    read are left out, counted in the source's ``skipped``, and warned of once.

    Raises:
        DataError: no folder, no readable image, images of mixed size or kind, a broken
            ``metadata.jsonl``.
    """
    listed = {base: list_images(base) for base in _bases(config.path).values()}
    files = _wanted(config, listed)
    transforms = parse_transforms(config.transforms)
    alone = [t for t in takewhile(_is_alone, transforms) if isinstance(t, ImageTransform)]
    images, used, unreadable = decode_all(files, config.mode, alone, config.limit)
    if unreadable:
        warnings.warn(
            f"{len(unreadable)} of {len(files)} images can't be read and are left out, "
            f"the first {unreadable[0]}.",
            stacklevel=2,
        )
    arrays: dict[str, NDArray[Any]] = {"image": images}
    fields = {"image": Field(images.shape[1:], "uint8", "image", (0, 255))}
    if labels := _labels(listed):
        classes = tuple(sorted(set(labels.values())))
        arrays["label"] = np.array([classes.index(labels[file]) for file in used], np.int32)
        fields["label"] = Field((), "int32", "label", classes=classes)
    if captions := _captions(config.path, listed):
        arrays["caption"] = np.array([captions.get(file, "") for file in used], object)
        fields["caption"] = Field((), "string", "text")
    source = ArraySource(arrays, Schema(fields))
    source.skipped = len(unreadable)
    return transformed(balanced(source, config), transforms[len(alone) :])


def _bases(folder: Path) -> dict[str, Path]:
    try:
        inside = {p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")}
    except OSError as error:
        raise DataError(f"Expected a folder of images at {folder}; {reason_of(error)}.") from error
    if inside and inside <= set(_SPLITS):
        return {split: folder / split for split in _SPLITS if split in inside}
    return {"": folder}


def _wanted(config: ImageFolderConfig, listed: dict[Path, list[Path]]) -> list[Path]:
    splits = _SPLITS if config.split == "all" else (config.split,)
    bases = [config.path / split for split in splits]
    if config.path in listed:
        bases = [config.path] if config.split != "test" else []
    if not any(base in listed for base in bases):
        raise DataError(
            f"Expected a folder {config.split!r} in {config.path}; there is none.",
            "Split the images into sub-folders train and test, or choose another split.",
        )
    files = [file for base in bases for file in listed.get(base, [])]
    if not files:
        raise DataError(f"Expected PNG or JPEG images in {bases[0]}; found none.")
    return files


def _labels(listed: dict[Path, list[Path]]) -> dict[Path, str]:
    """Label each file by its first sub-folder; nothing where a file lies in none.

    All splits are looked at, so that a class has the same number in each.
    """
    parts = {f: f.relative_to(base).parts for base, files in listed.items() for f in files}
    if any(len(part) == 1 for part in parts.values()):
        return {}
    return {file: part[0] for file, part in parts.items()}


def _captions(folder: Path, listed: dict[Path, list[Path]]) -> dict[Path, str]:
    captions: dict[Path, str] = {}
    for base in dict.fromkeys((folder, *listed)):
        captions |= read_captions(base)
    return captions


def _is_alone(transform: Transform) -> bool:
    return isinstance(transform, ImageTransform)
