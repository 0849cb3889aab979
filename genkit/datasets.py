"""The data set that a plan names, opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genkit.config import parse
from genkit.specs import resolve

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.plan import Plan
    from genkit.registry import Entry, Registry


def open_data(
    plan: Plan,
    registry: Registry,
    changes: Mapping[str, Any] | None = None,
    *,
    unseen: bool = False,
) -> Source:
    """Open a plan's data set.

    Args:
        plan: names it, with its settings.
        registry: knows it.
        changes: settings to use instead of the plan's.
        unseen: prefer items that training didn't see: the test split, where there is one.

    Raises:
        GenkitError: no such data set, a bad setting, or data that can't be read.
    """
    name = f"{plan.distributions['dataset']}/{plan.dataset}"
    entry = registry.find("datasets", name)
    split = {"split": "test"} if unseen and has_splits(entry) else {}
    return open_entry(entry, {**plan.data, **split, **(changes or {})})


def open_entry(entry: Entry, settings: Mapping[str, Any]) -> Source:
    """Open a data set of the registry.

    Raises:
        GenkitError: a bad setting, or data that can't be read.
    """
    config = parse(resolve(entry.spec.config), settings, f"data set {entry.spec.name}")
    source: Source = resolve(entry.spec.source)(config)
    return source


def has_splits(entry: Entry) -> bool:
    """Say whether a data set is split into training and test items."""
    return "split" in resolve(entry.spec.config).model_fields
