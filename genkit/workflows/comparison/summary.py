"""What a comparison has found so far: ``comparison.json`` and the picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.errors import BackendError
from genkit.files import finite, write_json
from genkit.plan.activation import BACKENDS, choose_backend, installed_backends
from genkit.report.notebook import displayed, picture_file
from genkit.report.sections import parts
from genkit.workflows.comparison import drawing, statistics
from genkit.workflows.comparison.cells import Comparison
from genkit.workflows.comparison.measuring import Measured, measure, parities
from genkit.workflows.comparison.sentences import Evidence, failures, sentences

_NOTE = (
    "dots: means over the seeds; bars: 95 % t intervals, cut where they leave the picture "
    "(one seed: a quality's own interval)"
)


@dataclass(frozen=True, repr=False)
class Summary:
    """All that is known of a comparison; it prints its sentences.

    Args:
        comparison: what was asked for.
        cells: what was measured of each.
        evidence: the same by model, with what follows from it.
        verdicts: by model, what to do and what differs, in sentences.
        failures: what failed, in sentences.
        files: the picture.
    """

    comparison: Comparison
    cells: Sequence[Measured]
    evidence: Sequence[Evidence]
    verdicts: Mapping[str, Sequence[str]]
    failures: Sequence[str]
    files: Sequence[Path]

    @property
    def is_whole(self) -> bool:
        """Whether every cell is done and every one that was asked for is judged."""
        return all(cell.state == "done" and not cell.error for cell in self.cells)

    @property
    def sentences(self) -> list[str]:
        """What to do and what differs, model by model, and what failed."""
        by_model = (f"{model}: {each}" for model, its in self.verdicts.items() for each in its)
        return [*by_model, *self.failures]

    def __repr__(self) -> str:
        return "\n".join([f"<Comparison {self.comparison.folder}>", *self.sentences])

    def _repr_html_(self) -> str:
        pictures = [file for file in self.files if file.suffix == ".png"]
        return displayed([*map(parts().text, self.sentences), *map(picture_file, pictures)])

    def to_dict(self) -> dict[str, Any]:
        """Return the form that ``genkit compare --json`` prints."""
        evidence = self.evidence
        return {
            "comparison": str(self.comparison.folder),
            "state": "done" if self.is_whole else "incomplete",
            "sentences": self.sentences,
            "cells": [cell.to_dict() for cell in self.cells],
            "means": [each.to_dict() for one in evidence for each in one.means],
            "differences": [each.to_dict() for one in evidence for each in one.differences],
            "parity": [finite(each) for one in evidence for each in one.parities],
            "method": statistics.METHOD,
            "files": [str(path) for path in self.files],
        }


def summarize(comparison: Comparison) -> Summary:
    """Read what there is, and write ``comparison.json`` and the picture beside it."""
    cells = [measure(comparison, cell) for cell in comparison.cells]
    pairs = parities(comparison)
    evidence = [_evidence(comparison, model, cells, pairs) for model in comparison.plans]
    verdicts = {each.model: sentences(each) for each in evidence}
    failed = [
        *failures(cells),
        *(
            f"{each['model']} on {each['backend']}: parity could not be measured: {each['error']}"
            for each in pairs
            if "error" in each
        ),
        *(
            f"{model}: {name} was measured in different ways, and is neither averaged nor "
            f"compared: {why}"
            for (model, name), why in statistics.not_alike(cells).items()
        ),
        *_absent(comparison),
    ]
    colours = drawing.colours(comparison.backends, BACKENDS)
    path = comparison.folder / "comparison"
    files = drawing.draw_comparison(evidence, colours, path, _NOTE)
    summary = Summary(comparison, cells, evidence, verdicts, failed, files)
    write_json(comparison.folder / "comparison.json", summary.to_dict())
    return summary


def _evidence(
    comparison: Comparison,
    model: str,
    cells: Sequence[Measured],
    pairs: Sequence[Mapping[str, Any]],
) -> Evidence:
    own = [each for each in cells if each.cell.model == model]
    return Evidence(
        model,
        comparison.backends,
        own,
        statistics.means(own),
        statistics.differences(own),
        [each for each in pairs if each["model"] == model],
        wants_quality=comparison.metrics is not None,
    )


def _absent(comparison: Comparison) -> list[str]:
    """Name the backends that were left out because they aren't installed."""
    lines = []
    for name in BACKENDS:
        if name not in installed_backends() and name not in comparison.backends:
            try:
                choose_backend(name)
            except BackendError as error:
                lines.append(f"{name} was left out. {error}")
    return lines
