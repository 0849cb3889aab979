"""Runs and exports made while histories were dense: the assets that they have.

Each text stood in two arrays, the UTF-8 of all and where each ends. Fingerprints of data are still
made of these arrays, so that a run goes on that was begun then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from genkit.data import pack_text
from genkit.errors import RunError
from genkit_recsys.archive import TEXTS, Archive


def is_old(assets: Mapping[str, np.ndarray]) -> bool:
    """Whether assets are those of an old file."""
    return "users_utf8" in assets


def as_today(assets: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
    """Return assets that an archive is read from: of old ones the text as it is kept today.

    Raises:
        RunError: old ones are damaged.
    """
    if not is_old(assets):
        return assets
    try:
        texts = {asset: pack_text(_unpacked(name, assets)) for name, asset in TEXTS.items()}
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise RunError(f"The assets of the recommender are damaged: {error!r}.") from error
    return {**assets, **texts}


def old_assets(archive: Archive) -> dict[str, np.ndarray]:
    """Return the arrays that an archive was kept as."""
    assets: dict[str, np.ndarray] = {
        "seen_starts": archive.seen.starts,
        "seen_items": archive.seen.items,
        "popularity": archive.popularity,
    }
    for name in TEXTS:
        assets |= _packed(name, getattr(archive, name))
    if archive.trained_until is not None:
        assets["trained_until"] = np.array([archive.trained_until])
    return assets


def _packed(name: str, texts: Sequence[str]) -> dict[str, np.ndarray]:
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([len(each) for each in encoded], dtype=np.int64)
    content = np.frombuffer(b"".join(encoded), np.uint8)
    return {f"{name}_utf8": content, f"{name}_ends": ends}


def _unpacked(name: str, assets: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    content = np.asarray(assets[f"{name}_utf8"], np.uint8).tobytes()
    ends = [0, *np.asarray(assets[f"{name}_ends"], np.int64).tolist()]
    if ends[-1] != len(content) or sorted(ends) != ends:
        raise ValueError(name)
    return tuple(content[a:b].decode() for a, b in pairwise(ends))
