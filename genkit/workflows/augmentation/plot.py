"""The result as a picture: accuracy by ratio, and what the synthetic items change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genkit.report import plots

_LINES = {"synthetic": 3, "real+synthetic": 0, "all": 1}
_LEVELS = {"real": 0, "real+classical": 1}
_LABELS = {
    "real": "real only",
    "real+classical": "real, classical",
    "synthetic": "synthetic only",
    "real+synthetic": "real + synthetic",
    "all": "all three",
}


def draw_accuracies(summary: dict[str, Any], path: Path) -> list[Path]:
    """Draw a result as PNG and SVG.

    Args:
        summary: what ``augmentation.json`` holds.
        path: without its ending.
    """
    made, (left, right) = plots.figure(width=10, height=4, columns=2)
    rows = summary["table"]
    ratios = sorted({row["ratio"] for row in rows if row["ratio"] is not None})
    places = {ratio: place for place, ratio in enumerate(ratios)}
    for name, colour in _LEVELS.items():
        row = next(row for row in rows if row["arm"] == name)
        shown = plots.COLOURS[colour]
        left.axhline(100 * row["accuracy"], color=shown, linestyle="--", label=_LABELS[name])
        left.axhspan(100 * row["low"], 100 * row["high"], color=shown, alpha=0.1, linewidth=0)
    for offset, (name, colour) in zip((-0.08, 0, 0.08), _LINES.items(), strict=True):
        mine = [row for row in rows if row["arm"] == name]
        x = [places[row["ratio"]] + offset for row in mine]
        _errorbar(left, x, [(r["accuracy"], r["low"], r["high"]) for r in mine], colour, name)
    left.set_ylabel(f"accuracy in %, mean of {rows[0]['n']} seeds,\nwith its 95 % interval")
    for offset, (verdict, name, colour) in zip(
        (-0.05, 0.05),
        (("verdict", "real+synthetic", 0), ("verdict_beyond_classical", "all", 1)),
        strict=True,
    ):
        found = summary[verdict]["comparisons"]
        x = [places[c["ratio"]] + offset for c in found]
        _errorbar(right, x, [(c["difference"], c["low"], c["high"]) for c in found], colour, name)
    right.axhline(0, color="black", linewidth=0.8)
    right.set_ylabel("points of accuracy against the same\nwithout synthetic, corrected interval")
    for axes in (left, right):
        axes.set_xticks(range(len(ratios)), [f"{ratio:g}" for ratio in ratios])
        axes.set_xlabel("synthetic items for each real one")
        axes.legend(
            fontsize=8, frameon=False, ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.14)
        )
    low, high = left.get_ylim()
    left.set_ylim(max(low, 0), min(high, 100))
    return plots.save_plot(made, path)


def _errorbar(axes: Any, x: list[float], found: list[Any], colour: int, name: str) -> None:
    values = [100 * value for value, _, _ in found]
    spread = [
        [100 * (value - low) for value, low, _ in found],
        [100 * (high - value) for value, _, high in found],
    ]
    shown = plots.COLOURS[colour]
    axes.errorbar(x, values, spread, color=shown, marker="o", capsize=3, label=_LABELS[name])
