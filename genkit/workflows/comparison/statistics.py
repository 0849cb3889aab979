"""Means over the seeds with intervals, and paired tests between backends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

from genkit.errors import UsageError
from genkit.evaluation.figure import check_comparable
from genkit.evaluation.intervals import T_INTERVAL, mean_interval, paired_difference
from genkit.files import finite
from genkit.workflows.comparison.measuring import Measured

SPEED, START, MEMORY = "steps_per_second", "seconds_to_first_step", "peak_memory_mib"
RATIOS = (SPEED, START, MEMORY)
LOSS, QUALITY = "loss/", "quality/"
ALPHA = 0.05
METHOD = {
    "mean": f"{T_INTERVAL} over the seeds; of logarithms, so geometric, for speed, time and "
    "memory; with one seed the interval of a quality is its own",
    "difference": "paired t test over the seeds, two-sided, with the 95 % t interval; of "
    "logarithms, so as a ratio, for speed, time and memory",
    "p_holm": "Holm 1979, over all pairs of backends and all quantities of one kind of a model",
}


@dataclass(frozen=True)
class Mean:
    """A quantity of a model on a backend, over the seeds; one seed alone has no t interval."""

    model: str
    backend: str
    quantity: str
    mean: float
    low: float
    high: float
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; what is unbounded is null."""
        return finite(asdict(self))


@dataclass(frozen=True)
class Difference:
    """How a quantity differs between two backends.

    Args:
        model: of both.
        quantity: which one.
        first: a backend.
        second: another one.
        value: the ratio first / second for speed, time and memory; else first minus second.
        low: lower end of its 95 % t interval; unbounded where ``p`` is None.
        high: upper end.
        p: of the paired t test; None for one seed, and for differences that are all alike.
        p_holm: corrected for the number of tests.
        n: seeds that both have.
    """

    model: str
    quantity: str
    first: str
    second: str
    value: float
    low: float
    high: float
    p: float | None
    p_holm: float | None
    n: int

    @property
    def is_clear(self) -> bool:
        """Whether chance alone would hardly make it."""
        return self.p_holm is not None and self.p_holm < ALPHA

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; what is unbounded is null."""
        return finite(asdict(self))


def quantities(measured: Measured) -> dict[str, float]:
    """Return the numbers of a cell by quantity, without those that are not known."""
    known: dict[str, float | None] = {name: getattr(measured, name) for name in RATIOS}
    known |= {LOSS + name: value for name, value in measured.losses.items()}
    known |= {QUALITY + figure.name: figure.value for figure in measured.quality}
    return {k: v for k, v in known.items() if v is not None and math.isfinite(v)}


def means(cells: Sequence[Measured]) -> list[Mean]:
    """Average each quantity over the seeds, for each model and backend.

    A quality that was not measured alike in all cells of a model is left out; see ``not_alike``.
    """
    refused = _refused(cells)
    own = {
        (each.cell.model, each.cell.backend, QUALITY + figure.name): (figure.low, figure.high)
        for each in cells
        for figure in each.quality
    }
    means = []
    for key, by_seed in _gathered(cells).items():
        if (key[0], key[2]) in refused:
            continue
        is_ratio = key[2] in RATIOS
        values = [math.log(v) if is_ratio else v for v in by_seed.values()]
        mean, low, high = mean_interval(values)
        if is_ratio:
            mean, low, high = math.exp(mean), math.exp(low), _exp(high)
        if len(by_seed) == 1 and key in own:
            low, high = own[key]
        means.append(Mean(*key, mean, low, high, n=len(by_seed)))
    return means


def differences(cells: Sequence[Measured]) -> list[Difference]:
    """Compare the backends of each model pair by pair, on the seeds that both have."""
    gathered = _gathered(cells)
    refused = _refused(cells)
    differences = []
    for one, other in combinations(gathered, 2):
        (model, first, quantity), (model2, second, quantity2) = one, other
        if (model, quantity) != (model2, quantity2) or (model, quantity) in refused:
            continue
        seeds = sorted(gathered[one].keys() & gathered[other].keys())
        if seeds:
            pairs = [(gathered[one][seed], gathered[other][seed]) for seed in seeds]
            differences.append(_difference(model, quantity, first, second, pairs))
    return _corrected(differences)


def not_alike(cells: Iterable[Measured]) -> dict[tuple[str, str], str]:
    """Return the figures that were not measured alike in all cells of a model, and in what."""
    first: dict[tuple[str, str], Any] = {}
    failed: dict[tuple[str, str], str] = {}
    for measured in cells:
        for figure in measured.quality:
            key = (measured.cell.model, figure.name)
            try:
                check_comparable(first.setdefault(key, figure), figure)
            except UsageError as error:
                failed[key] = error.message
    return failed


def _refused(cells: Iterable[Measured]) -> set[tuple[str, str]]:
    """Return models and quantities that ``not_alike`` names."""
    return {(model, QUALITY + name) for model, name in not_alike(cells)}


def holm(values: Sequence[float]) -> list[float]:
    """Correct p-values of several tests so that together they err with the level of one.

    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure".
    """
    order = sorted(range(len(values)), key=lambda index: values[index])
    corrected = [0.0] * len(values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, values[index] * (len(values) - rank)))
        corrected[index] = largest
    return corrected


def _gathered(cells: Iterable[Measured]) -> dict[tuple[str, str, str], dict[int, float]]:
    """Return values by seed for each model, backend and quantity."""
    values_by_seed: dict[tuple[str, str, str], dict[int, float]] = {}
    for measured in cells:
        for quantity, value in quantities(measured).items():
            key = (measured.cell.model, measured.cell.backend, quantity)
            values_by_seed.setdefault(key, {})[measured.cell.seed] = value
    return values_by_seed


def _difference(
    model: str, quantity: str, first: str, second: str, pairs: Sequence[tuple[float, float]]
) -> Difference:
    is_ratio = quantity in RATIOS
    ours, theirs = (
        [math.log(v) if is_ratio else v for v in side] for side in zip(*pairs, strict=True)
    )
    if len(pairs) == 1:
        value, low, high, p = ours[0] - theirs[0], -math.inf, math.inf, None
    else:
        paired = paired_difference(ours, theirs)
        value, low, high = paired.difference, paired.low, paired.high
        p = None if math.isnan(paired.p) else paired.p
    if is_ratio:
        value, low, high = math.exp(value), math.exp(low), _exp(high)
    return Difference(model, quantity, first, second, value, low, high, p, p, n=len(pairs))


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _corrected(differences: Sequence[Difference]) -> list[Difference]:
    """Correct the p-values within each model and kind of quantity."""
    families: dict[tuple[str, str], list[int]] = {}
    for index, each in enumerate(differences):
        if each.p is not None:
            kind = each.quantity.partition("/")[0]
            families.setdefault((each.model, kind), []).append(index)
    corrected = list(differences)
    for indices in families.values():
        values = holm([differences[index].p or 0.0 for index in indices])
        for index, value in zip(indices, values, strict=True):
            corrected[index] = replace(differences[index], p_holm=value)
    return corrected
