"""Find the image files of a folder; what is left out is counted."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import features

from genkit.errors import DataError
from genkit.files import reason_of
from genkit.plugins.names import suggestion

if TYPE_CHECKING:
    from genkit.data.left_out import LeftOut


def _reads_avif() -> bool:
    with warnings.catch_warnings():  # an older Pillow doesn't know the word
        warnings.simplefilter("ignore")
        return bool(features.check("avif"))


READS_AVIF = _reads_avif()
"""Whether Pillow was built with it: its wheels are, distributions' may not be."""
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".ppm", ".pgm", ".pbm", ".pnm"),
    *((".avif",) if READS_AVIF else ()),
)
READABLE = f"PNG, JPEG, WebP, BMP, GIF, TIFF{', AVIF' if READS_AVIF else ''} or PPM"
# What usually stands beside images and is nothing that was to be trained on.
_DOCUMENTS = (
    *(".txt", ".md", ".rst", ".json", ".jsonl", ".csv", ".tsv", ".xml", ".yaml", ".yml", ".toml"),
    *(".ini", ".cfg", ".log", ".html", ".htm", ".pdf", ".py", ".sh", ".db"),
)
_ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar")
# How files of these formats begin; of WebP and its kin, what follows is the size.
_BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")


class ImageSearch:
    """The images of a folder: those in it, and those below each folder in it.

    Links are followed, but each folder is read once below a folder, and links to the whole are
    left out. Hidden files and folders are passed over.

    Args:
        root: the folder.
        left_out: counts what is left out.

    Attributes:
        here: the images in the folder itself.
        below: the images below each folder in it, by the folder's name; empty ones have no key.

    Raises:
        DataError: a folder can't be read.
    """

    def __init__(self, root: Path, left_out: LeftOut) -> None:
        self._root, self._left_out = root, left_out
        try:
            folders, self.here = self._entries(root)
            self.below = {
                folder.name: images for folder in folders if (images := self._search(folder))
            }
        except OSError as error:
            raise DataError(
                f"Expected a folder of images at {error.filename or root}; {reason_of(error)}.",
                _remedy(root),
            ) from error

    def _search(self, top: Path) -> list[Path]:
        """Return the images below a folder, sorted by their path in it."""
        found: list[Path] = []
        read = {self._root.resolve()}
        folders, links = [top], list[Path]()
        while folders or links:  # links last: what they lead to may come by itself
            folder = folders.pop() if folders else links.pop(0)
            if (real := folder.resolve()) in read:
                self._left_out.add("link to a folder that is read already", folder)
                continue
            read.add(real)
            inside, images = self._entries(folder)
            found += images
            for each in inside:
                (links if each.is_symlink() else folders).append(each)
        return sorted(found, key=lambda file: file.relative_to(top).as_posix())

    def _entries(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Return the folders and the images in a folder, by name."""
        folders, images, documents = list[Path](), list[Path](), list[Path]()
        for path in sorted(folder.iterdir()):
            if path.name.startswith("."):
                continue
            if path.is_dir():
                folders.append(path)
            elif reason := _reason(path):
                self._left_out.add(reason, path)
            else:
                (images if path.suffix.lower() in SUFFIXES else documents).append(path)
        stems = {image.stem for image in images}
        for document in documents:
            if document.stem in stems:  # captions or boxes that somebody may think are read
                self._left_out.add(f"{document.suffix.lower()} beside its image", document)
        return folders, images


def _reason(path: Path) -> str:
    """Return why a file is left out; nothing for images and for what belongs to no data."""
    suffix = path.suffix.lower()
    if path.name == "metadata.csv":  # as the Hugging Face Hub has captions, besides .jsonl
        return path.name
    if suffix in _DOCUMENTS:
        return ""
    if not path.is_file():
        return "broken link" if path.is_symlink() else "not a file"
    if suffix in SUFFIXES:
        return ""
    return suffix or ("no suffix" if _begins_like_an_image(path) else "")


def _begins_like_an_image(path: Path) -> bool:
    """Whether a file without a suffix is an image rather than a licence."""
    try:
        with path.open("rb") as file:
            return file.read(4).startswith(_BEGINNINGS)
    except OSError:
        return False


def _remedy(root: Path) -> str:
    """Return what to do where there is no folder."""
    if root.suffix.lower() in _ARCHIVES:
        return "Unpack it first."
    if root.is_dir():
        return ""
    beside: list[str] = []
    with suppress(OSError):
        beside = [path.name for path in root.parent.iterdir() if path.is_dir()]
    return suggestion(root.name, beside) or "Name the folder: --data path=FOLDER"
