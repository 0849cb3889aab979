"""Settings of the data sets; this module is free of Keras and NumPy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

import genkit

Protocol = Literal["ratio", "leave-last-out", "temporal", "users"]


class InteractionsConfig(genkit.Config):
    """Settings that all data of interactions has."""

    split: Literal["train", "validation", "test", "all"] = Field(
        "train", description="Which part: train, validation, test, or all of it"
    )
    protocol: Protocol = Field(
        "ratio",
        description="How it is split: ratio (of each user's events), leave-last-out, temporal (one "
        "time for all) or users (strong generalisation)",
    )
    validation: float = Field(0.1, ge=0, lt=0.5, description="Share for validation")
    test: float = Field(0.1, gt=0, lt=0.5, description="Share for test")
    split_seed: int = Field(0, ge=0, lt=2**31, description="Seed of the split and of ties in time")
    min_rating: float | None = Field(
        None, description="Lower ratings are no interactions; without it every rating is one"
    )
    user_core: int = Field(1, ge=1, description="Fewest interactions of a user")
    item_core: int = Field(1, ge=1, description="Fewest interactions of an item")


class OwnConfig(InteractionsConfig):
    """Settings of ``interactions``: files of one's own."""

    path: genkit.AbsolutePath = Field(
        description="File of interactions: .csv, .tsv, .parquet or RecBole's .inter; text may be "
        "packed as .gz, .bz2, .xz or .zip"
    )
    validation_path: genkit.AbsolutePath | None = Field(
        None, description="File of validation interactions, for data that is split already"
    )
    test_path: genkit.AbsolutePath | None = Field(
        None, description="File of test interactions, for data that is split already"
    )
    items_path: genkit.AbsolutePath | None = Field(
        None, description="File of items with titles and attributes: .csv, .tsv, .parquet or .item"
    )
    users_path: genkit.AbsolutePath | None = Field(
        None, description="File of users, RecBole's .user or another: only its users are taken"
    )
    user_column: str = Field("user_id", description="Column of the user, by name or number")
    item_column: str = Field("item_id", description="Column of the item")
    rating_column: str = Field("", description="Column of the rating, if there is one")
    time_column: str = Field(
        "",
        description="Column of the time, if there is one: a number, or ISO 8601 as in "
        "2020-01-31T10:15:00Z, of UTC where it names no zone",
    )
    title_column: str = Field("", description="Column of the title in the file of items")
    attribute_column: str = Field(
        "", description="Column of attributes in the file of items, several parted by |"
    )
    delimiter: str = Field(
        "",
        description="What parts the cells: a character, tab, space or ::; by default commas, or "
        "what the suffix or the first line says",
    )
    encoding: str = Field(
        "", description="Encoding of text, such as latin-1; by default UTF-8, or UTF-16"
    )


class LatestSmallConfig(InteractionsConfig):
    """Settings of ``ml-latest-small``."""


class DownloadedConfig(InteractionsConfig):
    """Settings of MovieLens data that is downloaded."""

    path: genkit.AbsolutePath | None = Field(
        None, description="Folder of the unpacked files; downloaded and checked without it"
    )
