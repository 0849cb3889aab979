"""Reviewers: what plugins refuse of what was generated, before it is written."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import PluginError
from genkit.plugins.registry import Registry, installed
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    from genkit.plugins.entries import Entry
    from genkit.plugins.schema import Schema


class Reviewer:
    """Says what may be written. A subclass defines ``review``.

    Args:
        schema: what the data is.
        field: name of the field that the items belong to.
    """

    def __init__(self, schema: Schema, field: str) -> None:
        self.schema = schema
        self.field = schema[field]

    def review(self, items: np.ndarray) -> Sequence[str]:
        """Look at generated items.

        Args:
            items: shape ``(n, ...)``, as the field says.

        Returns:
            ``n`` strings: empty for an item that may be written, or else why it may not.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no review.")


class Review:
    """All reviewers of a field's modality, and a count of what they refused.

    Nothing passes where one of them fails: an error is raised instead.

    Args:
        schema: what the data is.
        field: name of the field that the items belong to.
        registry: where reviewers are looked up; what is installed when left out.

    Raises:
        PluginError: a reviewer can't be made, or a plugin could not say which it has.
    """

    def __init__(self, schema: Schema, field: str, registry: Registry | None = None) -> None:
        registry = registry or installed()
        for fault in registry.broken:
            if "review" in fault.hook:  # a misspelt one too: what it has is not asked
                raise _failed(f"of the plugin {fault.plugin}", fault.plugin, fault.error)
            if not fault.hook:
                warnings.warn(
                    f"The plugin {fault.plugin} ({fault.distribution}) failed at {fault.stage}: if "
                    "it has reviewers, they are not asked.",
                    stacklevel=2,
                )
        self._reviewers: list[tuple[Entry, Any]] = []
        for entry in registry.entries("reviewers"):
            if entry.spec.modality == schema[field].modality:
                try:
                    reviewer = resolve(entry.spec.reviewer)(schema, field)
                except Exception as error:
                    raise _failed(entry.qualified_name, entry.plugin, error) from error
                self._reviewers.append((entry, reviewer))
        self._refused = 0
        self._reasons: Counter[str] = Counter()

    def allowed(self, items: np.ndarray) -> np.ndarray:
        """Return which items may be written.

        Args:
            items: shape ``(n, ...)``.

        Returns:
            bool array of shape ``(n,)``.

        Raises:
            PluginError: a reviewer failed, or gave something else than one string an item.
        """
        allowed = np.ones(len(items), bool)
        for entry, reviewer in self._reviewers:
            try:
                reasons = [str(reason) for reason in _checked(reviewer.review(items), len(items))]
            except Exception as error:
                raise _failed(entry.qualified_name, entry.plugin, error) from error
            self._reasons.update(f"{entry.spec.name}: {reason}" for reason in reasons if reason)
            allowed &= [not reason for reason in reasons]
        self._refused += int(np.sum(~allowed))
        return allowed

    def told(self) -> dict[str, Any]:
        """Return how many items were refused so far, and how often each reason was given."""
        return {"n": self._refused, "reasons": dict(self._reasons)}


def _checked(reasons: Sequence[str], n: int) -> Sequence[str]:
    if len(reasons) != n or not all(isinstance(reason, str) for reason in reasons):
        raise TypeError(f"expected {n} strings, one an item; received {reasons!r:.100}")
    return reasons


def _failed(whose: str, plugin: str, error: object) -> PluginError:
    reason = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
    return PluginError(
        f"The reviewer {whose} failed, so nothing is written: {' '.join(str(reason).split())}",
        f"Mend it, or leave it out with: GENKIT_DISABLE_PLUGINS={plugin}",
    )
