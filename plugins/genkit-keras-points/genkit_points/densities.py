"""Toy densities of the plane; nearly all of each lies within -0.95 and 0.95."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

Drawn: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Points, float64 of shape ``(n, 2)``, and their classes, int64 of shape ``(n,)``."""

_CUT = 4.0  # normal noise ends there: every point lies inside the range that the data declares


@dataclass(frozen=True)
class Modes:
    """The equal normal densities that a density is a mixture of.

    Args:
        centres: shape ``(modes, 2)``.
        scale: standard deviation in both directions.
    """

    centres: np.ndarray
    scale: float

    def draw(self, n: int, rng: np.random.Generator) -> Drawn:
        """Draw points, and which mode each is of."""
        mode = rng.integers(len(self.centres), size=n)
        return self.centres[mode] + self.scale * _normal(rng, (n, 2)), mode


_EIGHTHS = np.arange(8) * np.pi / 4
_FIFTHS = np.linspace(-0.72, 0.72, 5)
MODES: Mapping[str, Modes] = MappingProxyType(
    {
        "ring": Modes(0.7 * np.stack([np.cos(_EIGHTHS), np.sin(_EIGHTHS)], axis=1), 0.03),
        "grid": Modes(np.stack(np.meshgrid(_FIFTHS, _FIFTHS), axis=-1).reshape(-1, 2), 0.025),
    }
)


def _normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.standard_normal(shape).clip(-_CUT, _CUT)


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _moons(n: int, rng: np.random.Generator) -> Drawn:
    """Two half circles, each with an end inside the other."""
    moon = rng.integers(2, size=n)
    arc = _polar(np.full(n, 0.55), rng.uniform(0, np.pi, n))
    turned = np.where(moon[:, None] == 0, arc, [0.55, 0.275] - arc)
    return turned - [0.275, 0.1375] + 0.03 * _normal(rng, (n, 2)), moon


def _rings(n: int, rng: np.random.Generator) -> Drawn:
    """Three circles around each other."""
    ring = rng.integers(3, size=n)
    circle = _polar(0.26 * (ring + 1), rng.uniform(0, 2 * np.pi, n))
    return circle + 0.02 * _normal(rng, (n, 2)), ring


def _spirals(n: int, rng: np.random.Generator) -> Drawn:
    """Two arms, a turn and a half each."""
    arm = rng.integers(2, size=n)
    way = np.sqrt(rng.uniform(0.01, 1, n))
    return _polar(0.85 * way, 3 * np.pi * way + np.pi * arm) + 0.02 * _normal(rng, (n, 2)), arm


def _checkerboard(n: int, rng: np.random.Generator) -> Drawn:
    """The eight black squares of four by four."""
    square = rng.integers(8, size=n)
    row = square // 2
    corner = np.stack([2 * (square % 2) + row % 2, row], axis=1)
    return 0.45 * (corner + rng.uniform(size=(n, 2))) - 0.9, square


def _pinwheel(n: int, rng: np.random.Generator) -> Drawn:
    """Five bent arms (Johnson et al. 2016, "Composing graphical models ...", figure 1)."""
    arm = rng.integers(5, size=n)
    along, across = (_normal(rng, (2, n)) * [[0.3], [0.1]]) + [[1.0], [0.0]]
    angle = 2 * np.pi / 5 * arm + 0.25 * np.exp(along)
    cos, sin = np.cos(angle), np.sin(angle)
    return 0.42 * np.stack([along * cos - across * sin, along * sin + across * cos], axis=1), arm


DENSITIES: Mapping[str, tuple[Callable[[int, np.random.Generator], Drawn], int]] = MappingProxyType(
    {
        "moons": (_moons, 2),
        "rings": (_rings, 3),
        "spirals": (_spirals, 2),
        "grid": (MODES["grid"].draw, 25),
        "ring": (MODES["ring"].draw, 8),
        "checkerboard": (_checkerboard, 8),
        "pinwheel": (_pinwheel, 5),
    }
)
"""How to draw from each, and how many classes it has."""
