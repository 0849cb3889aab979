"""``evaluation.json``: the figures of a run's weights.

    {"step": 500, "weights": "<SHA-256>", "metrics": [{"name", "value", "low", "high", ...}]}

They are the figures of one set of weights; measuring other weights begins anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.errors import RunError
from genkit.evaluation.figure import Figure
from genkit.export import is_export
from genkit.files import read_json, write_json
from genkit.runs import Run

_FILE = "evaluation.json"


@dataclass(frozen=True)
class Weights:
    """The weights that are measured.

    Args:
        path: the run, or the exported model.
        step: of the checkpoint; None for an exported model.
        digest: SHA-256 of the file.
    """

    path: Path
    step: int | None
    digest: str

    @classmethod
    def of(cls, path: Path, checkpoint: str | int | None = None) -> Weights:
        """Find the weights of a run's checkpoint, by default the newest, or of an exported model.

        Raises:
            RunError: there are none.
            UsageError: neither a step nor "best".
        """
        from genkit.training import checkpoints

        if is_export(path):
            return cls(path, None, _digest(path / "weights.safetensors"))
        run = Run.open(path)

        def which() -> Path:
            return checkpoints.chosen(run.checkpoints, checkpoint, run.settings)

        return checkpoints.read_steadily(
            which, lambda found: cls(path, int(found.name), _digest(found / "model.safetensors"))
        )


def results(run: str | Path, checkpoint: str | int | None = None) -> list[Figure]:
    """Read what was measured of a run's weights.

    Args:
        run: the run directory, or an exported model.
        checkpoint: a step or ``"best"``; by default the newest. Figures of other weights than
            these are not given: training has gone on since.

    Raises:
        RunError: no run is there, or the file is damaged.
    """
    path = Path(run)
    return kept(Weights.of(path, checkpoint)) if (path / _FILE).is_file() else []


def kept(weights: Weights) -> list[Figure]:
    """Give the figures that were kept of these weights.

    Raises:
        RunError: the file is damaged.
    """
    file = weights.path / _FILE
    if not file.is_file():
        return []
    data = read_json(file)
    rows = data.get("metrics")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RunError(f"The file {file} is damaged: expected a list of metrics.", "Delete it.")
    return [Figure.from_dict(row) for row in rows] if data.get("weights") == weights.digest else []


def with_card(figures: Sequence[Figure], card: Mapping[str, Any]) -> list[Figure]:
    """Give the figures whose card says all that this one says."""
    return [
        figure
        for figure in figures
        if all(figure.card.get(key) == value for key, value in card.items())
    ]


def keep(weights: Weights, figures: Sequence[Figure]) -> None:
    """Add figures to those of these weights; ones of the same name and card are replaced."""
    from filelock import FileLock

    with FileLock(weights.path / ".evaluation.lock"):  # two evaluations may go on at once
        others = [
            old
            for old in kept(weights)
            if not any(old.name == new.name and old.card == new.card for new in figures)
        ]
        rows = [figure.to_dict() for figure in (*others, *figures)]
        about = {"step": weights.step, "weights": weights.digest}
        write_json(weights.path / _FILE, {**about, "metrics": rows})


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"The file {file} can't be read: {error}.") from error
