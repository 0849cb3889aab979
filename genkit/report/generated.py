"""What a model generates, by output field, for all that shows and writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def batches_by_field(
    model: Any, n: int, seed: int, label: Any = None, *, begin: int = 0, **options: Any
) -> Iterator[dict[str, Any]]:
    """Generate items in batches, by output field."""
    if hasattr(model, "generate_items"):
        yield from model.generate_items(n, seed, label, begin=begin, **options)
        return
    for batch in model.generate_batches(n, seed, label, begin=begin, **options):
        yield batch if isinstance(batch, dict) else {model.generated_field(): batch}


def whole_items(model: Any, n: int, seed: int, label: Any = None, **options: Any) -> dict[str, Any]:
    """Generate items, by output field."""
    return joined_items(list(batches_by_field(model, n, seed, label, **options)))


def joined_items(batches: list[dict[str, Any]]) -> dict[str, Any]:
    """Return batches of items as one."""
    first = batches[0]
    return {name: joined_arrays([batch[name] for batch in batches]) for name in first}


def joined_arrays(arrays: list[Any]) -> Any:
    """Return arrays as one; what is masked stays so."""
    if len(arrays) == 1:
        return arrays[0]
    if any(isinstance(array, np.ma.MaskedArray) for array in arrays):
        return np.ma.concatenate(arrays)  # type: ignore[no-untyped-call]
    return np.concatenate(arrays)
