"""What differs between backends, in short sentences that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genkit.workflows.comparison import parity
from genkit.workflows.comparison.measuring import FEWEST_STEPS, Measured
from genkit.workflows.comparison.statistics import (
    LOSS,
    QUALITY,
    SPEED,
    Difference,
    Mean,
    quantities,
)

_MOST_NAMES = 4
_NOTICEABLE = 1.1  # with one run each no test is possible: what is less may be the machine's mood


@dataclass(frozen=True)
class Evidence:
    """What is known of one model.

    Args:
        model: its name.
        backends: those asked for.
        cells: of this model.
        means: of this model.
        differences: of this model.
        parities: of this model; see ``measuring.parities``.
        wants_quality: whether quality was asked for.
    """

    model: str
    backends: Sequence[str]
    cells: Sequence[Measured]
    means: Sequence[Mean]
    differences: Sequence[Difference]
    parities: Sequence[Mapping[str, Any]]
    wants_quality: bool

    @property
    def seeds(self) -> int:
        """Largest number of seeds that a test is made of."""
        return max((each.n for each in self.differences), default=1)

    def mean(self, quantity: str) -> dict[str, float]:
        """Return a quantity's mean by backend."""
        return {each.backend: each.mean for each in self.means if each.quantity == quantity}

    def between(self, quantity: str, first: str, second: str) -> Difference | None:
        """Return the difference of two backends, whichever way round it was taken."""
        for each in self.differences:
            if each.quantity == quantity and {each.first, each.second} == {first, second}:
                return each
        return None


def sentences(evidence: Evidence) -> list[str]:
    """Return what to do, and why: short sentences on what differs between one model's backends."""
    finished = [
        backend
        for backend in evidence.backends
        if any(cell.state == "done" and cell.cell.backend == backend for cell in evidence.cells)
    ]
    if len(finished) < 2:  # noqa: PLR2004 - a pair
        what = f"only {finished[0]} has finished" if finished else "no backend has finished"
        return [f"Can't tell yet: {what}.", "The same command goes on with the rest."]
    speed, fastest = _speed(evidence)
    same, agrees = _parity(evidence)
    quality, differs = _quality(evidence)
    advice = _advice(evidence, fastest, agrees=agrees, differs=differs)
    return [advice, *speed, same, *quality]


def failures(cells: Sequence[Measured]) -> list[str]:
    """Return what went wrong, a sentence a cell."""
    lines = []
    for each in cells:
        where = f"{each.cell.model} on {each.cell.backend}, seed {each.cell.seed}"
        error = each.error.rstrip(".")
        if each.state == "failed":
            lines.append(f"{where} failed: {error}. The same command tries it again.")
        elif each.error:
            lines.append(f"{where}: {error}.")
    return lines


def _speed(evidence: Evidence) -> tuple[list[str], list[str]]:
    """Return sentences on the fastest backend, and all that may be."""
    rates = evidence.mean(SPEED)
    if (beside := max(cell.at_once for cell in evidence.cells)) > 1:
        return [f"Up to {beside} were trained at a time, so speeds are not compared."], []
    if len(rates) < 2:  # noqa: PLR2004
        few = f"Fewer than {FEWEST_STEPS} steps can't tell which is fastest."
        return [few, "Give it more: --steps 200 --name NAME."], []
    fastest, *others = sorted(rates, key=lambda backend: -rates[backend])
    slower: list[str] = []
    alike: list[str] = []
    for other in others:
        found = evidence.between(SPEED, fastest, other)
        (slower if _is_faster(found, rates[fastest] / rates[other]) else alike).append(other)
    lines = [
        f"{fastest} is {_ratio(evidence, fastest, other, rates):.2g} times as fast as {other} here."
        for other in slower
    ]
    if alike:
        lines.append(f"{_listed([fastest, *alike])} can't be told apart in speed.")
    n = evidence.seeds
    figures = ", ".join(f"{b} {rates[b]:.3g}" for b in [fastest, *others])
    lines.append(f"Steps a second: {figures} ({f'{n} seeds' if n > 1 else 'one run each'}).")
    return lines, [fastest, *alike]


def _is_faster(found: Difference | None, ratio: float) -> bool:
    """Judge by the test where there is one."""
    if found is None or found.n == 1:
        return ratio >= _NOTICEABLE
    return found.is_clear


def _ratio(evidence: Evidence, fast: str, slow: str, rates: Mapping[str, float]) -> float:
    """Return how many times as fast one is: of the same seeds, where both have some."""
    found = evidence.between(SPEED, fast, slow)
    if found is None:
        return rates[fast] / rates[slow]
    return found.value if found.first == fast else 1 / found.value


