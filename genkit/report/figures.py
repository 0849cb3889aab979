"""The section of measured figures, each with the card that says how it was measured."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from genkit.errors import GenkitError, UsageError
from genkit.evaluation.figure import Figure, check_comparable, split_cards
from genkit.report.inputs import ReportInputs
from genkit.report.sections import Section, joined, number, parts

_BETTER = {"min": "lower", "max": "higher"}
_HEAD = ("Metric", "Value", "95 % interval", "Better")


def metrics(inputs: ReportInputs) -> Section:
    """List the figures of ``evaluation.json``, or say how to measure."""
    try:
        figures = figures_of(inputs)
    except GenkitError as error:
        return Section("Metrics", parts().notice(f"The figures can't be read: {error}"))
    if not figures:
        return Section("Metrics", _none_yet([inputs]))
    return Section("Metrics", table(figures))


def table(figures: list[Figure]) -> Markup:
    """Show figures, at least one, with their intervals and how they were measured."""
    rows = [
        [figure.name, number(figure.value), _interval(figure), _better(figure)]
        for figure in figures
    ]
    return joined([parts().table(_HEAD, rows, stacks=True), _how(figures)])


def compared(all_inputs: Mapping[str, ReportInputs]) -> Section:
    """Set the figures of several runs side by side, where they were measured alike."""
    by_name: dict[str, dict[str, Figure]] = {}
    pieces: list[Markup] = []
    for label, inputs in all_inputs.items():
        try:
            for figure in figures_of(inputs):
                by_name.setdefault(figure.name, {})[label] = figure
        except GenkitError as error:
            pieces.append(parts().notice(f"The figures of {label} can't be read: {error}"))
    rows, refusals = [], []
    for name, figures in by_name.items():
        try:
            first, *others = figures.values()
            for other in others:
                check_comparable(first, other)
        except UsageError as error:
            refusals.append(parts().notice(str(error)))
            continue
        cells = [_with_interval(figures[each]) if each in figures else "-" for each in all_inputs]
        rows.append([name, _better(first), *cells])
    if rows:
        pieces.append(parts().table(["Metric", "Better", *all_inputs], rows, stacks=True))
    pieces += refusals
    without = [
        m for label, m in all_inputs.items() if not any(label in f for f in by_name.values())
    ]
    if without:
        pieces.append(_none_yet(without))
    return Section("Metrics", joined(pieces))


def figures_of(inputs: ReportInputs) -> list[Figure]:
    """Read what ``genkit evaluate`` measured; nothing if it hasn't.

    Raises:
        RunError: the file is damaged.
    """
    return [Figure.from_dict(row) for row in inputs.run.figures().rows]


def _none_yet(all_inputs: list[ReportInputs]) -> Markup:
    commands = "\n".join(f"genkit evaluate {shlex.quote(str(m.run.path))}" for m in all_inputs)
    notice: Markup = parts().notice("Not measured yet. Measure with:", commands)
    return notice


def _better(figure: Figure) -> str:
    return _BETTER.get(figure.direction, figure.direction)


def _interval(figure: Figure) -> str:
    return f"{number(figure.low)} to {number(figure.high)}"


def _with_interval(figure: Figure) -> str:
    return f"{number(figure.value)} ({_interval(figure)})"


def _how(figures: list[Figure]) -> Markup:
    """Show the cards: what all have in common once, and then each one's own."""
    shared, others = split_cards(figures)
    pieces = [_card(shared)]
    for names, own in others:
        pieces += [parts().heading(", ".join(names)), _card(own)]
    how: Markup = parts().details("How these figures were measured", joined(pieces))
    return how


def _card(card: Mapping[str, Any]) -> Markup:
    facts: Markup = parts().facts(
        [
            (k, v if isinstance(v, str) else json.dumps(v, ensure_ascii=False))
            for k, v in card.items()
        ]
    )
    return facts
