"""The comparison as one picture: loss curves over each other, and each figure with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genkit.report import plots
from genkit.workflows.comparison.sentences import Evidence
from genkit.workflows.comparison.statistics import MEMORY, QUALITY, SPEED, START, Mean

_WIDTH = 10.0
_CURVES_HEIGHT, _FIGURES_HEIGHT = 2.7, 1.7
_MOST_FIGURES = 6  # of quality; the table has them all
_MOST_LOSSES = 4
_TITLES = {
    SPEED: "steps per second (more is better)",
    START: "seconds to the first step (less is better)",
    MEMORY: "peak memory, MiB (less is better)",
}
_BETTER = {"min": "less", "max": "more"}
_TICKS = 5
_WIDEST = 2.5  # times the largest mean: the wide intervals of two seeds would hide the means
# Curves that lie on each other are all seen: the first solid, those above it broken.
_STROKES: tuple[Any, ...] = ("-", (0, (5, 4)), (0, (1.5, 3)))


def draw_comparison(
    evidence: Sequence[Evidence], colours: Mapping[str, str], path: Path, note: str
) -> list[Path]:
    """Draw all models below each other.

    Args:
        evidence: of each model.
        colours: of each backend.
        path: of the files, whose endings are ``.png`` and ``.svg``.
        note: how means and intervals were made.

    Returns:
        the files.
    """
    from matplotlib.figure import Figure

    shown = [each for each in evidence if any(cell.curves for cell in each.cells)]
    heights = [_height(each) for each in shown]
    if not shown:
        return []
    made = Figure(figsize=(_WIDTH, sum(heights) + 0.3), layout="constrained")
    parts = made.subfigures(len(shown), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, each in zip(parts, shown, strict=True):
        _draw_model(part, each, colours)
    made.supxlabel(note, fontsize=8, color="#555555")
    return plots.save_plot(made, path)


def colours(backends: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return each backend the colour that it has in every comparison."""
    order = [*known, *(backend for backend in backends if backend not in known)]
    return {name: plots.COLOURS[order.index(name) % len(plots.COLOURS)] for name in backends}


def _height(evidence: Evidence) -> float:
    rows = -(-len(_figures(evidence)) // 3)
    return _CURVES_HEIGHT + rows * _FIGURES_HEIGHT


def _draw_model(part: Any, evidence: Evidence, colours: Mapping[str, str]) -> None:
    quantities = _figures(evidence)
    rows = -(-len(quantities) // 3)
    ratios = [_CURVES_HEIGHT, rows * _FIGURES_HEIGHT] if rows else [1]
    blocks = part.subfigures(len(ratios), 1, height_ratios=ratios, squeeze=False)[:, 0]
    _draw_curves(blocks[0], evidence, colours)
    part.suptitle(_title(evidence), fontsize=11, fontweight="bold")
    if rows:
        axes = list(blocks[1].subplots(rows, 3, squeeze=False).flat)
        for each, quantity in zip(axes, quantities, strict=False):
            _draw_figure(each, evidence, quantity, colours)
        for each in axes[len(quantities) :]:
            each.set_visible(False)


def _title(evidence: Evidence) -> str:
    steps = max(cell.steps for cell in evidence.cells)
    seeds = len({cell.cell.seed for cell in evidence.cells if cell.state == "done"})
    return f"{evidence.model}: {steps} steps, {seeds} seed{'s' if seeds > 1 else ''} each"


def _draw_curves(block: Any, evidence: Evidence, colours: Mapping[str, str]) -> None:
    """Draw each seed thinly and the mean over the seeds boldly."""
    names = list(dict.fromkeys(name for cell in evidence.cells for name in cell.curves))
    panels = block.subplots(1, len(names[:_MOST_LOSSES]), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=False):
        plots.dress(axes)
        for place, backend in enumerate(evidence.backends):
            curves = [
                cell.curves[name]
                for cell in evidence.cells
                if cell.cell.backend == backend and name in cell.curves
            ]
            for steps, values in curves if len(curves) > 1 else ():
                axes.plot(steps, values, color=colours[backend], linewidth=0.6, alpha=0.35)
            if curves:
                length = min(len(values) for _, values in curves)
                mean = sum(values[:length] for _, values in curves) / len(curves)
                steps = curves[0][0][:length]
                look = {"color": colours[backend], "linestyle": _STROKES[place % len(_STROKES)]}
                axes.plot(steps, mean, linewidth=1.8, label=backend, **look)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=8)
    panels[0].legend(frameon=False, fontsize=8)


def _draw_figure(axes: Any, evidence: Evidence, quantity: str, colours: Mapping[str, str]) -> None:
    """Draw a quantity's mean on each backend, with its interval."""
    plots.dress(axes)
    axes.grid(visible=False, axis="y")
    names = list(evidence.backends)
    for place, backend in enumerate(names):
        found = _mean(evidence, backend, quantity)
        if found is None:
            continue
        if math.isfinite(found.low) and math.isfinite(found.high):
            ends = [found.low, found.high]
            axes.plot(ends, [place, place], color=colours[backend], linewidth=2, alpha=0.6)
        axes.plot(found.mean, place, "o", color=colours[backend], markersize=6)
        axes.annotate(
            f"{found.mean:.3g}" if abs(found.mean) < 1000 else f"{found.mean:,.0f}",  # noqa: PLR2004
            (found.mean, place),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(_TITLES.get(quantity) or _quality_title(evidence, quantity), fontsize=9)
    axes.locator_params(axis="x", nbins=_TICKS)
    axes.margins(x=0.15)
    if quantity in _TITLES:
        largest = max(m.mean for m in evidence.means if m.quantity == quantity)
        axes.set_xlim(0, min(axes.get_xlim()[1] * 1.1, _WIDEST * largest))


def _quality_title(evidence: Evidence, quantity: str) -> str:
    name = quantity.removeprefix(QUALITY)
    for cell in evidence.cells:
        for figure in cell.quality:
            if figure.name == name:
                return f"{name} ({_BETTER[figure.direction]} is better)"
    return name


def _figures(evidence: Evidence) -> list[str]:
    known = list(dict.fromkeys(each.quantity for each in evidence.means))
    quality = [name for name in known if name.startswith(QUALITY)]
    return [name for name in _TITLES if name in known] + quality[:_MOST_FIGURES]


def _mean(evidence: Evidence, backend: str, quantity: str) -> Mean | None:
    for each in evidence.means:
        if (each.backend, each.quantity) == (backend, quantity):
            return each
    return None
