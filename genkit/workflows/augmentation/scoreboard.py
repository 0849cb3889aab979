"""What an augmentation has measured so far, on the disk as it comes."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genkit.files import read_json, write_json
from genkit.workflows.augmentation.arms import Arm

PARTS = "parts"
"""Folder of what processes that work at a time have measured, a folder for each seed."""


class Scoreboard:
    """Scores of each seed and arm, and what reviewers refused of each seed's items.

    Args:
        folder: holds ``results.json`` and ``refused.json``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._scores, self._told = folder / "results.json", folder / "refused.json"
        self.results: dict[str, dict[str, dict[str, float]]] = _read(self._scores)
        self._refused: dict[str, dict[str, Any]] = _read(self._told)

    def missing(self, seed: int, arms: Sequence[Arm]) -> list[Arm]:
        """Return the arms that were not tried yet."""
        return [arm for arm in arms if arm.key not in self.results.get(str(seed), {})]

    def add(self, seed: int, arm: Arm, scores: Mapping[str, float]) -> None:
        """Keep an arm's scores."""
        self.results.setdefault(str(seed), {})[arm.key] = dict(scores)
        write_json(self._scores, self.results)

    def refuse(self, seed: int, told: Mapping[str, Any]) -> None:
        """Keep what ``Review.told`` says of a seed's items."""
        self._refused[str(seed)] = dict(told)
        write_json(self._told, self._refused)

    def take_parts(self) -> None:
        """Take up what other processes have left; none of them works any more on what is there."""
        for part in sorted((self._folder / PARTS).glob("*")):
            self.take_part(part)

    def take_part(self, part: Path) -> None:
        """Take up what one process has left, and remove it."""
        theirs = Scoreboard(part)
        for seed, scores in theirs.results.items():
            self.results.setdefault(seed, {}).update(scores)
        self._refused |= theirs._refused
        write_json(self._scores, self.results)
        write_json(self._told, self._refused)
        shutil.rmtree(part)

    def refused(self) -> dict[str, Any]:
        """Return what reviewers refused of all seeds' items: their number, and reasons counted."""
        n, reasons = 0, Counter[str]()
        for each in self._refused.values():
            n += each["n"]
            reasons.update(each["reasons"])
        return {"n": n, "reasons": dict(reasons)}


def _read(file: Path) -> dict[str, Any]:
    return read_json(file) if file.exists() else {}
