"""The section of nearest training items: does the model copy?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from genkit.report.inputs import ReportInputs, Tell, evenly
from genkit.report.renderers import render, shown_together
from genkit.report.sections import Section, joined, parts

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.plugins.schema import Field

_QUERIES = 10
_MANY_QUERIES = 100  # of items that are not shown one by one
_NEAREST = 3
MOST_SEARCHED = 100_000
_CHUNK_BYTES = 32 << 20


def nearest_training(inputs: ReportInputs) -> Section | None:
    """Show samples with the training items nearest to them, and held-out items for comparison."""
    schema, training = inputs.schema, inputs.training
    if not inputs.can("generate") or training is None or schema is None:
        return None
    name = inputs.field
    field = schema[name]
    if len(inputs.fields) > 1 or not field.shape or None in field.shape or field.dtype == "string":
        return None  # a distance in pixels is one of arrays of a fixed shape
    together = shown_together(schema, name)
    n = _MANY_QUERIES if together else _QUERIES
    samples = inputs.generated[name][:n]
    queries = [samples]
    if inputs.held_out is not None:
        queries.append(evenly(inputs.held_out, name, n)[0].astype(np.float32))
    queried = np.concatenate(queries)
    distances, found = nearest_items(queried, training, name, _NEAREST, inputs.tell)
    cut = len(samples)
    pieces = [parts().text(_verdict(distances[:cut, 0], distances[cut:, 0]))]
    if not together:
        pieces.append(parts().heading("Samples"))
        pieces.append(_cards(inputs, samples, found[:cut], distances[:cut]))
    if inputs.held_out is not None and not together:
        pieces.append(parts().heading("Held-out items, for comparison"))
        pieces.append(_cards(inputs, queries[1], found[cut:], distances[cut:]))
    searched = min(len(training), MOST_SEARCHED)
    of = "all" if searched == len(training) else f"{searched:,} evenly spread of"
    among = f"among {of} {len(training):,}"
    caption = (
        f"Of {cut} samples, {among} training items."
        if together
        else f"In each strip: the item, then the {_NEAREST} training items nearest to it, {among}."
    )
    caption += (
        " Distance: root mean square difference of the values, which go from 0 to 1; it sees "
        "copies, not likeness, and blurred items are nearer to everything."
    )
    return Section("Nearest training items", joined([*pieces, parts().text(caption)]))


def nearest_items(
    queries: np.ndarray, training: Source, name: str, k: int, tell: Tell = lambda _: None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the training items nearest to some items, in memory that doesn't grow with the data.

    Args:
        queries: shape ``(n, ...)``, in the schema's range.
        training: up to 100,000 items of it are searched, evenly spread.
        name: of the field that is compared.
        k: how many of the nearest.
        tell: is told how far the search is.

    Returns:
        distances, float64 of shape ``(n, k)``, nearest first; and the items, ``(n, k, ...)``.
        With fewer than ``k`` items of training data, that many.
    """
    field = training.schema[name]
    wanted = _unit(queries, field)
    best = np.full((len(queries), 0), np.inf)
    items = np.empty((len(queries), 0, *queries.shape[1:]), np.float32)
    total = min(len(training), MOST_SEARCHED)
    for start, indices in _chunks(training, wanted.shape[1], total):
        tell(f"Nearest training items: {start:,} of {total:,}")
        chunk = training.gather(indices)[name]
        squared = np.stack([_mean_square(each, _unit(chunk, field)) for each in wanted])
        first = np.argsort(squared, axis=1, kind="stable")[:, :k]
        best = np.concatenate([best, np.take_along_axis(squared, first, 1)], axis=1)
        items = np.concatenate([items, chunk[first].astype(np.float32)], axis=1)
        order = np.argsort(best, axis=1, kind="stable")[:, :k]
        best = np.take_along_axis(best, order, 1)
        items = items[np.arange(len(items))[:, None], order]
    return np.sqrt(best), items


def _chunks(training: Source, values: int, total: int) -> Iterator[tuple[int, np.ndarray]]:
    indices = np.linspace(0, len(training) - 1, total).astype(np.int64)
    rows = max(1, _CHUNK_BYTES // (4 * values))
    for start in range(0, total, rows):
        yield start, indices[start : start + rows]


def _mean_square(query: np.ndarray, chunk: np.ndarray) -> np.ndarray:
    """Return the mean squared difference to each row, without a product form's cancellation."""
    difference = chunk - query
    squared = np.einsum("ij,ij->i", difference, difference, dtype=np.float64)
    return np.asarray(squared / len(query))


def _unit(items: np.ndarray, field: Field) -> np.ndarray:
    """Return items as rows of float32, their range moved to 0 to 1."""
    flat = items.reshape(len(items), -1).astype(np.float32)
    low, _ = field.range or (0.0, 1.0)
    return (flat - np.float32(low)) / np.float32(field.span)


def _cards(
    inputs: ReportInputs, items: np.ndarray, found: np.ndarray, distances: np.ndarray
) -> Markup:
    assert inputs.schema is not None, "there are no neighbours without"
    figures = []
    for index, item in enumerate(items):
        strip = np.concatenate([item[None].astype(np.float32), found[index]])
        alt = "An item, then those nearest to it"
        drawn = render(inputs.schema, inputs.field, strip, alt, len(strip), assets=inputs.assets)
        figures.append(parts().figure(drawn, f"nearest at {distances[index, 0]:.3f}"))
    gallery: Markup = parts().gallery(figures, "small")
    return gallery


def _verdict(samples: np.ndarray, held_out: np.ndarray) -> str:
    caption = f"Samples lie {np.median(samples):.3f} from the nearest training item (median)"
    if not len(held_out):
        return f"{caption}; the data has no held-out items to compare that with."
    return (
        f"{caption}; held-out items, which can't be copies, lie {np.median(held_out):.3f} from "
        "theirs. Samples that are much nearer than those would be copies."
    )
