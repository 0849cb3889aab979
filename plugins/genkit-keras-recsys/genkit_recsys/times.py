"""Times as people write them: numbers, or ISO 8601; without a zone they are UTC everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray


def seconds(text: str) -> float:
    """Return the seconds since 1970 of an ISO 8601 date or time; UTC if it names no zone.

    Raises:
        ValueError: it is none, or has digits alone, as a number has.
    """
    text = text.strip().removesuffix(" UTC")
    if text.isdigit():
        raise ValueError(text)
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def is_iso(text: str) -> bool | None:
    """Whether a time is in ISO 8601 and no number; None for what is neither."""
    try:
        return False if math.isfinite(float(text)) else None
    except ValueError:
        pass
    try:
        seconds(text)
    except (ValueError, OverflowError):
        return None
    return True


def read_times(texts: Sequence[str], iso: bool) -> NDArray[np.float64] | None:
    """Return times as numbers, in seconds where they are in ISO 8601; None if one is no time."""
    try:
        if iso:
            return np.fromiter(map(seconds, texts), np.float64, len(texts))
        numbers = np.array(texts, np.float64)
    except (ValueError, OverflowError):
        return None
    return numbers if np.isfinite(numbers).all() else None
