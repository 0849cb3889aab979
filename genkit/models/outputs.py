"""What ``decode`` has made, by output field: each item cut to its length, missing values masked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from genkit.data.varying import lengths_of
from genkit.errors import PluginError

if TYPE_CHECKING:
    from genkit.plugins.schema import Schema

Items: TypeAlias = dict[str, np.ndarray]
_UNNAMED = "item"  # of a model that knows no data yet


def presented(model: Any, decoded: Any, n: int) -> Items:
    """Return items as a model presents them.

    Args:
        model: a ``genkit.Model``.
        decoded: what its ``decode`` has made: an array, or a dict of them.
        n: how many of the items are wanted, the first.

    Raises:
        PluginError: other fields than its output fields, or other numbers of items.
        DataError: lengths that don't fit.
    """
    owner, schema = type(model).__name__, model.schema
    names = model.output_fields or (model.usual_output(schema) if schema else ())
    made = _by_field(decoded, names, owner)
    items = _cut({name: array[:n] for name, array in made.items()}, schema)
    sizes = {name: len(array) for name, array in items.items()}
    shown = model.present(items)
    if not isinstance(shown, dict) or {k: len(v) for k, v in shown.items()} != sizes:
        raise PluginError(
            f"Expected present of {owner} to return {', '.join(sizes)}, "
            f"{next(iter(sizes.values()))} items each; it returns others.",
            "Return a dict with an array, first axis the items, for each field it is given.",
        )
    return shown


def _by_field(made: Any, names: Sequence[str], owner: str) -> Items:
    """Return what ``decode`` has made by output field, with the lengths and what is missing.

    Args:
        made: an array, of a model with one output field; or a dict of them.
        names: of the output fields; none for a model that knows no data yet.
        owner: name of the model's class.

    Returns:
        arrays of the same rows each, in the order of the names; floats as float32.

    Raises:
        PluginError: other fields than those.
    """
    if not isinstance(made, Mapping):
        made = {names[0] if names else _UNNAMED: made}
    names = names or list(made)
    if missing := [name for name in names if name not in made]:
        raise PluginError(
            f"Expected decode of {owner} to return {', '.join(names)}, its output fields; received "
            f"{', '.join(made)}.",
            f"Return a dict of tensors by field, {', '.join(missing)} too; or let generates in the "
            "model's record name other modalities.",
        )
    beside = [f"{name}_{what}" for name in names for what in ("length", "missing")]
    known = [*names, *(name for name in beside if name in made and name not in names)]
    if strange := [name for name in made if name not in known]:
        raise PluginError(
            f"Expected decode of {owner} to return {', '.join(names)}, its output fields; received "
            f"{', '.join(strange)} too.",
            "Let generates in the model's record name the modalities of all that it generates.",
        )
    return {name: _single(made[name]) for name in known}


def _single(array: np.ndarray) -> np.ndarray:
    # bfloat16 is no number to NumPy. Integers stay as they are: floats tell 2^24 + 1 from no other.
    return array if array.dtype.kind in "biu" else array.astype(np.float32, copy=False)


def _cut(made: Items, schema: Schema | None) -> Items:
    """Return items as people hold them: cut to their lengths, with missing values masked.

    Args:
        made: what ``_by_field`` gives.
        schema: what the fields are.

    Returns:
        arrays by field: of one that varies in length, if its lengths are there, an object array
        of arrays; where it is told what is missing, a ``numpy.ma.MaskedArray``.

    Raises:
        DataError: lengths that don't fit.
    """
    if schema is None:
        return made
    items = {name: array for name, array in made.items() if name in schema}
    for name, rows in items.items():
        if schema[name].varies and f"{name}_length" in made:
            lengths = lengths_of(made, name)
            items[name] = as_objects([row[:n] for row, n in zip(rows, lengths, strict=True)])
        elif f"{name}_missing" in made:
            items[name] = np.ma.MaskedArray(rows, made[f"{name}_missing"])
    return items


def as_objects(items: Sequence[Any]) -> np.ndarray:
    """Return items of many lengths as an object array of shape ``(n,)``."""
    held = np.empty(len(items), object)
    for index, item in enumerate(items):
        held[index] = item
    return held


def alone(items: Items) -> Any:
    """Return the array of a model with one output field; of several, all of them."""
    return items if len(items) > 1 else next(iter(items.values()))


def concatenated(batches: Sequence[Items], places: np.ndarray | None = None) -> Items:
    """Return batches of items as one.

    Args:
        batches: arrays by field.
        places: where each item belongs, if not in the order in which they come.
    """
    if len(batches) == 1:
        return batches[0]
    whole = {name: _concatenated([batch[name] for batch in batches]) for name in batches[0]}
    if places is None:
        return whole
    order = np.argsort(places)
    return {name: array[order] for name, array in whole.items()}


def _concatenated(arrays: Sequence[np.ndarray]) -> np.ndarray:
    if len({array.shape[1:] for array in arrays}) > 1:  # padded to many lengths, and not cut
        return as_objects([item for array in arrays for item in array])
    if not any(isinstance(array, np.ma.MaskedArray) for array in arrays):
        return np.concatenate(arrays)
    whole: np.ndarray = np.ma.concatenate(arrays)  # type: ignore[no-untyped-call]
    return whole


def same_items(first: Items, second: Items) -> bool:
    """Whether items are the same to the bit, with what is missing."""
    return first.keys() == second.keys() and all(
        _same(array, second[name]) for name, array in first.items()
    )


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    if first.dtype == object:
        return len(first) == len(second) and all(map(np.array_equal, first, second))
    masks = np.array_equal(np.ma.getmaskarray(first), np.ma.getmaskarray(second))
    return masks and np.array_equal(without_mask(first), without_mask(second))


def is_finite(items: Any) -> bool:
    """Return whether no number among the items of a field is NaN or infinite.

    Args:
        items: an array, or an object array or list of arrays; text, and what is missing, count not.
    """
    rows = items if isinstance(items, list) or items.dtype == object else [items]
    numbers = (
        np.ma.compressed(row) if np.ma.isMaskedArray(row) else np.asarray(row) for row in rows
    )
    return all(bool(np.isfinite(row).all()) for row in numbers if row.dtype.kind == "f")


def without_mask(array: np.ndarray) -> np.ndarray:
    """Return an array with its dtype's zero in the place of what is missing."""
    if not isinstance(array, np.ma.MaskedArray):
        return array
    return np.where(np.ma.getmaskarray(array), np.zeros((), array.dtype), array.data)
