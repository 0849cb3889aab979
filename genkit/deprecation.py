"""Old public names: they go on working for a while, and say what to write instead."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

RENAMED: Mapping[str, str] = {}
"""Names of ``genkit`` that were replaced, with the names to use; kept for a minor version."""


def renamed(name: str) -> str | None:
    """Give the name that replaces an old one, with a warning; None for one that isn't old."""
    if name not in RENAMED:
        return None
    warnings.warn(
        f"genkit.{name} is deprecated and will be removed; use genkit.{RENAMED[name]}.",
        DeprecationWarning,
        stacklevel=3,
    )
    return RENAMED[name]
