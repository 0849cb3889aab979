"""Adaptive augmentation of what the discriminator sees, and how strong it is.

Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data": each change is
made with a probability ``p`` to real and generated pictures alike, and ``p`` rises while the
discriminator is too sure of real ones. Geometry is one product with a matrix along each axis;
colour is one matrix a picture. Turns are by right angles, as others are no such product.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

UNIFORM = 9
"""Numbers in [0, 1) that decide about one picture: eight of whether and one of which quarter."""
NORMAL = 9
"""Numbers of the normal distribution for one picture: how far each change goes."""

_SHIFT = 0.125  # standard deviation, as a share of the side
_SCALE = 0.2 * math.log(2)  # that of the logarithm; of the others, too
_BRIGHTNESS = 0.2
_CONTRAST = 0.5 * math.log(2)
_SATURATION = math.log(2)
_GREY = np.full((3, 3), 1 / 3, "float32")  # projects colours to the grey of their brightness
_COLOUR = np.eye(3, dtype="float32") - _GREY  # projects them to what is left
_TURN = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], "float32") / math.sqrt(3)  # about that axis


def draw(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Return what decides about ``n`` real and as many generated pictures."""
    return {
        "chances": rng.random((n, 2, UNIFORM), dtype="float32"),
        "lengths": rng.standard_normal((n, 2, NORMAL), dtype="float32"),
    }


def augmented(pictures: Any, chances: Any, lengths: Any, p: Any) -> Any:
    """Return pictures that were changed at random.

    Args:
        pictures: ``(batch, side, side, channels)``, float32 in [-1, 1]; differentiable.
        chances: ``(batch, UNIFORM)``, uniform in [0, 1).
        lengths: ``(batch, NORMAL)``, of the normal distribution.
        p: probability of each change, a scalar.

    Returns:
        the same shape; values may leave the range a little, as colours do.
    """
    happens = ops.cast(chances < p, "float32")
    return _coloured(_moved(pictures, chances, happens, lengths), happens, lengths)


def _moved(x: Any, chances: Any, happens: Any, lengths: Any) -> Any:
    """Flip, turn by right angles, scale and shift."""
    _, side, _, channels = x.shape
    quarter = ops.floor(chances[:, 8] * 4) * happens[:, 1]  # 0 to 3, 0 for none
    sideways = ops.cast((quarter == 1) | (quarter == 3), "float32")[:, None, None, None]  # noqa: PLR2004
    x = x + sideways * (ops.transpose(x, (0, 2, 1, 3)) - x)
    # Half of those that may be flipped are: a picture and its mirror image are as likely.
    flipped = ops.cast(chances[:, 0] < 1 / 2, "float32") * happens[:, 0]
    turned_x = ops.cast((quarter == 1) | (quarter == 2), "float32")  # noqa: PLR2004
    turned_y = ops.cast(quarter >= 2, "float32")  # noqa: PLR2004
    sign_x = (1 - 2 * flipped) * (1 - 2 * turned_x)
    sign_y = 1 - 2 * turned_y
    alike = happens[:, 2] * _SCALE * lengths[:, 0]
    apart = happens[:, 3] * _SCALE * lengths[:, 1]
    shift = happens[:, 4, None] * (_SHIFT * side) * lengths[:, 2:4]
    rows = _matrix(side, sign_y, ops.exp(alike - apart), shift[:, 0])
    columns = _matrix(side, sign_x, ops.exp(alike + apart), shift[:, 1])
    x = ops.matmul(rows, ops.reshape(x, (-1, side, side * channels)))
    x = ops.reshape(x, (-1, side, side, channels))
    across = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, side, side * channels))
    across = ops.reshape(ops.matmul(columns, across), (-1, side, side, channels))
    return ops.transpose(across, (0, 2, 1, 3))


def _matrix(side: int, sign: Any, step: Any, shift: Any) -> Any:
    """Return what an axis is multiplied by, ``(batch, side, side)``.

    Row ``i`` weighs the pixels around the place that pixel ``i`` is taken from, by a triangle as
    wide as the distance between two such places; beyond an edge the picture is mirrored.
    """
    last = side - 1
    middle = last / 2
    places = ops.arange(side, dtype="float32")
    source = (places[None] - middle - shift[:, None]) * (sign * step)[:, None] + middle
    # A triangle wave, with period 2 * last, for shifts that are longer than the picture, too.
    phase = source - 2 * last * ops.floor(source / (2 * last))
    source = last - ops.abs(last - phase)
    width = ops.maximum(step, 1.0)[:, None, None]
    near = ops.relu(1 - ops.abs(source[:, :, None] - places[None, None]) / width)
    return near / ops.sum(near, axis=2, keepdims=True)


def _coloured(x: Any, happens: Any, lengths: Any) -> Any:
    """Change brightness, contrast and, of three channels, hue and saturation."""
    contrast = ops.exp(happens[:, 6] * _CONTRAST * lengths[:, 5])[:, None, None, None]
    brightness = (happens[:, 5] * _BRIGHTNESS * lengths[:, 4])[:, None, None, None]
    if x.shape[-1] == 3:  # noqa: PLR2004
        turn = happens[:, 7] * math.pi * ops.tanh(lengths[:, 6])
        strength = ops.exp(happens[:, 7] * _SATURATION * lengths[:, 7])
        grey, rest, turning = map(ops.convert_to_tensor, (_GREY, _COLOUR, _TURN))
        along, across = strength * ops.cos(turn), strength * ops.sin(turn)
        matrix = grey + along[:, None, None] * rest + across[:, None, None] * turning
        _, side, _, channels = x.shape
        flat = ops.matmul(ops.reshape(x, (-1, side * side, channels)), matrix)
        x = ops.reshape(flat, (-1, side, side, channels))
    return x * contrast + brightness


class Strength:
    """The probability ``p``, steered by how sure the discriminator is of real pictures.

    Each fourth step it rises where the mean sign of the scores of real pictures since then was
    above the target, and else falls, by what takes it from 0 to 1 in so many ``pictures``
    (section 3 of the paper).

    Args:
        model: the model that keeps its numbers, and so saves and resumes them.
        target: of the mean sign, in (0, 1).
        pictures: how many a rise from 0 to 1 takes at least.
    """

    interval = 4
    """Steps between changes."""

    def __init__(self, model: Any, target: float, pictures: float) -> None:
        self.target, self.pictures = target, pictures
        self.p = model.add_state("augmentation", merge="first")
        self._signs = model.add_state("augmentation_signs", merge="first")
        self._steps = model.add_state("augmentation_steps", merge="first")

    def follow(self, sign: Any, pictures: Any) -> None:
        """Take a step's mean sign of the scores of real pictures, over all workers, into account.

        Args:
            sign: scalar in [-1, 1].
            pictures: how many the step saw, of all workers.
        """
        signs, steps = self._signs + sign, self._steps + 1.0
        due = ops.cast(steps >= self.interval, "float32")
        way = ops.sign(signs / self.interval - self.target)
        by = way * ops.cast(pictures, "float32") * (self.interval / self.pictures)
        self.p.assign(ops.maximum(self.p + due * by, 0.0))
        self._signs.assign(signs * (1 - due))
        self._steps.assign(steps * (1 - due))
