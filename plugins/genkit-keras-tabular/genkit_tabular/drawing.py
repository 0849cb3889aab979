"""Real rows beside generated ones, drawn: HTML and SVG that need no script and no other file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit_tabular.contrast import FEWEST, Both, Marginal, associations, marginal, patterns
from genkit_tabular.learned import Learned

# The report's own colours, lighter on its dark ground: told apart by the colour-blind, too.
_REAL, _MADE = "var(--curve-0, #0072B2)", "var(--curve-1, #D55E00)"
_MOST_COLUMNS = 24
_MOST_PAIRS = 6
_FULL = 0.4  # a difference of associations that is drawn in full colour
_WIDTH, _LABEL, _BAR = 300, 112, 9
_GRID = (
    "display:grid;gap:1.4rem;grid-template-columns:repeat(auto-fill,minmax(min(18rem,100%),1fr))"
)
_LETTERS = 17
_CUT_OFF = 3  # times the second highest slot
_RIGHT = 'text-anchor="end"'


def contrasted(
    learned: Sequence[Learned], made: Mapping[str, Any], real: Mapping[str, Any]
) -> dict[str, str]:
    """Return pieces of HTML by their title: columns, pairs, and what is missing.

    Args:
        learned: the columns.
        made: generated rows by field, as the model presents them.
        real: real rows by field.
    """
    columns = [Both.of(each, real, made) for each in learned]
    found = [marginal(each) for each in columns]
    order = sorted(
        range(len(found)), key=lambda place: found[place].by_chance - found[place].difference
    )[:_MOST_COLUMNS]
    pieces = {"Columns, the worst first": _columns([found[place] for place in order], len(found))}
    if len(columns) > 1:
        pieces["Pairs of columns"] = _pairs([columns[place] for place in sorted(order)])
    if found_gaps := patterns(columns):
        rows = [(name, _percent(a), _percent(b)) for name, a, b in found_gaps]
        head = ("missing", "real", "generated")
        pieces["What is missing together"] = _table(head, rows)
    return pieces


def _columns(found: Sequence[Marginal], of: int) -> str:
    some = f" The {len(found)} worst of {of} are shown." if len(found) < of else ""
    told = (
        "Shares of the rows, the generated ones in figures. The difference is half the sum of what "
        "the shares differ by: 0 the same, 1 nothing in common; beside it stands what it is by "
        "chance, about. A histogram goes from the first to the last percentile of the real rows, "
        f"and values of fewer than {FEWEST} real rows are put together with others.{some}"
    )
    figures = "".join(map(_figure, found))
    keys = f"{_key(_REAL, 'real')} {_key(_MADE, 'generated')}"
    return f'<p>{told}</p><p>{keys}</p><div style="{_GRID}">{figures}</div>'


def _figure(each: Marginal) -> str:
    told = f"difference {each.difference:.3f}, by chance {each.by_chance:.3f}"
    drawn = _histogram(each) if each.slots else _bars(each)
    caption = f"<figcaption><b>{escape(each.name)}</b>: {told}</figcaption>"
    return f"<figure>{drawn}{caption}</figure>"


def _key(colour: str, name: str) -> str:
    square = f'<rect width="10" height="10" fill="{colour}"/>'
    return f'<svg width="10" height="10" aria-hidden="true">{square}</svg> {name} &ensp;'


def _bars(each: Marginal) -> str:
    rows = [*zip(each.labels, each.real, each.made, strict=True)]
    rows += [("missing", *each.missing)] if any(each.missing) else []
    most = max(max(real, made) for _, real, made in rows) or 1.0
    room = _WIDTH - _LABEL - 44
    drawn = []
    for place, (label, real, made) in enumerate(rows):
        top = place * (2 * _BAR + 6)
        line = f'y="{top + _BAR + 4}"'
        style = ' font-style="italic"' if label == "missing" else ""
        drawn.append(
            f'<text x="{_LABEL - 6}" {line} text-anchor="end"{style}>{_cut(label)}</text>'
            f"{_bar(_LABEL, top, real / most * room, _BAR, _REAL)}"
            f"{_bar(_LABEL, top + _BAR, made / most * room, _BAR, _MADE)}"
            f'<text x="{_LABEL + max(real, made) / most * room + 4:.1f}" {line} '
            f'font-size="10">{_percent(made)}</text>'
        )
    return _svg(_WIDTH, len(rows) * (2 * _BAR + 6), drawn, _aria(each, rows))


def _histogram(each: Marginal) -> str:
    height, slots = 96, [*zip(each.real, each.made, strict=True)]
    gap = 34 if any(each.missing) else 0
    highest = sorted(max(pair) for pair in slots)
    # One slot that is far above all others would leave nothing to see of them: it is cut off.
    most = min(highest[-1], _CUT_OFF * highest[-2]) or highest[-1] or 1.0
    wide = (_WIDTH - gap) / len(slots)
    drawn = []
    for place, pair in enumerate(slots):
        drawn.append(_standing(place * wide, wide, height, *(min(x / most, 1.0) for x in pair)))
        if max(pair) > most:
            left = place * wide
            end, left = ("end", left - 3) if place > len(slots) / 2 else ("start", left + wide + 3)
            words = f"cut off: {_percent(pair[1])}"
            drawn.append(
                f'<text x="{left:.1f}" y="10" font-size="10" text-anchor="{end}">{words}</text>'
            )
    end = _WIDTH - gap - (6 if gap else 0)
    drawn.append(f'<text y="{height + 14}">{_cut(each.labels[0])}</text>')
    drawn.append(f'<text x="{end}" y="{height + 14}" {_RIGHT}>{_cut(each.labels[-1])}</text>')
    if gap:
        drawn.append(
            _standing(_WIDTH - 18, 18, height, *(min(x / most, 1.0) for x in each.missing))
            + f'<text x="{_WIDTH}" y="{height + 27}" {_RIGHT} font-style="italic">missing '
            f"{_percent(each.missing[1])}</text>"
        )
    return _svg(_WIDTH, height + (32 if gap else 18), drawn, _aria(each, []))


def _standing(left: float, wide: float, height: float, real: float, made: float) -> str:
    half = 0.44 * wide
    first = _bar(left, height * (1 - real), half, height * real, _REAL)
    return first + _bar(left + half, height * (1 - made), half, height * made, _MADE)


def _bar(left: float, top: float, wide: float, high: float, colour: str) -> str:
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{max(wide, 0.5):.1f}" height="{high:.1f}" '
        f'fill="{colour}"/>'
    )


def _aria(each: Marginal, rows: Sequence[tuple[str, float, float]]) -> str:
    told = "; ".join(f"{name} {_percent(a)} real, {_percent(b)} generated" for name, a, b in rows)
    return f"{each.name}: {told or f'histogram, difference {each.difference:.3f}'}"


def _pairs(columns: Sequence[Both]) -> str:
    real, made = associations(columns)
    apart = made - real
    names = [each.each.name for each in columns]
    lower = np.argwhere(np.tri(len(names), k=-1, dtype=bool))
    worst = sorted(lower.tolist(), key=lambda pair: -abs(apart[pair[0], pair[1]]))[:_MOST_PAIRS]
    rows = [
        (f"{names[second]} and {names[first]}", f"{real[first, second]:.2f}",
         f"{made[first, second]:.2f}")
        for first, second in worst
    ]  # fmt: skip
    told = (
        "How much two columns hang together, by Cramér's V of up to 8 classes a column: 0 not at "
        "all, 1 one follows from the other. A cell of the map is generated less real, drawn in "
        f"full from {_FULL} on. {_key(_REAL, 'weaker in generated rows')} {_key(_MADE, 'stronger')}"
    )
    table = _table(("the worst pairs", "real", "generated"), rows)
    drawn = f'<div style="max-width:40rem;margin:0 0 1rem">{_map(names, apart)}</div>'
    return f"<p>{told}</p>{drawn}{table}"


def _map(names: Sequence[str], apart: NDArray[np.float64]) -> str:
    """Draw the lower triangle; a column's name stands at its corner, where the row ends."""
    cell = 20
    drawn = []
    for row, name in enumerate(names):
        for column in range(row):
            value = apart[row, column]
            colour, strength = _REAL if value < 0 else _MADE, min(1.0, abs(value) / _FULL)
            said = escape(f"{names[column]} and {name}: {value:+.2f}")
            drawn.append(
                f'<rect x="{column * cell}" y="{row * cell}" width="{cell - 1}" '
                f'height="{cell - 1}" fill="{colour}" fill-opacity="{strength:.2f}" '
                f'stroke="currentColor" stroke-opacity=".15"><title>{said}</title></rect>'
            )
        drawn.append(f'<text x="{row * cell + 4}" y="{row * cell + 14}">{_cut(name)}</text>')
    size = len(names) * cell
    return _svg(size + 100, size, drawn, "The differences of associations, by pair of columns")


def _svg(wide: float, high: float, drawn: Sequence[str], said: str) -> str:
    style = f"display:block;width:100%;max-width:{wide * 1.6:g}px;height:auto"
    return (
        f'<svg viewBox="0 0 {wide:g} {high:g}" role="img" aria-label="{escape(said)}" '
        f'font-size="11" fill="currentColor" style="{style}">{"".join(drawn)}</svg>'
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _cut(text: str) -> str:
    return escape(text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…")
