"""A setting of a model, a data set or a trainer that was given as one of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    from genkit.plugins.entries import Entry
    from genkit.plugins.registry import Registry

_TABLES = {"model": "config", "dataset": "data", "trainer": "trainer_config"}


def refuse_misplaced(registry: Registry, asked: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Refuse a key that is a setting of what the run is made of, and name where it belongs.

    Args:
        registry: where names are looked up.
        asked: keys of ``Recipe``, and others.
        keys: those that may be misplaced.

    Raises:
        UsageError: there is such a key; or an unknown name.
    """
    keys = list(keys)
    for kind, entry in _named(registry, asked).items() if keys else ():
        known = resolve(entry.spec.config).model_fields
        for key in keys:
            if key in known:
                raise UsageError(
                    f"A run has no setting {key!r}; the {kind} {entry.spec.name} has.",
                    f"Write {_TABLES[kind]}={{{key!r}: {asked[key]!r}}}.",
                )


def _named(registry: Registry, asked: Mapping[str, Any]) -> dict[str, Entry]:
    """Return the records of what is asked for, or of what the model's preset names."""
    model = registry.find("models", asked["model"])
    preset = model.spec.presets.get(asked.get("preset") or "default", {})
    names = {
        "dataset": asked.get("dataset") or preset.get("dataset"),
        "trainer": asked.get("trainer") or preset.get("trainer") or model.spec.trainer,
    }
    others = {kind: registry.find(f"{kind}s", name) for kind, name in names.items() if name}
    return {"model": model, **others}
