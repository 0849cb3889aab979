"""What runs have written, compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genkit.runs.checkpoint_files import TRAINING, WEIGHTS
from genkit.runs.names import step_name

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.runs.run import Run

_KEPT_ELSEWHERE = ("trained_steps", "stop_training")  # what training itself sets


def checkpoint(run: Run, step: int) -> Path:
    """Return the folder of a checkpoint."""
    return run.checkpoints / step_name(step)


def arrays(folder: Path, file: str = WEIGHTS) -> dict[str, np.ndarray]:
    """Read the arrays of a checkpoint's file, by default its weights."""
    from safetensors.numpy import load_file

    return dict(load_file(folder / file))


def differing(first: Run, second: Run, step: int) -> str:
    """Name the first arrays that differ between two runs' checkpoints; nothing if none does."""
    names: list[str] = []
    for file in (WEIGHTS, TRAINING):
        one, other = (arrays(checkpoint(run, step), file) for run in (first, second))
        names += sorted(one.keys() ^ other.keys())
        names += [n for n in sorted(one.keys() & other.keys()) if not _same(one[n], other[n])]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""  # noqa: PLR2004
    return ", ".join(names[:3]) + more


def numbers_in(model: Model) -> dict[str, np.ndarray]:
    """Return the numbers and arrays that an author's attributes of a model hold, by name."""
    return {
        name: np.asarray(value)
        for name, value in vars(model).items()
        if not name.startswith("_")
        and name not in _KEPT_ELSEWHERE
        and isinstance(value, (bool, int, float, np.ndarray, np.generic))
    }


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    return np.array_equal(first, second, equal_nan=True)
