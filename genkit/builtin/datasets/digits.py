"""scikit-learn's 1,797 handwritten digits of 8x8 pixels: the smallest real image data there is."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genkit.builtin.datasets.configs import DigitsConfig
from genkit.builtin.datasets.images import open_labelled, rows_of

if TYPE_CHECKING:
    from genkit.data.source import Source

N_TRAIN = 1_500


def open_digits(config: DigitsConfig) -> Source:
    """Open the digits: fields ``image``, shape ``(8, 8, 1)``, values 0 to 16, and ``label``."""
    table = _table()
    rows = rows_of(config.split, N_TRAIN)
    images = table[:, :-1].astype("uint8").reshape(-1, 8, 8, 1)
    classes = [str(digit) for digit in range(10)]
    return open_labelled(images[rows], table[rows, -1].astype("int64"), classes, (0, 16), config)


def _table() -> np.ndarray:
    """Return a row a digit: its 64 pixels, line by line, and its class."""
    package = find_spec("sklearn")
    for home in (package and package.submodule_search_locations) or ():
        # Its own reader takes nearly a second to import.
        file = Path(home, "datasets", "data", "digits.csv.gz")
        if file.is_file():
            return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.column_stack([digits.data, digits.target])
