"""An extractor by its name, or that which is usual for a modality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from genkit.errors import PluginError, UsageError
from genkit.evaluation.extractors.base import Extractor
from genkit.plugins.choosing import built_in_first
from genkit.plugins.registry import Registry, installed
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    import numpy as np

    from genkit.plugins.entries import Entry
    from genkit.plugins.schema import Schema


def open_extractor(
    name: str,
    schema: Schema,
    field: str,
    assets: Mapping[str, np.ndarray] | None = None,
    registry: Registry | None = None,
) -> Extractor:
    """Open an extractor by name.

    Args:
        name: its own, or ``distribution/name``.
        schema: what the data is.
        field: name of the field whose items it is to see.
        assets: those that came with the data.
        registry: where it is looked up; what is installed when left out.

    Raises:
        UsageError: no extractor has that name, or it is for another modality.
        DataError: it doesn't take such items, or its weights can't be had.
        PluginError: its record names something else.
    """
    entry = (registry or installed()).find("extractors", name)
    modality = schema[field].modality
    if entry.spec.modality != modality:
        raise UsageError(
            f"The extractor {entry.spec.name} takes {entry.spec.modality}; the items are "
            f"{modality}.",
            "See which there are with: genkit list extractors",
        )
    entry.check_packages()
    found = resolve(entry.spec.extractor)
    if not (isinstance(found, type) and issubclass(found, Extractor)):
        raise PluginError(f"Expected {entry.spec.extractor} to be a genkit.Extractor class.")
    extractor = found(schema, field, assets)
    extractor.name = entry.spec.name
    return extractor


def usual_extractors(modality: str, registry: Registry) -> list[Entry]:
    """List the extractors of which one is taken where neither person nor data set names one.

    The only one of the modality, or those whose record says that they are usual, the built-in one
    before those of plugins. Two or more are for a person to choose from.
    """
    fitting = [e for e in registry.entries("extractors") if e.spec.modality == modality]
    usual = [entry for entry in fitting if entry.spec.usual] or fitting
    return built_in_first(usual)
