"""The data set: settings in, a source of items out."""

from pathlib import Path

import genkit
import numpy as np
from genkit.data import ArraySource
from genkit.data.tables import is_missing, read_table
from genkit.errors import DataError

from genkit_myplugin.settings import LikesConfig

BOOKS = {
    "sea": ("Moby-Dick", "Treasure Island", "The Sea-Wolf", "Lord Jim", "Kidnapped"),
    "crime": ("The Moonstone", "Bleak House", "The Big Four", "Trent's Last Case", "Raffles"),
    "space": ("The Time Machine", "Solaris", "Aelita", "We", "The First Men in the Moon"),
}
_LIKED, _FAITHFUL = 5, 0.9


def open_likes(config: LikesConfig) -> ArraySource:
    """Open likes, one an item of the data: somebody (``user``) liked something (``item``).

    Both are int32 numbers; the classes of the field ``item`` are the titles.

    Raises:
        DataError: the file can't be read, or lacks a column.
    """
    likes = made_up(config) if config.path is None else read_likes(config.path)
    users, user = np.unique([user for user, _ in likes], return_inverse=True)
    titles, item = np.unique([title for _, title in likes], return_inverse=True)
    schema = genkit.Schema(
        {
            "user": genkit.Field((), "int32", "user", classes=tuple(map(str, users))),
            "item": genkit.Field((), "int32", "item", classes=tuple(map(str, titles))),
        }
    )
    return ArraySource({"user": user.astype("int32"), "item": item.astype("int32")}, schema)


def read_likes(path: Path) -> list[tuple[str, str]]:
    """Read who liked what."""
    likes = []
    for chunk in read_table(path, ["user", "item"], remedy="Begin the file with: user,item"):
        for wrong in chunk.malformed:
            raise DataError(f"Line {wrong.line} of {path}: {wrong.text}.")
        for line, (user, item) in zip(chunk.lines, chunk.rows, strict=True):
            if is_missing(user) or is_missing(item):
                raise DataError(
                    f"Expected a user and an item in line {line} of {path}; it lacks one.",
                    "Leave the line out.",
                )
            likes.append((user, item))
    if not likes:
        raise DataError(f"Expected a user and an item in each row of {path}; it has no rows.")
    return likes


def made_up(config: LikesConfig) -> list[tuple[str, str]]:
    """Make up readers, each with a taste that most of the books have that they liked."""
    rng = np.random.default_rng(config.seed)
    tastes, books = list(BOOKS.values()), [book for taste in BOOKS.values() for book in taste]
    likes = []
    for reader in range(config.readers):
        own = tastes[rng.integers(len(tastes))]
        wanted = (own if rng.random() < _FAITHFUL else books for _ in range(_LIKED))
        liked = {shelf[rng.integers(len(shelf))] for shelf in wanted}
        likes += [(f"reader {reader}", book) for book in sorted(liked)]
    return likes
