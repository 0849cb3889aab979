"""What a model under check generates: taken, compared, and held against the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data import vocabulary_of
from genkit.models.given import values_from
from genkit.models.outputs import Items, concatenated, without_mask
from genkit.testing.outcomes import CheckFailed

if TYPE_CHECKING:
    from genkit.plugins.schema import Field
    from genkit.testing.training import TrainedSubject

TOLERANCE = 1e-4


def generated(subject: TrainedSubject, model: Any, n: int, seed: int = 0, **asked: Any) -> Items:
    """Return ``n`` items by field; what the model needs is given from the data, if it isn't."""
    given = {**values_from(subject.source, model, n), **asked.pop("given", {})}
    return concatenated(list(model.generate_items(n, seed, given=given, **asked)))


def some_of(items: Items, rows: slice) -> Items:
    """Return some of the items."""
    return {name: array[rows] for name, array in items.items()}


def storable(items: Items) -> Items:
    """Return items as arrays that a ``.npz`` file holds: text, and numbers one after the other."""
    made = {}
    for name, array in items.items():
        if array.dtype != object:
            shown = without_mask(array)
            made[name] = shown.astype(np.int64) if shown.dtype.kind in "mM" else shown
        elif any(isinstance(item, np.ndarray) for item in array):
            made[name] = np.concatenate([np.ravel(item) for item in array])
        else:
            made[name] = np.array(["" if item is None else str(item) for item in array])
    return made


def check_fit(subject: TrainedSubject, items: Items, n: int) -> None:
    """Check that items are ``n`` of what the schema says."""
    expected = subject.spec.output_fields(subject.schema)
    if tuple(items) != tuple(expected):
        raise CheckFailed(f"Expected the fields {expected} from generate; received {list(items)}.")
    assets = subject.source.assets
    for name, array in items.items():
        field = subject.schema[name]
        if len(array) != n:
            raise CheckFailed(f"Expected {n} items of {name!r}; received {len(array)}.")
        if array.dtype == object:
            missing = np.ma.getmaskarray(array)
            array = np.ma.getdata(array).copy()  # noqa: PLW2901 - what is missing is None here
            array[missing] = None
        if array.dtype == object and all(item is None or isinstance(item, str) for item in array):
            _check_text(name, field, array, vocabulary_of(subject.schema, name, assets))
        elif array.dtype == object:
            for item in array:
                check_numbers(name, field, np.asarray(item)[None], 1)
        else:
            there = ~np.ma.getmaskarray(array)
            if not field.missing and not there.all():
                raise CheckFailed(f"Expected a value everywhere in {name!r}; some are missing.")
            if field.missing and not field.shape:
                array = np.asarray(array)[there]  # noqa: PLW2901 - of the others there is nothing to check
            check_numbers(name, field, np.asarray(array), len(array))


def _check_text(name: str, field: Field, array: np.ndarray, names: tuple[str, ...]) -> None:
    if not field.missing and any(item is None for item in array):
        raise CheckFailed(f"Expected a value everywhere in {name!r}; some are missing.")
    strange = [item for item in array if item is not None and item not in names]
    if names and not field.shape and strange:
        raise CheckFailed(f"Expected the names of {name!r} in the data; received {strange[0]!r}.")


def check_numbers(name: str, field: Field, items: np.ndarray, n: int) -> None:
    """Check that numbers, or dates, have the shape, dtype and range that a field says."""
    shape = (n, *field.shape)
    fits = items.ndim == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, items.shape, strict=True)
    )
    wanted = {"float32", *([field.dtype] if field.dtype != "string" else [])}
    kinds = {np.dtype(each).kind for each in wanted}
    exact = kinds & {*"iu"} and items.dtype.kind in "iu"
    if not fits or (items.dtype.name not in wanted and not exact):
        raise CheckFailed(
            f"Expected {' or '.join(sorted(wanted))} of shape {shape} of {name!r}; received "
            f"{items.dtype} of shape {items.shape}."
        )
    numbers = items.astype(np.int64) if items.dtype.kind in "mM" else items
    if not np.isfinite(numbers).all():
        raise CheckFailed(f"Expected finite values of {name!r}; received others.")
    bounds = (0, len(field.classes) - 1) if field.classes else field.range
    if bounds is None or not numbers.size:
        return
    slack = TOLERANCE * field.span if items.dtype.kind == "f" else 0
    low, high = numbers.min(), numbers.max()
    if low < bounds[0] - slack or high > bounds[1] + slack:
        raise CheckFailed(
            f"Expected values from {bounds[0]:g} to {bounds[1]:g} of {name!r}; received {low:g} to "
            f"{high:g}.",
            "Move what the last layer gives to the schema's range: genkit.layers.rescale.",
        )
