"""Curves of the losses: for a page, and as PNG and SVG files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genkit.plan.fitting import VALIDATION
from genkit.report import plots
from genkit.report.inputs import ReportInputs
from genkit.report.sections import Section, joined, parts

_WINDOWS = 50  # of smoothing, along a curve
_DIGESTS = ("metric", "fingerprint", "extractor_hash")  # of a card: for machines
_SIZE = (4.4, 2.7)  # inches: at 360 pixels its text is as large as the page's captions
Curves = Mapping[str, tuple[Sequence[float], Sequence[float]] | None]


def losses(inputs: ReportInputs) -> Section | None:
    """Draw each loss: smoothed, with its values at each step faintly behind."""
    curves = inputs.curves
    if not curves:
        return None
    if all(len(steps) == 1 for steps, _ in curves.values()):  # no curve, and a second to draw it
        only = ", ".join(f"{name} {values[0]:.4g}" for name, (_, values) in curves.items())
        return Section("Curves", parts().text(f"One step was logged: {only}."))
    drawn = [_for_page(drawn_curves, name) for name, drawn_curves in _with_validation(curves)]
    caption = (
        f"Running means over a {_WINDOWS}th of the steps; faint: the steps themselves. The "
        "outermost hundredth of the values may lie outside of a plot."
    )
    watched = inputs.environment.get("watch", {})
    told = [parts().text(_told(name, card)) for name, card in watched.items()]
    return Section(
        "Curves", joined([parts().gallery(drawn, "large"), parts().text(caption), *told])
    )


def _told(name: str, card: Mapping[str, Any]) -> str:
    """Write how a metric was measured while training went on."""
    facts = {key: value for key, value in card.items() if key not in _DIGESTS}
    return f"{name}, each time: " + ", ".join(f"{key} {value}" for key, value in facts.items())


def _with_validation(curves: Mapping[str, Any]) -> Iterator[tuple[str, Curves]]:
    """List the plots of a run's curves: one on held-out data is drawn over that of training."""
    for name, curve in curves.items():
        held_out = curves.get(f"{VALIDATION}{name}")
        if held_out is not None:
            yield name, {"training": curve, "validation": held_out}
        elif not (name.startswith(VALIDATION) and name.removeprefix(VALIDATION) in curves):
            yield name, {"": curve}


def compared(all_inputs: Mapping[str, ReportInputs]) -> Section | None:
    """Draw the losses of several runs over each other, one plot a loss."""
    by_loss = _by_loss(all_inputs)
    if not by_loss:
        return None
    drawn = [_for_page(curves, name) for name, curves in by_loss.items()]
    return Section("Curves", parts().gallery(drawn, "large"))


def save_losses(all_inputs: Mapping[str, ReportInputs], folder: Path) -> list[Path]:
    """Write ``losses.png`` and ``losses.svg``: a plot a loss, side by side, a curve a run."""
    by_loss = _by_loss(all_inputs)
    if not by_loss:
        return []
    made, all_axes = plots.figure(_SIZE[0] * len(by_loss), _SIZE[1] + 0.3, len(by_loss))
    for axes, (name, curves) in zip(all_axes, by_loss.items(), strict=True):
        draw_curves(axes, curves, name)
    folder.mkdir(parents=True, exist_ok=True)
    return plots.save_plot(made, folder / "losses")


def draw_curves(axes: Any, curves: Curves, title: str) -> None:
    """Draw curves with their running means.

    Args:
        axes: to draw on.
        curves: steps and values by label; None where a run doesn't have that loss, so that each
            run keeps its colour. An empty label isn't shown.
        title: of the plot; plain text.
    """
    for index, (label, curve) in enumerate(curves.items()):
        if curve is None:
            continue
        steps, values = curve
        colour = plots.COLOURS[index % len(plots.COLOURS)]
        means = plots.smoothed(values, max(1, len(values) // _WINDOWS))
        if len(values) >= _WINDOWS:
            plots.curve(axes, steps, values, "_", color=colour, alpha=0.3, linewidth=0.7)
        plots.curve(axes, steps, means.tolist(), _literal(label), color=colour, linewidth=1.7)
    axes.set_title(_literal(title), fontsize=11)
    axes.set_xlabel("step")
    axes.set_ylim(*_limits([np.asarray(curve[1]) for curve in curves.values() if curve]))
    if any(curves):
        axes.legend(frameon=False, fontsize=9)


def _for_page(curves: Curves, name: str) -> Any:
    made, (axes,) = plots.figure(*_SIZE)
    draw_curves(axes, curves, name)
    caption = "; ".join(
        f"{label} {name}: from {values[0]:.4g} to {values[-1]:.4g}, {len(steps)} steps".strip()
        for label, curve in curves.items()
        if curve is not None
        for steps, values in [curve]
    )
    return parts().plot(plots.inline(made, name), caption)


def _by_loss(all_inputs: Mapping[str, ReportInputs]) -> dict[str, dict[str, Any]]:
    names = dict.fromkeys(name for inputs in all_inputs.values() for name in inputs.curves)
    return {
        name: {label: inputs.curves.get(name) for label, inputs in all_inputs.items()}
        for name in names
    }


def _limits(all_values: list[np.ndarray]) -> tuple[float, float]:
    """Return limits that show the inner 98 % of each curve: first steps can be far off."""
    low = min(float(np.quantile(values, 0.01)) for values in all_values)
    high = max(float(np.quantile(values, 0.99)) for values in all_values)
    margin = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def _literal(text: str) -> str:
    """Keep matplotlib from reading ``$`` as mathematics and a leading ``_`` as "no label"."""
    return text.replace("$", r"\$").lstrip("_")
