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


def refuse_misplaced(registry: Registry, asked: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse a key that is a setting of what the run is made of, and name where it belongs.

    Args:
        registry: where names are looked up.
        asked: what somebody gave, with whatever keys.
        known: the keys of ``Recipe``.

    Raises:
        UsageError: there is such a key; or an unknown name.
    """
    unknown = [key for key in asked if key not in known]
    for kind, entry in _named(registry, asked).items() if unknown else ():
        settings = resolve(entry.spec.config).model_fields
        for key in unknown:
            if key in settings:
                table, called = _TABLES[kind], "data set" if kind == "dataset" else kind
                raise UsageError(
                    f"A run has no setting {key!r}; the {called} {entry.spec.name} has.",
                    f"Write {table}={{{key!r}: {asked[key]!r:.80}}}; in a recipe it stands in the "
                    f"table [{table}].",
                )


def _named(registry: Registry, asked: Mapping[str, Any]) -> dict[str, Entry]:
    """Return the records of what is asked for, or of what the model's preset names."""
    names = {k: v for k, v in asked.items() if isinstance(v, str)}  # a file may say anything
    if "model" not in names:
        return {}
    model = registry.find("models", names["model"])
    preset = model.spec.presets.get(names.get("preset", "default"), {})
    wanted = {"trainer": model.spec.trainer, **preset, **names}
    others = {
        kind: registry.find(f"{kind}s", wanted[kind])
        for kind in ("dataset", "trainer")
        if kind in wanted
    }
    return {"model": model, **others}
