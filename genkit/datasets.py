"""The data set that a plan names, opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from genkit.config import parse
from genkit.specs import resolve

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.plan import Plan
    from genkit.registry import Registry


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
    entry = registry.find("datasets", f"{plan.distributions['dataset']}/{plan.dataset}")
    config = resolve(entry.spec.config)
    split = {"split": "test"} if unseen and "split" in config.model_fields else {}
    settings = {**plan.data, **split, **(changes or {})}
    source: Source = resolve(entry.spec.source)(parse(config, settings, f"data set {plan.dataset}"))
    return source
