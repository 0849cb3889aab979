"""Reviewers: what plugins refuse of what was generated, before it is written."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import PluginError
from genkit.plugins.item_specs import made_for
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
        assets: those of the data, by name: vocabularies, for example.
    """

    def __init__(
        self,
        schema: Schema,
        field: str,
        assets: Mapping[str, np.ndarray] = MappingProxyType({}),
    ) -> None:
        self.schema = schema
        self.name = field
        self.field = schema[field]
        self.assets = assets

    def review(self, items: np.ndarray) -> Sequence[str]:
        """Look at generated items.

        Args:
            items: shape ``(n, ...)``, as the field says; of varying length a list of arrays, and
                text as ``str``, as the model presents it.

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
        assets: those of the data.

    Raises:
        PluginError: a reviewer can't be made, or a plugin could not say which it has.
    """

    def __init__(
        self,
        schema: Schema,
        field: str,
        registry: Registry | None = None,
        assets: Mapping[str, np.ndarray] = MappingProxyType({}),
    ) -> None:
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
        self.reviewers: list[tuple[Entry, Any]] = []
        for entry in registry.entries("reviewers"):
            if entry.spec.modality == schema[field].modality:
                try:
                    reviewer = made_for(resolve(entry.spec.reviewer), schema, field, assets)
                except Exception as error:
                    raise _failed(entry.qualified_name, entry.plugin, error) from error
                self.reviewers.append((entry, reviewer))
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
        for entry, reviewer in self.reviewers:
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


class Reviews:
    """The reviews of all output fields: an item passes if each of its fields does.

    Args:
        schema: what the data is.
        fields: names of the output fields.
        registry: where reviewers are looked up; what is installed when left out.
        assets: those of the data.

    Raises:
        PluginError: as for ``Review``.
    """

    def __init__(
        self,
        schema: Schema,
        fields: Sequence[str],
        registry: Registry | None = None,
        assets: Mapping[str, np.ndarray] = MappingProxyType({}),
    ) -> None:
        self._reviews = {name: Review(schema, name, registry, assets) for name in fields}
        self._refused = 0

    @property
    def has_reviewers(self) -> bool:
        """Whether any reviewer looks at these items."""
        return any(review.reviewers for review in self._reviews.values())

    def allowed(self, items: Mapping[str, Any]) -> np.ndarray:
        """Return which items may be written, bool of shape ``(n,)``.

        Args:
            items: by output field, ``n`` each.
        """
        passed = [review.allowed(items[name]) for name, review in self._reviews.items()]
        allowed: np.ndarray = np.logical_and.reduce(passed)
        self._refused += int(np.sum(~allowed))
        return allowed

    def told(self) -> dict[str, Any]:
        """Return how many items were refused so far, and how often each reason was given."""
        reasons: Counter[str] = Counter()
        for review in self._reviews.values():
            reasons.update(review.told()["reasons"])
        return {"n": self._refused, "reasons": dict(reasons)}


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
