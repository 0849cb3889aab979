"""Small interactions with a structure: three tastes, each with its own items."""

import csv

import numpy as np
from genkit_recsys.data_settings import OwnConfig
from genkit_recsys.datasets import open_own

from genkit.plugins.config import parse

USERS, ITEMS, TASTES = 60, 45, 3


def rows(seed=0, users=USERS, items=ITEMS):
    """Return (user, item, rating, time): of each taste mostly, with a favourite for all."""
    rng = np.random.default_rng(seed)
    found = []
    for user in range(users):
        own = [i for i in range(items) if i % TASTES == user % TASTES]
        liked = {*rng.choice(own, 9, replace=False).tolist(), int(rng.integers(items)), 0}
        for time, item in enumerate(rng.permutation(sorted(liked)).tolist()):
            found.append((f"user {user}", f"item {item}", 1 + (user + item) % 5, 100 * user + time))
    return found


def write(file, table, head=("user_id", "item_id", "rating", "time"), delimiter=","):
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        if head:
            writer.writerow(head)
        writer.writerows(table)
    return file


def settings(file, **more):
    return {"path": str(file), "rating_column": "rating", "time_column": "time", **more}


def opened(file, **more):
    return open_own(parse(OwnConfig, settings(file, **more), "data"))
