"""The experiment: every arm for every seed, kept as it goes, then judged.

augmentations/<name>/
  settings.json        what was asked; the same command goes on where it was
  status.json          running, done or stopped
  results.json         what was measured of each seed and arm, as they are finished
  refused.json         what reviewers refused of each seed's synthetic items
  generators/seed-0/   run directories: genkit generate, report and the rest take them
  augmentation.json    table, robustness, verdicts
  augmentation.png     the same as a picture; and .svg
  mixed/               the real subset and synthetic items, as the learner writes them: images
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from genkit.data.source import ArraySource
from genkit.errors import RunError, UsageError
from genkit.files import check_path, read_json, write_json
from genkit.models.training.signals import StopOnSignal
from genkit.plugins.entry_points import own_version
from genkit.runs import locks
from genkit.workers.crew import check_found_by_name
from genkit.workflows.augmentation.arms import Arm
from genkit.workflows.augmentation.conclusion import conclude, subset_overlap
from genkit.workflows.augmentation.result import AugmentResult
from genkit.workflows.augmentation.scoreboard import PARTS, Scoreboard
from genkit.workflows.augmentation.settings import Settings
from genkit.workflows.augmentation.trial import Stopped, Tell, Trial, generator_path
from genkit.workflows.augmentation.verdict import HELPS
from genkit.workflows.augmentation.worker import job_of
from genkit.workflows.jobs import carry_out, check_at_once, is_done, several_at_once

# What every line of mixed/train/metadata.jsonl has: where a real item lies, what made another.
_NOWHERE = {
    **dict.fromkeys(("dataset", "split", "run", "model", "seed", "index")),
    "genkit": own_version(),
}


def run_experiment(
    settings: Settings, folder: Path, tell: Tell = lambda _: None, at_once: int = 1
) -> AugmentResult:
    """Train, test, judge and write; goes on where an earlier sitting ended.

    Args:
        settings: what to do; its backend becomes the process's.
        folder: of this augmentation; made if it isn't there.
        tell: is given a line for each finished part.
        at_once: how many seeds are done at a time, each by a process of its own.

    Raises:
        UsageError: the folder can't be made or holds another augmentation, or model and data
            don't suit.
        RunError: another process writes there.
        GenkitError: the generator can't be trained.
    """
    check_at_once(at_once)
    if at_once > 1:
        check_found_by_name(settings.generator)
    check_path(folder)
    experiment = _Experiment(settings, folder, tell, at_once)
    _claim(folder, settings)
    status = folder / "status.json"
    owner = {"pid": os.getpid(), "host": socket.gethostname()}
    with locks.holding(folder / ".lock", f"The folder {folder}", lambda: _read(status)):
        write_json(status, {"state": "running", **owner})
        try:
            summary = experiment.carry_out()
        except Stopped as stopped:
            write_json(status, {"state": "stopped"})
            return AugmentResult(folder, {}, stopped.signal)
        write_json(status, {"state": "done"})
    return AugmentResult(folder, summary)


class _Experiment:
    """One sitting: what is left of an augmentation, and the conclusion."""

    def __init__(self, settings: Settings, folder: Path, tell: Tell, at_once: int) -> None:
        self.settings, self.folder, self.tell = settings, folder, tell
        self.at_once = at_once
        self.trial = Trial(settings, folder, tell, progress=True)
        self.began, self.done = time.monotonic(), 0

    def carry_out(self) -> dict[str, Any]:
        self.board = Scoreboard(self.folder)
        self.board.take_parts()
        trial, seeds = self.trial, range(self.settings.seeds)
        left = {seed: arms for seed in seeds if (arms := self.board.missing(seed, trial.arms))}
        if self.at_once > 1:
            self._do_together(list(left))
        else:
            for seed, arms in left.items():
                for arm, score in trial.try_arms(seed, arms, self.board):
                    self._tell_of(seed, arm, score)
        return self._conclude()

    def _do_together(self, seeds: Sequence[int]) -> None:
        """Have each seed done by a process of its own, several at a time."""
        failed: list[str] = []
        taking = Lock()

        def one(seed: int, stop: StopOnSignal, place: int) -> None:
            if stop.received:
                return
            part = self.folder / PARTS / str(seed)
            part.mkdir(parents=True, exist_ok=True)
            job = job_of(self.folder, part, generator_path(self.folder, seed), seed)
            found = carry_out(job, stop, place=place, at_once=self.at_once)
            with taking:
                self.board.take_part(part)
            if not (is_done(found) or stop.received):
                failed.append(f"seed {seed + 1}: {found.get('error')}")

        with StopOnSignal() as stop:
            several_at_once([partial(one, seed, stop) for seed in seeds], self.at_once)
        if stop.received:
            raise Stopped(stop.received)
        if failed:
            raise RunError("; ".join(failed), "The same command goes on with what is left.")

    def _tell_of(self, seed: int, arm: Arm, score: float) -> None:
        self.done += 1
        arms = self.trial.arms
        left = sum(len(self.board.missing(each, arms)) for each in range(self.settings.seeds))
        minutes = left * (time.monotonic() - self.began) / self.done / 60
        self.tell(
            f"seed {seed + 1} of {self.settings.seeds}: {arm.key}: {score:.2%}; "
            f"{left} arms left, {minutes:.1f} min"
        )

    def _conclude(self) -> dict[str, Any]:
        from genkit.workflows.augmentation.plot import draw_result

        trial = self.trial
        overlap = subset_overlap(trial.labels, trial.classes, self.settings)
        learner = trial.learner
        verdict, summary = conclude(
            self.settings,
            self.board.results,
            len(trial.test),
            overlap,
            corruptions=learner.corruptions,
            measures=learner.measures,
        )
        ratio = verdict.ratio if verdict.answer == HELPS else verdict.best_ratio
        summary["mixed"] = {"folder": "mixed", "seed": 0, "ratio": ratio}
        if not (self.folder / "mixed").exists():
            self._write_mixed(ratio)
        summary["refused"] = self.board.refused()
        draw_result(summary, self.folder / "augmentation")
        write_json(self.folder / "augmentation.json", summary)
        return summary

    def _write_mixed(self, ratio: float) -> None:
        real, rows = self.trial.subset(0)
        plan, arm = self.settings.plan_of(0), Arm("real+synthetic", ratio)
        drawn, indices = self.trial.synthetic(0, len(real), self.board)
        first = np.arange(min(arm.count(len(real)), len(drawn)))
        synthetic = ArraySource(drawn.gather(first), real.schema)
        taken = {**_NOWHERE, "dataset": plan.dataset, "split": plan.data["split"]}
        made = {**_NOWHERE, "run": "generators/seed-0", "model": plan.model, "seed": 0}
        of_real = [{**taken, "index": int(row)} for row in rows]
        of_synthetic = [{**made, "index": int(index)} for index in indices[first]]
        partial = self.folder / ".mixed.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        parts = [("real", real, of_real), ("synthetic", synthetic, of_synthetic)]
        self.trial.learner.write(partial, parts)
        partial.rename(self.folder / "mixed")


def _claim(folder: Path, settings: Settings) -> None:
    """Make the folder, or check that it holds this very augmentation.

    Raises:
        UsageError: it holds another one. More seeds on top of a result are another one too: who
            adds seeds until the answer pleases finds an effect where there is none.
        RunError: something else is there.
    """
    file, asked = folder / "settings.json", settings.model_dump(mode="json")
    if file.exists():
        kept = read_json(file)
        if differing := sorted(key for key in asked if kept.get(key) != asked[key]):
            raise UsageError(
                f"The folder {folder} holds another augmentation: {', '.join(differing)} differ.",
                "Give the same settings to go on with it, or choose another --name.",
            )
        return
    if folder.exists() and any(p for p in folder.iterdir() if p.name != ".settings.json.partial"):
        raise RunError(
            f"Expected a new folder, or one of an augmentation; {folder} holds something else.",
            "Choose another --name or --out.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_json(file, asked)


def _read(file: Path) -> dict[str, Any]:
    return read_json(file) if file.exists() else {}
