"""The result as a picture: what is measured by ratio, and what the synthetic items change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genkit.report import plots

_LINES = {"synthetic": 3, "real+synthetic": 0, "all": 1}
_LEVELS = {"real": 0, "real+classical": 1}
_VERDICTS = {"real+synthetic": "verdict", "all": "verdict_beyond_classical"}
_WITHOUT = "without synthetic, corrected interval"
_LABELS = {
    "real": "real only",
    "real+classical": "real, classical",
    "synthetic": "synthetic only",
    "real+synthetic": "real + synthetic",
    "all": "all three",
}


def draw_result(summary: dict[str, Any], path: Path) -> list[Path]:
    """Draw a result as PNG and SVG.

    Args:
        summary: what ``augmentation.json`` holds.
        path: without its ending.
    """
    made, (left, right) = plots.figure(width=10, height=4, columns=2)
    rows = summary["table"]
    ratios = sorted({row["ratio"] for row in rows if row["ratio"] is not None})
    if len(ratios) == 1:
        _draw_arms(left, right, summary, ratios[0])
    else:
        _draw_curves(left, right, summary, ratios)
    return plots.save_plot(made, path)


def _draw_curves(left: Any, right: Any, summary: dict[str, Any], ratios: list[float]) -> None:
    """Draw what depends on the ratio over it, and what doesn't as a level."""
    rows, measure = summary["table"], summary["measure"]
    places = {ratio: place for place, ratio in enumerate(ratios)}
    for name, colour in _LEVELS.items():
        row = next(row for row in rows if row["arm"] == name)
        shown = plots.COLOURS[colour]
        left.axhline(100 * row[measure], color=shown, linestyle="--", label=_LABELS[name])
        left.axhspan(100 * row["low"], 100 * row["high"], color=shown, alpha=0.1, linewidth=0)
    for offset, (name, colour) in zip((-0.08, 0, 0.08), _LINES.items(), strict=True):
        mine = [row for row in rows if row["arm"] == name]
        x = [places[row["ratio"]] + offset for row in mine]
        _errorbar(left, x, [(r[measure], r["low"], r["high"]) for r in mine], colour, name)
    left.set_ylabel(f"{measure} in %, mean of {rows[0]['n']} seeds,\nwith its 95 % interval")
    for offset, (name, verdict) in zip((-0.05, 0.05), _VERDICTS.items(), strict=True):
        found = summary[verdict]["comparisons"]
        x = [places[c["ratio"]] + offset for c in found]
        intervals = [(c["difference"], c["low"], c["high"]) for c in found]
        _errorbar(right, x, intervals, _LINES[name], name)
    right.axhline(0, color="black", linewidth=0.8)
    right.set_ylabel(f"points of {measure} against the same\n{_WITHOUT}")
    for axes in (left, right):
        axes.set_xticks(range(len(ratios)), [f"{ratio:g}" for ratio in ratios])
        axes.set_xlabel("synthetic items for each real one")
        axes.legend(
            fontsize=8, frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.14)
        )
    low, high = left.get_ylim()
    left.set_ylim(max(low, 0), min(high, 100))


def _draw_arms(left: Any, right: Any, summary: dict[str, Any], ratio: float) -> None:
    """Draw a row an arm: over one ratio there is no curve, and a legend is harder to read."""
    rows, measure = {row["arm"]: row for row in summary["table"]}, summary["measure"]
    arms = {**_LEVELS, **_LINES}
    intervals = [(rows[a][measure], rows[a]["low"], rows[a]["high"]) for a in arms]
    _rows(left, dict(zip(arms, intervals, strict=True)))
    n = rows["real"]["n"]
    left.set_xlabel(f"{measure} in %, mean of {n} seeds, with its 95 % interval")
    found = {name: summary[verdict]["comparisons"][0] for name, verdict in _VERDICTS.items()}
    _rows(right, {name: (c["difference"], c["low"], c["high"]) for name, c in found.items()})
    right.axvline(0, color="black", linewidth=0.8)
    right.set_xlabel(f"points of {measure} against the same\n{_WITHOUT}")
    left.set_title(f"{ratio:g} synthetic for each real item", fontsize=10, loc="left")


def _rows(axes: Any, intervals: dict[str, tuple[float, float, float]]) -> None:
    """Draw a mean and its interval for each arm, below one another, with the mean's number."""
    colours = {**_LEVELS, **_LINES}
    for place, (name, interval) in enumerate(intervals.items()):
        value, low, high = (100 * each for each in interval)
        shown, mark = plots.COLOURS[colours[name]], "s" if name in _LEVELS else "o"
        axes.plot([low, high], [place, place], color=shown, linewidth=2)
        axes.plot(value, place, mark, color=shown, markersize=7)
        axes.annotate(
            f"{value:.1f}",
            (value, place),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    axes.set_yticks(range(len(intervals)), [_LABELS[name] for name in intervals])
    axes.set_ylim(len(intervals) - 0.5, -0.6)
    axes.margins(x=0.08)
    axes.grid(visible=False, axis="y")


def _errorbar(axes: Any, x: list[float], found: list[Any], colour: int, name: str) -> None:
    values = [100 * value for value, _, _ in found]
    spread = [
        [100 * (value - low) for value, low, _ in found],
        [100 * (high - value) for value, _, high in found],
    ]
    shown = plots.COLOURS[colour]
    axes.errorbar(x, values, spread, color=shown, marker="o", capsize=3, label=_LABELS[name])
