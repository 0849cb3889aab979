"""Checks of metrics, on toy items."""

from __future__ import annotations

import json
import math
import tracemalloc
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import UsageError
from genkit.plugins.specs import resolve
from genkit.testing.check import checks
from genkit.testing.fakes import MODALITIES, toy_schema, toy_source
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from genkit.evaluation.figure import Figure
    from genkit.evaluation.metric import Context
    from genkit.plugins.specs import Schema
    from genkit.testing.known import KnownAnswer
    from genkit.testing.subjects import Subject

STREAMS = ("generated", "real", "training")
_ITEMS, _BATCH = 96, 32
_LARGE = (32, 32, 3)
_SHOWN = 2_000
_TOLERANCE = 1e-4
_MERGED = 1e-9

Items = Mapping[str, np.ndarray]


@checks("metrics")
def check_says_whether_it_fits(subject: Subject) -> None:
    """Asked whether it can measure something, it answers with words or none, and raises nothing."""
    from genkit.evaluation.metric import Context

    for schema in (toy_schema(), toy_schema(("vector",))):
        answer = _class(subject).unfit(Context(schema))
        if not isinstance(answer, str):
            raise CheckFailed(f"Expected words from unfit(context); received {answer!r}.")


@checks("metrics")
def check_figures_are_as_declared(subject: Subject) -> None:
    """Figures are finite, within their interval, have a direction, and a card that JSON can say."""
    figures = list(_measure(subject, _context(subject), _toy_items(subject)))
    if not figures:
        raise CheckFailed("Expected at least one figure; received none.")
    for figure in figures:
        numbers = (figure.low, figure.value, figure.high)
        if not all(map(math.isfinite, numbers)) or not figure.low <= figure.value <= figure.high:
            raise CheckFailed(
                f"Expected finite low <= value <= high of {figure.name}; received {numbers}."
            )
        if figure.direction not in ("min", "max"):
            raise CheckFailed(f"Expected min or max; {figure.name} has {figure.direction!r}.")
        try:
            json.dumps(figure.to_dict(), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise CheckFailed(f"Expected a card of JSON values; {figure.name}: {error}.") from error
    if subject.spec.direction not in {figure.direction for figure in figures}:
        raise CheckFailed(
            f"Expected a figure of the record's direction {subject.spec.direction!r}; there is "
            "none."
        )


@checks("metrics")
def check_known_answers(subject: Subject) -> None:
    """Items whose figures the plugin knows are measured right."""
    if not subject.spec.known:
        raise Skipped("its record names no known answers")
    answers = list(resolve(subject.spec.known)())
    if not answers:
        raise CheckFailed(f"Expected known answers from {subject.spec.known}; received none.")
    for answer in answers:
        figures = _values(_measure(subject, _context(subject, answer.schema), answer.items))
        for name, right in answer.figures.items():
            value = figures.get(name, math.nan)
            if not abs(value - right) <= answer.tolerance:
                raise CheckFailed(
                    f"Expected {name} to be {right:g}, within {answer.tolerance:g}; received "
                    f"{value:g}."
                )


@checks("metrics")
def check_same_seed_gives_the_same_figures(subject: Subject) -> None:
    """Measured twice with one seed, figures are the same."""
    first, second = (
        _values(_measure(subject, _context(subject), _toy_items(subject))) for _ in range(2)
    )
    if first != second:
        raise CheckFailed(
            f"Expected the same figures twice; received {first} and {second}.",
            "Draw from context.seed alone.",
        )


@checks("metrics")
def check_order_does_not_matter(subject: Subject) -> None:
    """Items in another order, and in batches of another size, give the same figures."""
    items = _toy_items(subject)
    turned = {name: array[::-1].copy() for name, array in items.items()}
    first = _values(_measure(subject, _context(subject), items))
    for changed, size in ((items, _BATCH - 3), (turned, _BATCH)):
        second = _values(_measure(subject, _context(subject), changed, size))
        for name, value in first.items():
            apart = abs(value - second.get(name, math.nan))
            if not apart <= _TOLERANCE * max(1.0, abs(value)):
                raise CheckFailed(
                    f"Expected {name} to be {value:g} whatever the order and the batches; "
                    f"received {second.get(name)}.",
                    "Weigh batches by their length; keep sums, not means of batches.",
                )


@checks("metrics")
def check_merge_equals_whole(subject: Subject) -> None:
    """Merged from parts, shown out of order in other metrics of its class, it gives the same."""
    items = _toy_items(subject)
    whole, merged = (_class(subject)(_context(subject)) for _ in range(2))
    _show(whole, items, _BATCH)
    try:
        for begin in (2 * _BATCH, 0, _BATCH):
            part = _class(subject)(_context(subject))
            _show(part, items, _BATCH, range(begin, begin + _BATCH))
            merged.merge(part.state())
    except UsageError as error:
        raise Skipped(f"it says: {error.message}") from error
    first, second = _values(whole.compute()), _values(merged.compute())
    for name, value in first.items():
        apart = abs(value - second.get(name, math.nan))
        if not apart <= _MERGED * max(1.0, abs(value)):
            raise CheckFailed(
                f"Expected {name} to be {value:g} of three parts merged; received "
                f"{second.get(name)}.",
                "Let `gathered`, or `state` and `merge`, hold all that update() changes.",
            )


@checks("metrics")
def check_memory_is_bounded(subject: Subject) -> None:
    """Of many items it keeps less than a quarter of their bytes: features or sums, no items."""
    if _modality(subject) not in MODALITIES or _modality(subject) == "text":
        raise Skipped(f"there are no large toy data of the modality {subject.spec.modality!r}")
    schema = toy_schema((_modality(subject),), _LARGE)
    batch = _toy_items(subject, schema)
    metric = _class(subject)(_context(subject, schema))
    seen = 0
    tracemalloc.start()
    try:
        _show(metric, batch, _BATCH)
        before = tracemalloc.get_traced_memory()[0]
        while seen < _SHOWN * len(metric.streams):
            copies = {name: array.copy() for name, array in batch.items()}
            seen += _show(metric, copies, _BATCH)
            del copies
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    size = next(iter(batch.values()))[0].nbytes * seen
    if kept > size / 4:
        raise CheckFailed(
            f"Expected a metric to keep features or sums; of {size / 2**20:.1f} MiB of items it "
            f"keeps {kept / 2**20:.1f} MiB.",
            "Reduce each batch in update(), and keep no view of batch.items.",
        )


def _class(subject: Subject) -> Any:
    return resolve(subject.spec.metric)


def _schema(subject: Subject) -> Schema:
    answer = _strange(subject)
    return toy_schema((_modality(subject),)) if answer is None else answer.schema


def _modality(subject: Subject) -> str:
    """Return that of the items it is tried on: of images, where only their features matter."""
    modality: str = subject.spec.modality
    return "image" if modality == "any" else modality


def _strange(subject: Subject) -> KnownAnswer | None:
    """Return the items of the plugin's first known answer, for a modality that the toys lack."""
    if _modality(subject) in MODALITIES:
        return None
    answers = resolve(subject.spec.known)() if subject.spec.known else ()
    for answer in answers:
        return answer  # type: ignore[no-any-return]
    raise Skipped(
        f"there are no toy data of the modality {subject.spec.modality!r}, and its record names "
        "no known answers"
    )


def _context(subject: Subject, schema: Schema | None = None) -> Context:
    """Make what an evaluation would hand over; skip what the metric says it can't measure."""
    from genkit.evaluation.metric import Context
    from genkit.testing.toy_extractor import ToyExtractor

    schema = schema or _schema(subject)
    source = toy_source(schema, _ITEMS)
    name, field = next(iter(schema.fields.items()))
    context = Context(
        schema=schema,
        extractor=ToyExtractor(schema, name) if field.modality == "image" else None,
        model=_toy_model() if schema == toy_schema(("image",)) else None,
        training=source,
        real=source,
    )
    if reason := _class(subject).unfit(context):
        raise Skipped(f"it says of toy data: {reason}")
    return context


@lru_cache
def _toy_model() -> Any:
    from genkit.testing.toys import ToyModel

    return ToyModel(None, toy_schema(("image",)))


def _toy_items(subject: Subject, schema: Schema | None = None) -> Items:
    if schema is None and (answer := _strange(subject)) is not None:
        return answer.items
    schema = schema or _schema(subject)
    name = next(iter(schema.fields))
    return {
        stream: toy_source(schema, _ITEMS, seed).arrays[name] for seed, stream in enumerate(STREAMS)
    }


def _measure(
    subject: Subject, context: Context, items: Items, size: int = _BATCH
) -> Iterable[Figure]:
    metric = _class(subject)(context)
    _show(metric, items, size)
    figures: Iterable[Figure] = metric.compute()
    return figures


def _show(metric: Any, items: Items, size: int, places: range | None = None) -> int:
    """Show the metric some places of the streams that it wants; give how many items those were."""
    from genkit.evaluation.metric import Batch

    shown = 0
    for stream in metric.streams:
        rows = items[stream][places.start : places.stop] if places else items[stream]
        for start in range(0, len(rows), size):
            begin = (places.start if places else 0) + start
            batch = Batch(rows[start : start + size], metric.context.extractor, begin=begin)
            metric.update(stream, batch)
            shown += len(batch)
    return shown


def _values(figures: Iterable[Figure]) -> dict[str, float]:
    return {figure.name: figure.value for figure in figures}
