"""What the folders around images mean: splits, classes, or nothing."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from genkit.builtin.datasets.image_search import ImageSearch
    from genkit.data.left_out import LeftOut

SPLITS = ("train", "validation", "test")
_SPLIT_OF = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
# The same words with something before or behind, as in train_set, val2017 or seg_test.
_AFFIXED = re.compile(r"(?<![a-z])(train(ing)?|val(id(ation)?)?|dev|test(ing)?)(?=set|[^a-z]|$)")

_IN_A_CLASS = 2  # parts of the path of an image right in a class, class/image


@dataclass(frozen=True)
class Layout:
    """The images of a folder, by split.

    Args:
        bases: the folder of each split; without splits the whole, as ``train``.
        images: the images of each split, sorted by their path in its folder.
        divided: whether there are folders for splits.
    """

    bases: Mapping[str, Path]
    images: Mapping[str, list[Path]]
    divided: bool

    def labels(self) -> dict[Path, str]:
        """Label each image by the first folder on its way; nothing where one lies in none.

        All splits are looked at, so that a class has the same number in each.
        """
        parts = {
            image: image.relative_to(self.bases[split]).parts
            for split, images in self.images.items()
            for image in images
        }
        loose = [image for image, part in parts.items() if len(part) == 1]
        if 0 < len(loose) < len(parts) / 2:  # else nobody meant classes
            warnings.warn(
                f"The sub-folders are not taken for classes: {len(loose)} of {len(parts)} images "
                f"lie in none of them, the first {loose[0]}.",
                stacklevel=3,
            )
        return {} if loose else {image: part[0] for image, part in parts.items()}


def split_of(name: object) -> object:
    """Return the split that a name stands for, validation for ``val``; anything else as it is."""
    return _SPLIT_OF.get(name.casefold(), name) if isinstance(name, str) else name


def find_layout(root: Path, search: ImageSearch, left_out: LeftOut) -> Layout:
    """Tell splits from classes by the names of the folders that have images.

    Args:
        root: the folder.
        search: what is in it.
        left_out: counts images outside of the splits.

    Raises:
        DataError: the folders can be understood in two ways.
    """
    splits = _splits_among(search.below)
    named = _named(splits)
    others = [name for name in search.below if name not in splits]
    if named and not others:
        for image in search.here:
            left_out.add("outside the splits", image)
        return Layout(
            {split: root / name for split, name in named.items()},
            {split: search.below[name] for split, name in named.items()},
            divided=True,
        )
    if len(named) > 1:
        raise DataError(
            f"Expected folders of classes in {root}, or of splits alone; received "
            f"{_listed(named.values())} beside {_listed(others)}.",
            f"Move {_listed(others)} elsewhere, or name one split: "
            f"--data path={root / next(iter(named.values()))}",
        )
    for name in named.values():
        if all(_depth(image, root) > _IN_A_CLASS for image in search.below[name]):
            warnings.warn(
                f"The folder {name} is taken for a class, beside {_listed(others)}; if it is a "
                f"split, pass --data path={root / name}.",
                stacklevel=3,
            )
    _refuse_splits_below(root, search)
    images = sorted(
        [*search.here, *(image for images in search.below.values() for image in images)],
        key=lambda image: image.relative_to(root).as_posix(),
    )
    return Layout({"train": root}, {"train": images}, divided=False)


def _splits_among(names: Iterable[str]) -> dict[str, str]:
    """Return which names of folders stand for splits, with the split.

    They are those of splits alone; or all, where they differ in the split and in nothing else.
    """
    folded = {name: name.casefold() for name in names}
    alone = {name: _SPLIT_OF[each] for name, each in folded.items() if each in _SPLIT_OF}
    if alone:
        return alone
    found = {name: match for name, each in folded.items() if (match := _AFFIXED.search(each))}
    splits = {name: _SPLIT_OF[match[1]] for name, match in found.items()}
    affixes = {(m.string[: m.start()], m.string[m.end() :]) for m in found.values()}
    differ = len(set(splits.values())) > 1
    return splits if differ and len(affixes) == 1 and len(found) == len(folded) else {}


def _named(splits: Mapping[str, str]) -> dict[str, str]:
    """Return the names that stand for splits, by split.

    Raises:
        DataError: two stand for the same one.
    """
    found: dict[str, str] = {}
    for name, split in splits.items():
        if split in found:
            raise DataError(
                f"Expected one folder for the split {split}; received {found[split]} and {name}.",
                "Merge them, or move one elsewhere.",
            )
        found[split] = name
    return {split: found[split] for split in SPLITS if split in found}


def _refuse_splits_below(root: Path, search: ImageSearch) -> None:
    """Refuse folders that hold splits: they would become classes that mix them.

    Raises:
        DataError: with what to do.
    """
    for name, images in search.below.items():
        inside = {
            image.relative_to(root).parts[1]
            for image in images
            if _depth(image, root) > _IN_A_CLASS
        }
        splits = _splits_among(sorted(inside))
        named = list(splits)
        if len(set(splits.values())) > 1:
            more = f", or put the splits first: {named[0]}/{name}" if len(search.below) > 1 else ""
            raise DataError(
                f"Expected splits or classes in {root}; received {name}, which holds "
                f"{_listed(named)}: they would be mixed in one class.",
                f"Name it: --data path={root / name}{more}.",
            )


def _depth(image: Path, root: Path) -> int:
    return len(image.relative_to(root).parts)


def _listed(names: Iterable[str]) -> str:
    most = 4
    shown = list(names)
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")
