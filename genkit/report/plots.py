"""Plots as PNG and SVG, and as SVG text for a page: one look for all of them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito 2008: told apart by the colour-blind too, and on light and dark grounds.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999")
_MOST_POINTS = 1000


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
    return made, list(axes)


def dress(axes: Any) -> None:
    """Give axes the look of all plots."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, alpha=0.25, linewidth=0.6)
    axes.set_prop_cycle(color=COLOURS)


def curve(axes: Any, steps: Sequence[float], values: Sequence[float], label: str) -> None:
    """Draw a curve, thinned to means of at most a thousand windows so that files stay small."""
    window = -(-len(steps) // _MOST_POINTS)
    x, y = (_window_means(np.asarray(each, np.float64), window) for each in (steps, values))
    axes.plot(x, y, label=label, linewidth=1.2)


def save(made: Figure, path: Path) -> list[Path]:
    """Write ``path`` with the endings ``.png`` and ``.svg``, each whole or not at all."""
    files = []
    for ending in ("png", "svg"):
        buffer = io.BytesIO()
        made.savefig(buffer, format=ending, dpi=150, metadata=_dateless(ending))
        files.append(path.with_suffix(f".{ending}"))
        write_bytes(files[-1], buffer.getvalue())
    return files


def smoothed(values: Sequence[float], window: int) -> np.ndarray:
    """Give running means over ``window`` values; the first ones are over what there is."""
    sums = np.cumsum(np.concatenate([[0.0], np.asarray(values, np.float64)]))
    ends = np.arange(1, len(sums))
    starts = np.maximum(0, ends - window)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def loss_curves(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[list[int], list[float]]]:
    """Give each loss of ``metrics.jsonl`` as steps and values, without what is not a number."""
    curves: dict[str, tuple[list[int], list[float]]] = {}
    for row in rows:
        for name, value in row.items():
            if name not in ("step", "epoch", "seconds") and isinstance(value, (int, float)):
                steps, values = curves.setdefault(name, ([], []))
                steps.append(row["step"])
                values.append(float(value))
    return curves


def _window_means(values: np.ndarray, window: int) -> np.ndarray:
    starts = np.arange(0, len(values), window)
    counts = np.diff(np.append(starts, len(values)))
    return np.asarray(np.add.reduceat(values, starts) / counts) if len(values) else values


def _dateless(ending: str) -> dict[str, Any]:
    """Leave the date out, so that the same numbers give the same file."""
    return {"Date": None} if ending == "svg" else {"Software": None}
