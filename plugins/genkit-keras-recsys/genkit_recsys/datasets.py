"""Data sets of interactions: one's own files, and MovieLens."""

from __future__ import annotations

import dataclasses
import sys
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

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
from genkit_recsys.reading import Columns, EventReader, table_chunks
from genkit_recsys.source import InteractionSource, source_of
from genkit_recsys.splitting import Split, check_leaks, split_events


def open_own(config: OwnConfig) -> InteractionSource:
    """Open files of one's own.

    Rows that can't be read are counted, and reported on stderr with the first ones.

    Raises:
        DataError: see ``EventReader``, ``clean`` and ``split_events``.
    """
    columns = Columns(
        config.user_column, config.item_column, config.rating_column, config.time_column
    )
    reader = EventReader(columns)
    given = {1: config.validation_path, 2: config.test_path}
    for part, file in {0: config.path, **given}.items():
        if file is not None:
            reader.read(file, part)
    events = reader.events()
    if config.users_path is not None:
        events = _of_users(events, config.users_path, config.user_column)
    catalogue = Catalogue()
    if config.items_path is not None:
        catalogue = read_catalogue(
            config.items_path, config.item_column, config.title_column, config.attribute_column
        )
    return _open(config, events, catalogue, already_split=any(given.values()))


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
    config: InteractionsConfig, events: Events, catalogue: Catalogue, already_split: bool = False
) -> InteractionSource:
    """Clean, split, and give the part that is asked for."""
    events = clean(events, config.min_rating, config.user_core, config.item_core)
    reading = events.reading
    if reading.malformed:
        shown = "; ".join(reading.shown)
        print(  # noqa: T201 - where people see it, whatever reads stdout
            f"{reading.malformed} of {reading.rows} rows are malformed and left out: {shown}",
            file=sys.stderr,
        )
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
    source.skipped = reading.malformed
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


def _of_users(events: Events, file: Path, column: str) -> Events:
    """Keep the events of users that a file names."""
    named = {row[0] for chunk, _ in table_chunks(file, [column]) for row in chunk if row}
    known = np.array([name in named for name in events.users])
    keep = known[events.user]
    return events.where(keep, outside_core=int((~keep).sum()))


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
