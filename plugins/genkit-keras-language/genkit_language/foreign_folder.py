"""Folders in the layout of the library transformers: a config, weights in one file or in shards."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genkit.errors import DataError, UsageError
from genkit_language.safetensors_files import FEWEST_BYTES, Tensor, tensors_in
from genkit_language.tokenizer import json_object, reason_of

CONFIG, GENERATION, WEIGHTS = "config.json", "generation_config.json", "model.safetensors"
_INDEX = f"{WEIGHTS}.index.json"
_MOST_CONFIG = 64 << 20
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_TAKEN = ("*.safetensors", _INDEX, CONFIG, GENERATION, "tokenizer.json", "vocab.json", "merges.txt")
_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


class ForeignFolder:
    """What is in such a folder, which may come from a stranger. No weight is read yet.

    Args:
        path: of the folder.

    Attributes:
        config: what ``config.json`` says.
        generation: what ``generation_config.json`` says; empty if there is none.
        tensors: of all files of weights, by name.
        holds: a bound on the numbers they hold.

    Raises:
        DataError: a file is missing or damaged, or weights are in another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = _object(path / CONFIG)
        self.generation = _object(path / GENERATION) if (path / GENERATION).exists() else {}
        self.tensors: dict[str, Tensor] = {}
        files = [path / WEIGHTS] if (path / WEIGHTS).exists() else self._shards()
        for file in files:
            found = tensors_in(file)
            if twice := self.tensors.keys() & found.keys():
                raise DataError(f"Expected {min(twice)!r} in one file of {path}; it is in two.")
            self.tensors |= found
        self.holds = sum(file.stat().st_size for file in files) // FEWEST_BYTES

    def _shards(self) -> list[Path]:
        if not (self.path / _INDEX).exists():
            raise self._other_format()
        named = _object(self.path / _INDEX).get("weight_map")
        if not isinstance(named, dict) or not named:
            raise DataError(f"Expected a weight_map in {self.path / _INDEX}; it is damaged.")
        for name in named.values():
            plain = isinstance(name, str) and Path(name).name == name
            if not plain or not name.endswith(".safetensors"):
                raise DataError(
                    f"Expected names of .safetensors files of its folder in {self.path / _INDEX}; "
                    f"received {str(name)[:80]!r}."
                )
        return [self.path / name for name in sorted(set(named.values()))]

    def _other_format(self) -> DataError:
        try:
            names = sorted(each.name for each in self.path.iterdir())
        except OSError as error:
            return DataError(f"The folder {self.path} can't be read: {reason_of(error)}.")
        pickled = [name for name in names if name.endswith(_PICKLES)]
        if pickled:
            return DataError(
                f"Expected {WEIGHTS} in {self.path}; {pickled[0]} is a pickle, which may run a "
                "stranger's code when it is opened, and is not.",
                "Take the model's safetensors files; most have them.",
            )
        return DataError(f"Expected {WEIGHTS} in {self.path}; it has {', '.join(names[:8])}.")


def found_folder(source: str) -> Path:
    """Return the folder that somebody means: a local one, or that of a model on the hub.

    Args:
        source: a path; or, where there is no such folder, an id as ``openai-community/gpt2``, whose
            files come into the cache of huggingface-hub.

    Raises:
        DataError: there is no such folder, a link leads out of it, or the hub refuses.
    """
    path = Path(source)
    if path.is_dir():
        for name in _TAKEN:
            for file in path.glob(name):
                _refuse_link_out(file, path)
        return path
    if not _ID.fullmatch(source):
        raise DataError(f"Expected a folder with {CONFIG} and {WEIGHTS}; received {source!r}.")
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise DataError(
            f"Expected a folder at {source}; there is none, and to ask the hub for a model of that "
            "id huggingface-hub must be installed.",
            "Install it with: pip install huggingface-hub",
        ) from error
    try:
        return Path(snapshot_download(source, allow_patterns=list(_TAKEN)))
    except Exception as error:  # its own, those of the network and of the disk
        raise DataError(
            f"Expected a folder at {source}, or a model of that id on the hub; there is no such "
            f"folder, and the hub says: {reason_of(error)}",
        ) from error


def _refuse_link_out(file: Path, folder: Path) -> None:
    """Refuse a file that leads out of its folder: what is elsewhere is not a stranger's to name."""
    if not file.resolve().is_relative_to(folder.resolve()):
        raise DataError(
            f"Expected {file} without a link out of its folder; it leads to {file.resolve()}.",
            "Copy what it leads to into its place, if you trust where it comes from.",
        )


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a place for files that become a folder when all are there; else nothing is left.

    Args:
        path: of the folder, which must not exist.

    Raises:
        UsageError: it exists, or can't be made.
    """
    if path.exists():
        raise UsageError(f"Expected a new folder; {path} exists already.", "Choose another name.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        yield partial
        partial.rename(path)
    except OSError as error:
        raise UsageError(f"The folder {path} can't be written: {reason_of(error)}.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _object(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_CONFIG + 1)
    except OSError as error:
        raise DataError(f"The file {file} can't be read: {reason_of(error)}.") from error
    return json_object(content, str(file))