def _parity(evidence: Evidence) -> tuple[str, bool]:
    """Return a sentence on how far losses from one start part, and whether rounding explains it."""
    compared = [each for each in evidence.parities if "error" not in each]
    if not compared:
        return "Whether they compute the same could not be measured.", True
    worst = max(compared, key=lambda each: float(each["relative"]))
    left = sorted({layer for each in compared for layer in each["random_layers"]})
    apart, steps = f"{worst['difference']:.1g}", worst["steps"]
    if worst["relative"] <= parity.LIMIT:
        return f"Losses from one start agree to {apart} over {steps} steps.", True
    if all(each["early"] <= parity.EARLY_LIMIT for each in compared):
        early = f"Losses from one start agree for {parity.EARLY_STEPS} steps"
        return f"{early}; over {steps} they part by {apart}, as rounding grows.", True
    sentence = (
        f"Losses of {worst['backend']} part from those of {worst['against']} by "
        f"{worst['difference']:.2g} ({worst['loss']}, step {worst['step']})"
    )
    if left:
        return f"{sentence}, but {', '.join(left)} stayed random.", True
    return f"{sentence}: more than rounding explains.", False


def _quality(evidence: Evidence) -> tuple[list[str], list[str]]:
    """Return sentences on where quality differs, and the backends better in something."""
    found = [each for each in evidence.differences if each.quantity.startswith(QUALITY)]
    kind, lines = "Quality", []
    if not found:
        found = [each for each in evidence.differences if each.quantity.startswith(LOSS)]
        kind = "The final losses"
        if evidence.wants_quality:
            lines.append("Quality could not be measured.")
    if not found:
        return [*lines, "Nothing else could be compared."], []
    names = _some(sorted({each.quantity.partition("/")[2] for each in found}))
    if max(each.n for each in found) == 1:
        apart = _apart(evidence) if kind == "Quality" else []
        if apart:
            lines.append(f"{_some(apart)} lie outside each other's intervals.")
        return [*lines, f"One training each can't tell backend from chance ({names})."], []
    clear = [each for each in found if each.is_clear]
    if not clear:
        return [*lines, f"{kind} can't be told apart ({names})."], []
    better = sorted({b for each in clear if (b := _better(evidence, each))})
    return [*lines, *(_told(evidence, each) for each in clear)], better


def _apart(evidence: Evidence) -> list[str]:
    """Name the figures whose own intervals don't overlap between some two backends."""
    compared = {each.quantity for each in evidence.differences}
    intervals: dict[str, list[tuple[float, float]]] = {}
    for cell in evidence.cells:
        for figure in cell.quality:
            if QUALITY + figure.name in compared:
                intervals.setdefault(figure.name, []).append((figure.low, figure.high))
    return [
        name
        for name, each in sorted(intervals.items())
        if max(low for low, _ in each) > min(high for _, high in each)
    ]


def _better(evidence: Evidence, found: Difference) -> str:
    """Name the backend that is better in a figure; none for a loss, whose way may be either."""
    for cell in evidence.cells:
        for figure in cell.quality:
            if QUALITY + figure.name == found.quantity:
                smaller = found.second if found.value > 0 else found.first
                larger = found.first if found.value > 0 else found.second
                return smaller if figure.direction == "min" else larger
    return ""


def _told(evidence: Evidence, found: Difference) -> str:
    name = found.quantity.partition("/")[2]
    better = _better(evidence, found)
    first, second = found.first, found.second
    low, high = found.low, found.high
    if found.value < 0:
        first, second, low, high = second, first, -high, -low
    note = f": {better} is better" if better else ""
    p = found.p_holm or 0.0
    chance = "p < 0.001" if p < 0.001 else f"p {p:.2g}"  # noqa: PLR2004
    return (
        f"{name} is {abs(found.value):.3g} ({low:.3g} to {high:.3g}) higher on {first} than on "
        f"{second}{note} ({chance})."
    )


def _advice(
    evidence: Evidence, fastest: Sequence[str], *, agrees: bool, differs: Sequence[str]
) -> str:
    if not agrees:
        return "Find out why losses part before choosing by speed."
    winner = fastest[0] if len(fastest) == 1 else ""
    others = [backend for backend in differs if backend != winner]
    if winner and others:
        return f"Choose {winner} for speed, {_listed(others)} for quality."
    if winner:
        unfinished = any(cell.state != "done" for cell in evidence.cells)
        caution = ", as far as the finished ones tell" if unfinished else ""
        return f"Choose {winner} on this machine{caution}."
    if differs:
        return f"Choose {_listed(differs)}."
    if not any(SPEED in quantities(cell) for cell in evidence.cells):
        beside = any(cell.at_once > 1 for cell in evidence.cells)
        return (
            "Choose by speed: compare once more without --workers."
            if beside
            else "Choose whichever is installed, until longer runs tell."
        )
    more = f"more seeds may tell (--seeds {evidence.seeds + 3})"
    return f"Choose {' or '.join(fastest or evidence.backends)}: {more}."


def _some(names: Sequence[str]) -> str:
    """List names, of many only the first."""
    if len(names) <= _MOST_NAMES:
        return _listed(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
