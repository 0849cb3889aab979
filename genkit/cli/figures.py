"""Figures as people read them: a headline, and all of it with ``--verbose``."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.cli.output import say
from genkit.runs.kept_figures import FIGURES_FILE

if TYPE_CHECKING:
    from genkit.builtin.zoo import ZooModel
    from genkit.evaluation.figure import Figure

# What one looks at first: title and meaning of each figure, by name. Others wait for --verbose.
# Plugins' metrics name theirs in their records.
_HEADLINE = {
    "fid": ("FID", "distance from real data"),
    "frechet": ("Frechet distance", "from real data"),
    "precision": ("precision", "samples that look real"),
    "recall": ("recall", "real data that it covers"),
    "label-agreement": ("label seen", "samples of their label"),
    "near-copies": ("near copies", "of training items"),
}
_MOST = 5  # figures of a headline where none of them is one of those
_ARROWS = {"min": "↓", "max": "↑"}
_WORDS = {"min": "lower", "max": "higher"}


def show_figures(title: str, figures: Sequence[Figure], zoo: ZooModel | None, **how: Any) -> None:
    """Print figures, as wide as the terminal is; see ``figure_lines``."""
    from rich.console import Console

    try:
        "↓↑".encode(sys.stdout.encoding or "ascii")
        arrows = True
    except UnicodeEncodeError:
        arrows = False
    width = Console(file=sys.stdout).width
    for line in figure_lines(title, figures, zoo, width=width, arrows=arrows, **how):
        say(line)


def figure_lines(
    title: str,
    figures: Sequence[Figure],
    zoo: ZooModel | None,
    *,
    folder: Path,
    asked: bool,
    verbose: bool,
    width: int,
    arrows: bool = True,
) -> Iterator[str]:
    """Yield the lines that show figures.

    Args:
        title: what was measured.
        figures: what came out.
        zoo: the same model of the zoo, if it has one.
        folder: where the figures are kept.
        asked: whether the metrics were asked for by name, so that all of their figures are shown.
        verbose: show all figures, and how each was measured.
        width: columns of the terminal.
        arrows: whether it can show arrows; else words say which way is better.
    """
    from genkit.builtin.zoo import beside

    shown = list(figures) if asked or verbose else headline(figures)
    known = beside(zoo, shown)
    lines, has_column = _table(shown, known, zoo, width, arrows=arrows)
    yield from (title, "", *lines, "")
    notes = [_directions(shown, arrows=arrows), _measured(shown)]
    if zoo is not None and known:
        notes.append(_zoo(zoo, {} if has_column else known, shown))
    if hidden := len(figures) - len(shown):
        notes.append(f"{hidden} more {'figure' if hidden == 1 else 'figures'}: --verbose.")
    notes.append(f"How each was measured: {folder / FIGURES_FILE}")
    for text in notes:
        yield from _wrapped(text, width)
    if verbose:
        yield from _card_lines(shown, width)


def headline(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that one looks at first; where none of them is one of those, the first."""
    order = list(_first())
    known = [figure for figure in figures if _plain(figure.name) in order]
    return sorted(known, key=lambda f: order.index(_plain(f.name))) or list(figures[:_MOST])


def _first() -> dict[str, tuple[str, str]]:
    """Return title and meaning of what one looks at first, that of plugins' metrics behind."""
    from genkit.plugins.registry import installed

    theirs = installed().headline()
    return {**_HEADLINE, **{name: (name, meaning) for name, meaning in theirs.items()}}


def _plain(name: str) -> str:
    """Return a figure's name without the extractor that some say: ``frechet (bands)``."""
    return name.partition(" (")[0]


def _words(name: str) -> tuple[str, str]:
    """Return title and meaning of a figure."""
    plain, opening, extractor = name.partition(" (")
    title, meaning = _first().get(plain, (plain, ""))
    return f"{title}{opening}{extractor}", meaning


