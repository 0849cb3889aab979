"""Which plugin opens an object of another library; nothing is imported to tell."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from genkit.errors import AmbiguousNameError, DataError
from genkit.plugins.entry_points import DISTRIBUTION
from genkit.plugins.registry import installed

if TYPE_CHECKING:
    from genkit.plugins.entries import Entry

_FOLDER = 'Name the data set that reads files: dataset="image-folder", data={"path": ...}'


def opener_of(data: object, accepts: Collection[str] = ()) -> Entry | None:
    """Return the opener that knows an object best; None if none does.

    Args:
        data: the object.
        accepts: modalities that the model takes which it is for: openers of one of them come first.

    Raises:
        AmbiguousNameError: several plugins know it as well, and none of them is GenKit's own.
    """
    near = [
        (distance, entry)
        for entry in installed().entries("openers")
        if entry.spec.modality in ("", *accepts)
        and (distance := entry.spec.distance(data)) is not None
    ]
    near = [(d, entry) for d, entry in near if entry.spec.modality] or near
    nearest = min((distance for distance, _ in near), default=0)
    found = [entry for distance, entry in near if distance == nearest]
    found = [e for e in found if e.distribution == DISTRIBUTION] or found
    if len(found) > 1:
        raise AmbiguousNameError(
            f"{len(found)} plugins open a {type(data).__name__}: "
            f"{' and '.join(entry.qualified_name for entry in found)}.",
            "Leave one out: GENKIT_DISABLE_PLUGINS",
        )
    return found[0] if found else None


def unknown_object(data: object) -> DataError:
    """Return the error for an object that nobody opens: what can be opened, and how."""
    known = ", ".join(map(_shown, installed().entries("openers")))
    received = f"{type(data).__module__}.{type(data).__qualname__}".removeprefix("builtins.")
    if isinstance(data, (str, bytes, os.PathLike)):
        hint = _FOLDER
    elif isinstance(data, Iterator):
        hint = "It can be read only once: pass the function that makes it."
    else:
        hint = "See what opens which: genkit list openers; a plugin can open more"
    return DataError(
        "Expected an array, a dict of arrays, a list of str or of items, a function that makes an "
        f"iterator, a genkit.data.Source, or an object of {known}; received {received}.",
        hint,
    )


def _shown(entry: Entry) -> str:
    """Return an opener's name, with the line that installs what it lacks."""
    missing = f" (pip install '{entry.requirement}')" if entry.missing_packages() else ""
    return f"{entry.spec.name}{missing}"
