"""From a picture to the style that draws it (Karras et al. 2020, section 5)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from genkit_style.styles import drawn

_BEGINNING = 1000  # noise whose styles say where to begin, and how far apart styles are
_SHOWN = 8  # pictures on the way that are kept
_RATE = 0.1
_RISE, _FALL = 0.05, 0.25  # shares of the steps in which the rate rises and falls (appendix D)
_MOMENTUM, _SQUARES, _TINY = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Projection:
    """Styles that were found for pictures.

    Args:
        styles: float32 ``(n, styles, width)``.
        pictures: what they draw, ``(n, side, side, channels)`` in the data's range.
        on_the_way: the same at some steps, ``(steps, n, ...)``, and the last.
        errors: mean squared distance to each picture, in [-1, 1], shape ``(n,)``.
    """

    styles: np.ndarray
    pictures: np.ndarray
    on_the_way: np.ndarray
    errors: np.ndarray


def project(
    model: Any,
    pictures: np.ndarray,
    *,
    steps: int = 500,
    each: bool = False,
    seed: int = 0,
    tell: Callable[[int, float], None] = lambda *_: None,
) -> Projection:
    """Return styles that draw given pictures as nearly as a search finds.

    Adam goes down the distance in pixels, and in the features of the run's own discriminator, from
    the best of some styles by chance.

    Args:
        model: a trained ``StyleGAN2``.
        pictures: ``(n, side, side, channels)`` in the data's range.
        steps: of the search, at least 1.
        each: whether each layer gets a style of its own: nearer, but further from what the model
            draws by itself.
        seed: of the styles it begins with.
        tell: called with the step and the mean distance now and then.
    """
    found = _beginning(model, pictures, seed)
    usual, model.generation_batch = model.generation_batch, 1 << (len(pictures) - 1).bit_length()
    try:
        return _searched(model, pictures, found, steps, each, tell)
    finally:
        model.generation_batch = usual


def _searched(  # noqa: PLR0917
    model: Any,
    pictures: np.ndarray,
    found: _Beginning,
    steps: int,
    each: bool,
    tell: Callable[[int, float], None],
) -> Projection:
    spread = float(found.std) or 1.0
    styles = np.repeat(found.styles[:, None], model.synthesis.styles if each else 1, axis=1)
    first, second = np.zeros_like(styles), np.zeros_like(styles)
    keep = {round(share * (steps - 1)) for share in np.linspace(0, 1, _SHOWN)}
    kept = []
    for step in range(steps):
        answer = model.map_items("style_slope", styles=styles, target=pictures)
        slope, error = answer[:, :-1].reshape(styles.shape), answer[:, -1]
        if step in keep:
            kept.append(drawn(model, styles))
            tell(step, float(error.mean()))
        first += (1 - _MOMENTUM) * (slope - first)
        second += (1 - _SQUARES) * (slope**2 - second)
        way = first / (1 - _MOMENTUM ** (step + 1))
        size = np.sqrt(second / (1 - _SQUARES ** (step + 1))) + _TINY
        styles = (styles - _rate(step / steps) * spread * way / size).astype("float32")
    last = drawn(model, styles)
    low, high = model.schema[model.generated_field()].range
    apart = (last - pictures) * (2 / (high - low))
    errors = np.mean(np.square(apart), axis=(1, 2, 3))
    tell(steps, float(errors.mean()))
    all_styles = np.broadcast_to(styles, (len(styles), model.synthesis.styles, model.width))
    return Projection(np.array(all_styles), last, np.stack([*kept, last]), errors)


def _rate(share: float) -> float:
    """Return the size of a step when this share of all is done."""
    falling = min(1.0, (1 - share) / _FALL)
    return _RATE * min(1.0, (share + 1e-3) / _RISE) * (0.5 - 0.5 * math.cos(math.pi * falling))


@dataclass(frozen=True)
class _Beginning:
    styles: np.ndarray
    std: float


def _beginning(model: Any, pictures: np.ndarray, seed: int) -> _Beginning:
    """Return for each picture the nearest of many styles by chance, and how far these are apart."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((_BEGINNING, model.width), dtype="float32")
    inputs = {"z": z}
    if model.conditional:
        inputs["label"] = np.arange(_BEGINNING, dtype="int32") % len(model.classes())
    w = model.map_items("style_of", **inputs)
    flat = drawn(model, w[:, None]).reshape(_BEGINNING, -1)
    wanted = pictures.reshape(len(pictures), -1)
    distances = (wanted**2).sum(1)[:, None] + (flat**2).sum(1) - 2 * wanted @ flat.T
    return _Beginning(w[np.argmin(distances, axis=1)], w.std(axis=0).mean())