def _table(
    figures: Sequence[Figure],
    known: Mapping[str, float],
    zoo: ZooModel | None,
    width: int,
    *,
    arrows: bool,
) -> tuple[list[str], bool]:
    """Lay the figures out; the meaning, then the zoo's column give way where room is short."""
    columns = [
        ["", *(_words(f.name)[0] for f in figures)],
        _right(["value", *(_number(f.value) for f in figures)]),
        ["", *(_ARROWS.get(f.direction, "") if arrows else "" for f in figures)],
        ["95 % interval", *(f"{_number(f.low)} to {_number(f.high)}" for f in figures)],
    ]
    zoos = [f"zoo's {zoo.model if zoo else ''}"]
    zoos += [_number(known[f.name]) if f.name in known else "-" for f in figures]
    meanings = ["", *(_words(f.name)[1] for f in figures)]
    zoo_column = [_right(zoos)] if known else []
    for further in ([*zoo_column, meanings], zoo_column, []):
        lines = _rows([*columns, *further], "  ")
        if max(map(len, lines)) <= width:
            return lines, bool(zoo_column) and bool(further)
    return _rows(columns, " "), False


def _rows(columns: Sequence[Sequence[str]], gap: str) -> list[str]:
    widths = [max(map(len, column)) for column in columns]
    return [
        gap.join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]


def _right(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    return [cell.rjust(width) for cell in column]


def _directions(figures: Sequence[Figure], *, arrows: bool) -> str:
    """Return what the arrows mean; in words for each figure where there are no arrows."""
    if arrows:
        used = [d for d in _ARROWS if any(figure.direction == d for figure in figures)]
        return ", ".join(f"{_ARROWS[d]} {_WORDS[d]} is better" for d in used) + "."
    return " ".join(f"{f.name}: {_WORDS.get(f.direction, '?')} is better." for f in figures)


def _measured(figures: Sequence[Figure]) -> str:
    """Return on what the figures were measured, of what they depend on."""
    card = {key: value for figure in figures for key, value in figure.card.items()}
    parts = []
    if "n_generated" in card:
        parts.append(f"of {card['n_generated']:,} samples")
    if "against" in card:  # else all of them look at samples alone
        parts.append(f"against {card['n_real']:,} items of {card['against']} ({card['split']})")
    parts.append(f"seed {card.get('seed', '?')}")
    if "extractor" in card:
        parts.append(f"features by {card['extractor']}")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def _zoo(zoo: ZooModel, values: Mapping[str, float], figures: Sequence[Figure]) -> str:
    """Return what the zoo's model is, with its values where no column has them."""
    counts = {figure.card.get("n_generated") for figure in figures} - {None}
    samples = zoo.card.get("n_generated")
    parts = [f"{zoo.steps:,} steps"]
    if counts and counts != {samples}:
        parts.append(f"measured of {samples:,} samples")
    listed = ", ".join(f"{_words(k)[0]} {_number(v)}" for k, v in values.items())
    return f"The zoo's {zoo.model}: {', '.join(parts)}{f'; {listed}' if listed else ''}."


def _card_lines(figures: Sequence[Figure], width: int) -> Iterator[str]:
    """Yield how the figures were measured: what they have in common once, then each one's own."""
    from genkit.evaluation.figure import split_cards

    shared, others = split_cards(figures)
    yield from ("", "All of them, where they depend on it:")
    for key, value in shared.items():
        yield from _fact(key, value, width)
    for names, own in others:
        yield ""
        yield from _wrapped(f"{', '.join(names)}:", width)
        for key, value in own.items():
            yield from _fact(key, value, width)


def _fact(key: str, value: Any, width: int) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value)
    return _wrapped(f"{key}: {text}", width, initial_indent="  ", subsequent_indent="    ")


def _wrapped(text: str, width: int, **indents: Any) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False, **indents)


def _number(value: float) -> str:
    """Write a number as short as it can be read: to three digits, at most four decimals."""
    if abs(value) >= 1000:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1 else f"{round(value, 4):g}"
