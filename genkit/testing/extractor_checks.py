"""Checks of extractors: on toy items, or on those of a data set of their modality."""

from __future__ import annotations

import copy
import json
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genkit.data.varying import items_of
from genkit.errors import DataError
from genkit.testing.check import checks
from genkit.testing.data import sources_of
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from genkit.evaluation.extractors import Extractor
    from genkit.testing.subjects import Subject

_ITEMS = 12
_SOURCES = 2  # toys, and the plugin's own data, which it may be made for
_TOLERANCE = 1e-4


@checks("extractors")
def check_features_are_as_declared(subject: Subject) -> None:
    """Features are finite float32, one row an item, as wide as it says; its card is JSON."""
    extractor, items = _tried(subject)
    before = copy.deepcopy(items)
    features = extractor.features(items)
    if not all(map(np.array_equal, items, before)):
        raise CheckFailed("Expected the items that come in to stay as they are; it writes there.")
    right = features.dtype == np.float32 and features.ndim == 2 and len(features) == len(items)  # noqa: PLR2004
    if not right or not np.isfinite(features).all():
        raise CheckFailed(
            f"Expected finite float32 features of shape ({len(items)}, dim); received "
            f"{features.dtype} of shape {features.shape}."
        )
    if extractor.width not in (None, features.shape[1]):
        raise CheckFailed(
            f"Expected features of {extractor.width} numbers, as `width` says; received "
            f"{features.shape[1]}."
        )
    if extractor.classes:
        shares = extractor.probabilities(features)
        shape = (len(items), len(extractor.classes))
        if shares.shape != shape or not np.allclose(shares.sum(axis=1), 1, atol=_TOLERANCE):
            raise CheckFailed(
                f"Expected probabilities of shape {shape} that add up to 1; received shape "
                f"{shares.shape}."
            )
    try:
        json.dumps(extractor.card(), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise CheckFailed(f"Expected a card of JSON values: {error}.") from error


@checks("extractors")
def check_features_follow_from_their_items(subject: Subject) -> None:
    """The features of an item are the same whichever others come with it."""
    extractor, items = _tried(subject)
    together = extractor.features(items)
    backwards = extractor.features(items[::-1])[::-1]
    starts = range(0, len(items), 5)
    parts = np.concatenate([extractor.features(items[start : start + 5]) for start in starts])
    for others in (backwards, parts):
        apart = np.abs(others - together).max()
        if not apart <= _TOLERANCE * max(1.0, np.abs(together).max()):
            raise CheckFailed(
                f"Expected an item's features to be its own; with other items they differ by "
                f"{apart:g}.",
                "Take no statistics of the batch, and draw nothing.",
            )


@checks("extractors")
def check_digest_stands_for_the_numbers(subject: Subject) -> None:
    """Opened twice it has one digest, of 64 hexadecimal digits, and makes the same features."""
    (first, items), (second, _) = _tried(subject), _tried(subject)
    if first.digest != second.digest or len(first.digest) != 64:  # noqa: PLR2004
        raise CheckFailed(
            f"Expected one digest of 64 digits; received {first.digest!r} and {second.digest!r}.",
            "Make it a SHA-256 of the weights and of what is done with them.",
        )
    apart = np.abs(first.features(items) - second.features(items)).max()
    if not apart <= _TOLERANCE:
        raise CheckFailed(
            f"Expected the same features from the same digest; they differ by {apart:g}.",
            "Draw from a generator with a fixed seed.",
        )


@checks("extractors")
def check_view_tells_items_apart(subject: Subject) -> None:
    """Where it has a view, that is bytes, the same for the same item and not for all items."""
    extractor, items = _tried(subject)
    if not extractor.space:
        raise Skipped("it names no space for a view")
    seen = extractor.view(items)
    if seen.dtype != np.uint8 or seen.ndim != 2 or len(seen) != len(items):  # noqa: PLR2004
        raise CheckFailed(
            f"Expected a view of uint8, shape ({len(items)}, width); received {seen.dtype} of "
            f"shape {seen.shape}."
        )
    if not np.array_equal(extractor.view(items[::-1])[::-1], seen):
        raise CheckFailed("Expected an item's view to be its own; with others it differs.")
    if (seen == seen[0]).all():
        raise CheckFailed("Expected items to be told apart; all have the same view.")


class _Tried(NamedTuple):
    extractor: Extractor
    items: Any


def _tried(subject: Subject) -> _Tried:
    """Open the extractor, with items to try it on."""
    from genkit.evaluation.extractors import open_extractor

    modality, refused = subject.spec.modality, ""
    for source in islice(sources_of(modality, subject.distribution, _ITEMS), _SOURCES):
        name = source.schema.name_of(modality)
        try:
            extractor = open_extractor(subject.name, source.schema, name, source.assets)
        except DataError as error:
            refused = refused or error.message
            continue
        batch = source.gather(np.arange(min(_ITEMS, len(source))))
        return _Tried(extractor, items_of(batch, source.schema, name))
    raise Skipped(f"it can't be opened: {refused}")
