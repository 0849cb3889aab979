"""Data sets of interactions: one's own files, and MovieLens."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from genkit.cli.output import note
from genkit.data.tables import Dialect, is_missing
from genkit.errors import DataError
from genkit_recsys import movielens
from genkit_recsys.catalogue import Catalogue, read_catalogue
from genkit_recsys.data_settings import (
    DownloadedConfig,
    InteractionsConfig,
    LatestSmallConfig,
    OwnConfig,
)
from genkit_recsys.events import Events, clean
from genkit_recsys.joins import meeting
from genkit_recsys.left_out import LeftOut
from genkit_recsys.reading import Columns, EventReader
from genkit_recsys.source import InteractionSource, source_of
from genkit_recsys.splitting import Split, check_leaks, split_events
from genkit_recsys.table_files import place_in, table_chunks


def open_own(config: OwnConfig) -> InteractionSource:
    """Open files of one's own.

    Rows that can't be read are counted by reason and reported on stderr with the first ones, and
    so are ids of one file that another doesn't have.

    Raises:
        DataError: see ``EventReader``, ``clean`` and ``split_events``.
    """
    columns = Columns(
        config.user_column, config.item_column, config.rating_column, config.time_column
    )
    dialect = Dialect(config.delimiter, config.encoding)
    reader = EventReader(columns, dialect)
    given = {1: config.validation_path, 2: config.test_path}
    for part, file in {0: config.path, **given}.items():
        if file is not None:
            reader.read(file, part)
    events = reader.events()
    notes = [
        sentence
        for part, file in given.items()
        if file is not None
        for sentence in _strangers(events, part, file, config.protocol)
    ]
    if config.users_path is not None:
        events, found = _of_users(events, config.users_path, config.user_column, dialect)
        notes += found
    catalogue = Catalogue()
    if config.items_path is not None:
        names = config.item_column, config.title_column, config.attribute_column
        catalogue = read_catalogue(config.items_path, *names, dialect)
        notes.append(meeting("items", events.items, catalogue.ids, config.items_path.name))
    return _open(config, events, catalogue, notes, already_split=any(given.values()))


def open_latest_small(config: LatestSmallConfig) -> InteractionSource:
    """Open MovieLens latest-small, 100,004 ratings of 671 users, from inside the package."""
    with as_file(files("genkit_recsys") / "ml_latest_small") as folder:
        reader = EventReader(Columns("userId", "movieId", "rating", "timestamp"))
        reader.read(folder / "ratings.csv.xz")
        catalogue = read_catalogue(folder / "movies.csv.xz", "movieId", "title", "genres")
    return _open(config, reader.events(), catalogue)


def open_100k(config: DownloadedConfig) -> InteractionSource:
    """Open MovieLens 100K: 100,000 ratings of 943 users."""
    return _open(config, *movielens.read_100k(movielens.folder_of("ml-100k", config.path)))


def open_1m(config: DownloadedConfig) -> InteractionSource:
    """Open MovieLens 1M: 1,000,209 ratings of 6,040 users."""
    return _open(config, *movielens.read_1m(movielens.folder_of("ml-1m", config.path)))


def open_20m(config: DownloadedConfig) -> InteractionSource:
    """Open MovieLens 20M: 20,000,263 ratings of 138,493 users."""
    return _open(config, *movielens.read_20m(movielens.folder_of("ml-20m", config.path)))


def _open(
    config: InteractionsConfig,
    events: Events,
    catalogue: Catalogue,
    notes: Sequence[str] = (),
    *,
    already_split: bool = False,
) -> InteractionSource:
    """Clean, split, and return the part that is asked for; print what people should know."""
    events = clean(events, config.min_rating, config.user_core, config.item_core)
    reading = events.reading
    for sentence in filter(None, (*reading.notes, *catalogue.notes, *notes)):
        note(sentence)
    protocol = "given" if already_split else config.protocol
    split = split_events(
        events, protocol, validation=config.validation, test=config.test, seed=config.split_seed
    )
    if already_split:
        split = dataclasses.replace(split, protocol={**split.protocol, "declared": config.protocol})
        _check_declared(split, config.protocol)
    summary = {
        "filter": {
            "min_rating": config.min_rating,
            "user_core": config.user_core,
            "item_core": config.item_core,
            "repeated": "the latest stays",
        },
        "users": len(events.users),
        "items": len(events.items),
        "interactions": len(events),
    }
    source = source_of(split, config.split, catalogue.titles, catalogue.attributes, summary)
    source.skipped, source.left_out = reading.malformed, reading.reasons
    return source


def _check_declared(split: Split, protocol: str) -> None:
    """Hold files that are split already to the protocol that they are said to follow.

    Raises:
        DataError: see ``check_leaks``; or times are needed and not there.
    """
    if protocol == "temporal" and not split.events.timed:
        raise DataError(
            "Expected times for the protocol temporal; the data has none.",
            "Name their column: --data time_column=...",
        )
    check_leaks(split, protocol)


def _of_users(
    events: Events, file: Path, column: str, dialect: Dialect
) -> tuple[Events, list[str]]:
    """Keep the events of users that a file names; and return what people should know of it.

    Raises:
        DataError: it names none of them.
    """
    named, left_out = set(), LeftOut()
    for chunk in table_chunks(file, [column], dialect):
        left_out.take(chunk, f"{file.name} {place_in(file)}")
        named |= {row[0] for row in chunk.rows if not is_missing(row[0])}
    known = np.array([name in named for name in events.users])
    if not known.any():
        apart = meeting("users", events.users, named, file.name)
        raise DataError(f"Expected users of the interactions in {file}; {apart}")
    keep = known[events.user]
    kept = events.where(keep, outside_core=int((~keep).sum()))
    return kept, list(left_out.sentences())


def _strangers(events: Events, part: int, file: Path, protocol: str) -> Iterator[str]:
    """Yield sentences if training hardly has the users or items of a validation or test file."""
    here, training = events.part == part, events.part == 0
    if protocol != "users":  # there others are meant
        theirs = {events.users[number] for number in np.unique(events.user[training])}
        ours = [events.users[number] for number in np.unique(events.user[here])]
        yield meeting(f"users of {file.name}", ours, theirs, "the training file")
    theirs = {events.items[number] for number in np.unique(events.item[training])}
    ours = [events.items[number] for number in np.unique(events.item[here])]
    yield meeting(f"items of {file.name}", ours, theirs, "the training file")


def fake_own(folder: Path) -> dict[str, object]:
    """Write a few interactions into a folder; give the settings that open them."""
    rng = np.random.default_rng(0)
    file = folder / "clicks.csv"
    lines = ["user_id,item_id,time"]
    for user in range(24):
        taste = user % 3
        items = {int(i) for i in rng.integers(0, 8, 9) * 3 + taste} | {taste}
        lines += [f"u{user},item {item},{n}" for n, item in enumerate(sorted(items))]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {"path": str(file), "time_column": "time"}
