"""Plots as PNG and SVG, and as SVG text for a page: one look for all of them."""

from __future__ import annotations

import io
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from genkit.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito 2008: told apart by the colour-blind too, and on light and dark grounds.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
_MOST_POINTS = 1000
# A colour that nothing else has: in a page it becomes that of the text around, light or dark.
_INK = "#010203"


def figure(width: float = 7, height: float = 3.5, columns: int = 1) -> tuple[Figure, list[Any]]:
    """Make an empty figure with a row of axes.

    Args:
        width: in inches.
        height: in inches.
        columns: number of axes.
    """
    from matplotlib.figure import Figure

    made = Figure(figsize=(width, height), layout="constrained")
    axes = made.subplots(1, columns, squeeze=False)[0]
    for each in axes:
        dress(each)
        each.margins(x=0.02)
    return made, list(axes)


def dress(axes: Any) -> None:
    """Return axes the look of all plots."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, alpha=0.25, linewidth=0.6)
    axes.set_prop_cycle(color=COLOURS)


def curve(
    axes: Any, steps: Sequence[float], values: Sequence[float], label: str, **style: Any
) -> None:
    """Draw a curve, thinned to means of at most a thousand windows so that files stay small.

    Args:
        axes: to draw on.
        steps: along.
        values: as many.
        label: for the legend.
        **style: as ``axes.plot`` takes it.
    """
    window = -(-len(steps) // _MOST_POINTS)
    x, y = (_window_means(np.asarray(each, np.float64), window) for each in (steps, values))
    axes.plot(x, y, label=label, **{"linewidth": 1.2, **style})


def save_plot(made: Figure, path: Path) -> list[Path]:
    """Write ``path`` with the endings ``.png`` and ``.svg``, each whole or not at all."""
    import matplotlib as mpl

    files = []
    for ending in ("png", "svg"):
        buffer = io.BytesIO()
        with mpl.rc_context({"svg.hashsalt": path.name}):  # else its ids are random
            made.savefig(buffer, format=ending, dpi=150, metadata=_dateless(ending))
        files.append(path.with_suffix(f".{ending}"))
        write_bytes(files[-1], buffer.getvalue())
    return files


def inline(made: Figure, label: str) -> Markup:
    """Return a figure as SVG for a page, on the page's ground, in the colour and font of its text.

    Args:
        made: the figure; what is neither text, axis nor grid keeps its own colours.
        label: names the figure; figures of one page have different ones.
    """
    import matplotlib as mpl

    for axes in made.axes:
        _paint(axes, _INK)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": label}):
        made.savefig(buffer, format="svg", transparent=True, metadata=_dateless("svg"))
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    for index, colour in enumerate(COLOURS):  # a page may have lighter ones on its dark ground
        text = text.replace(colour.lower(), f"var(--curve-{index}, {colour})")
    # matplotlib has escaped the text in it.
    return Markup(text.replace(_INK, "currentColor"))  # noqa: S704


def smoothed(values: Sequence[float], window: int) -> np.ndarray:
    """Return running means over ``window`` values; the first ones are over what there is."""
    sums = np.cumsum(np.concatenate([[0.0], np.asarray(values, np.float64)]))
    ends = np.arange(1, len(sums))
    starts = np.maximum(0, ends - window)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def loss_curves(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[array[int], array[float]]]:
    """Return each loss of ``metrics.jsonl`` as steps and values, without what is not a number.

    Eight bytes a number: a million steps of three losses take 48 MB.
    """
    curves: dict[str, tuple[array[int], array[float]]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in ("step", "epoch", "seconds") and isinstance(value, (int, float)):
                steps, values = curves.setdefault(name, (array("q"), array("d")))
                steps.append(row["step"])
                values.append(float(value))
    return curves


def _paint(axes: Any, colour: str) -> None:
    """Return one colour to the axes' text, ticks, lines and grid."""
    axes.tick_params(colors=colour, grid_color=colour)
    for spine in axes.spines.values():
        spine.set_color(colour)
    legend = axes.get_legend()
    texts = [axes.title, axes.xaxis.label, axes.yaxis.label]
    for text in [*texts, *(legend.get_texts() if legend else [])]:
        text.set_color(colour)
    for offset in (axes.xaxis.get_offset_text(), axes.yaxis.get_offset_text()):
        offset.set_color(colour)


def _window_means(values: np.ndarray, window: int) -> np.ndarray:
    starts = np.arange(0, len(values), window)
    counts = np.diff(np.append(starts, len(values)))
    return np.asarray(np.add.reduceat(values, starts) / counts) if len(values) else values


def _dateless(ending: str) -> dict[str, Any]:
    """Leave the date out, so that the same numbers give the same file."""
    return {"Date": None} if ending == "svg" else {"Software": None}
