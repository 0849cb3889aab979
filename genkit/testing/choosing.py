"""The subject that stands for a plugin or a record in its checks."""

from __future__ import annotations

from functools import lru_cache

from genkit.testing.subjects import Subject


@lru_cache(maxsize=2)
def subject_of(kind: str, name: str) -> Subject:
    """Return the subject of a kind; the checks of one subject share what they train."""
    if kind in ("models", "trainers"):
        from genkit.testing.training import TrainedSubject

        return TrainedSubject(kind, name)
    if kind == "datasets":
        from genkit.testing.data import DatasetSubject

        return DatasetSubject(kind, name)
    return Subject(kind, name)
