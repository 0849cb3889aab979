"""scikit-learn's 1,797 handwritten digits of 8x8 pixels: the smallest real image data there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genkit.builtin.datasets.configs import DigitsConfig
from genkit.builtin.datasets.images import open_labelled, rows_of

if TYPE_CHECKING:
    from genkit.data.source import Source

N_TRAIN = 1_500


def open_digits(config: DigitsConfig) -> Source:
    """Open the digits: fields ``image``, shape ``(8, 8, 1)``, values 0 to 16, and ``label``."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = rows_of(config.split, N_TRAIN)
    images = digits.images.astype("uint8")[rows, ..., None]
    classes = [str(digit) for digit in digits.target_names]
    return open_labelled(images, digits.target[rows], classes, (0, 16), config)
