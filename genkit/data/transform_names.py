"""Transforms by name, as a recipe writes them: ``genkit list transforms`` shows which there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genkit.data.transforms import Transform
from genkit.errors import UsageError
from genkit.plugins.names import suggestion
from genkit.plugins.registry import installed
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genkit.plugins.registry import Registry


def parse_transforms(names: Iterable[str]) -> list[Transform]:
    """Read transforms by name, as a recipe writes them: ``["resize=32", "flip"]``.

    Raises:
        UsageError: an unknown name, a bad value, or a random transform before another one.
    """
    names, registry = list(names), installed()
    found = [_parse(registry, name) for name in names]
    order = sorted(range(len(found)), key=lambda i: found[i].random)
    if order != list(range(len(found))):
        # The others are applied once, when the data opens; the random ones to every batch.
        raise UsageError(
            f"Expected random transforms last; received {names}.",
            f"Write {[names[i] for i in order]}.",
        )
    return found


def _parse(registry: Registry, name: str) -> Transform:
    kind, equals, value = (part.strip() for part in name.partition("="))
    if not any(entry.answers_to(kind) for entry in registry.entries("transforms")):
        known = registry.names("transforms")
        raise UsageError(
            f"Expected a transform ({', '.join(known)}); received {name!r}.",
            suggestion(kind, known),
        )
    spec = registry.find("transforms", kind).spec
    try:
        made: Transform = resolve(spec.transform).parse(value if equals else None)
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"Expected {spec.usage}; received {name!r}.") from None
    return made
