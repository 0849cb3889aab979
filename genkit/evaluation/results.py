"""The figures that are kept of a run's weights; measuring other weights begins anew."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.errors import RunError
from genkit.evaluation.figure import Figure
from genkit.files import reason_of
from genkit.runs.export import weights_file
from genkit.runs.kept_figures import KeptFigures, read_figures, write_figures
from genkit.runs.loading import path_of
from genkit.runs.names import is_export
from genkit.runs.run import Run


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
        from genkit.runs import checkpoint_files, checkpoints

        if is_export(path):
            return cls(path, None, _digest(weights_file(path)))
        run = Run.open(path)

        def which() -> Path:
            return checkpoints.chosen(run.checkpoints, checkpoint, run.settings)

        return checkpoints.read_steadily(
            which,
            lambda found: cls(path, int(found.name), _digest(found / checkpoint_files.WEIGHTS)),
        )


def results(run: str | Path, checkpoint: str | int | None = None) -> list[Figure]:
    """Read what was measured of a run's weights.

    Args:
        run: the run's directory, its name or ``"latest"``, or an exported model.
        checkpoint: a step or ``"best"``; by default the newest. Figures of other weights than
            these are not given: training has gone on since.

    Raises:
        RunError: no run is there, or the file is damaged.
    """
    path = path_of(run)
    return kept(Weights.of(path, checkpoint)) if read_figures(path).rows else []


def kept(weights: Weights) -> list[Figure]:
    """Return the figures that were kept of these weights.

    Raises:
        RunError: the file is damaged.
    """
    kept = read_figures(weights.path)
    return [Figure.from_dict(row) for row in kept.rows] if kept.weights == weights.digest else []


def with_card(figures: Sequence[Figure], card: Mapping[str, Any]) -> list[Figure]:
    """Return the figures whose card says all that this one says."""
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
        write_figures(weights.path, KeptFigures(rows, weights.step, weights.digest))


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"The file {file} can't be read: {reason_of(error)}.") from error
