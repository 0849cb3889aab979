"""Pictures that show what a model's styles are: truncated, mixed, walked between, moved."""

from __future__ import annotations

from typing import Any

import numpy as np

from genkit_style.directions import directions

_DIRECTIONS = 6
PSI = (-0.5, 0.0, 0.25, 0.5, 0.7, 1.0, 1.25)


def styles_of(model: Any, n: int, seed: int, psi: float = 0.7) -> np.ndarray:
    """Return the styles of the first pictures of a seed, truncated, float32 ``(n, width)``."""
    inputs = {"z": _noise(model, n, seed)}
    if model.conditional:
        inputs["label"] = model.class_numbers(n, None)
    w, centre = model.map_items("style_of", **inputs), _centre(model, inputs.get("label"))
    return (centre + psi * (w - centre)).astype("float32")


def truncation(model: Any, n: int, seed: int) -> np.ndarray:
    """Return pictures ``(n, len(PSI), ...)``: each further and further from the mean style."""
    mean, w = (styles_of(model, n, seed, psi)[:, None] for psi in (0.0, 1.0))
    return np.stack([drawn(model, mean + psi * (w - mean)) for psi in PSI], axis=1)


def mixing(model: Any, n: int, seed: int) -> np.ndarray:
    """Return a table of pictures, ``(n + 1, n + 1, ...)``.

    The first half of each one's layers take the style of the first of its row, the second half that
    of the first of its column. The first of all is the mean style's.
    """
    w = styles_of(model, 2 * n, seed)
    mean = _centre(model, np.zeros(1, "int32") if model.conditional else None)
    rows, columns = np.concatenate([mean, w[:n]]), np.concatenate([mean, w[n:]])
    layers = np.arange(model.synthesis.styles) < model.synthesis.styles // 2
    chosen = np.where(layers[None, None, :, None], rows[:, None, None], columns[None, :, None])
    # The heads of rows and columns are whole pictures.
    chosen[1:, 0], chosen[0, 1:] = rows[1:, None], columns[1:, None]
    return _table(model, chosen)


def walk(model: Any, n: int, steps: int, seed: int) -> np.ndarray:
    """Return pictures ``(n, steps, ...)`` on straight ways from one style to the next one."""
    w = styles_of(model, n, seed)
    share = np.linspace(0, 1, steps, endpoint=False, dtype="float32")[None, :, None]
    way = w[:, None] + share * (np.roll(w, -1, axis=0) - w)[:, None]
    return _table(model, way[:, :, None])


def moved(model: Any, n: int, steps: int, seed: int, strength: float) -> np.ndarray:
    """Return pictures ``(6, n, steps, ...)`` of styles moved along the first six directions."""
    w, along = styles_of(model, n, seed), directions(model)[:_DIRECTIONS]
    lengths = np.linspace(-strength, strength, steps, dtype="float32")
    moves = along[:, None, None] * lengths[None, None, :, None]
    chosen = w[None, :, None] + moves
    pictures = _table(model, chosen.reshape(-1, steps, 1, model.width))
    return pictures.reshape(len(along), n, *pictures.shape[1:])


def drawn(model: Any, styles: np.ndarray) -> np.ndarray:
    """Return pictures ``(n, ...)`` of styles ``(n, styles or 1, width)``."""
    return model.map_items("pictures_from", styles=styles.astype("float32"))


def _table(model: Any, styles: np.ndarray) -> np.ndarray:
    """Return pictures of styles ``(rows, columns, styles or 1, width)``."""
    rows, columns = styles.shape[:2]
    pictures = drawn(model, styles.reshape(-1, *styles.shape[2:]))
    return pictures.reshape(rows, columns, *pictures.shape[1:])


def _noise(model: Any, n: int, seed: int) -> np.ndarray:
    """Return the noise of the first samples of a seed, as ``generate`` draws it."""
    from genkit.data import noise_for_samples

    return noise_for_samples(model.noise, seed, range(n))["z"]


def _centre(model: Any, label: np.ndarray | None) -> np.ndarray:
    from keras import ops

    return ops.convert_to_numpy(model.centre(label))
