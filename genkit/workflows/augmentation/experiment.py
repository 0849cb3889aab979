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

import gc
import os
import shutil
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.source import ArraySource
from genkit.data.subset import held_out_of, rows_per_class
from genkit.errors import RunError, UsageError
from genkit.files import check_path, read_json, write_json
from genkit.plan.activation import activate
from genkit.plugins.entry_points import own_version
from genkit.plugins.registry import installed
from genkit.plugins.specs import resolve
from genkit.report.reviewing import Review
from genkit.runs import locks
from genkit.workflows.augmentation.arms import Arm, synthesize
from genkit.workflows.augmentation.conclusion import conclude, subset_overlap
from genkit.workflows.augmentation.labelled import (
    check_data,
    check_model,
    labels_of,
    open_split,
)
from genkit.workflows.augmentation.learner import find_learner
from genkit.workflows.augmentation.result import AugmentResult
from genkit.workflows.augmentation.settings import Settings
from genkit.workflows.augmentation.verdict import HELPS, QUESTIONS

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.workflows.augmentation.learner import Learner

Tell = Callable[[str], None]

# What every line of mixed/train/metadata.jsonl has: where a real item lies, what made another.
_NOWHERE = {
    **dict.fromkeys(("dataset", "split", "run", "model", "seed", "index")),
    "genkit": own_version(),
}


class _Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """A signal ended a training; what was finished before is kept."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


def run_experiment(settings: Settings, folder: Path, tell: Tell = lambda _: None) -> AugmentResult:
    """Train, test, judge and write; goes on where an earlier sitting ended.

    Args:
        settings: what to do; its backend becomes the process's.
        folder: of this augmentation; made if it isn't there.
        tell: is given a line for each finished part, and shows progress bars if it is given.

    Raises:
        UsageError: the folder can't be made or holds another augmentation, or model and data
            don't suit.
        RunError: another process writes there.
        GenkitError: the generator can't be trained.
    """
    check_path(folder)
    experiment = _Experiment(settings, folder, tell)
    _claim(folder, settings)
    status = folder / "status.json"
    owner = {"pid": os.getpid(), "host": socket.gethostname()}
    with locks.holding(folder / ".lock", f"The folder {folder}", lambda: _read(status)):
        write_json(status, {"state": "running", **owner})
        try:
            summary = experiment.carry_out()
        except _Stopped as stopped:
            write_json(status, {"state": "stopped"})
            return AugmentResult(folder, {}, stopped.signal)
        write_json(status, {"state": "done"})
    return AugmentResult(folder, summary)


class _Experiment:
    """One sitting: data and results of an augmentation."""

    def __init__(self, settings: Settings, folder: Path, tell: Tell) -> None:
        self.settings, self.folder, self.tell = settings, folder, tell
        self.arms = settings.arms()
        self.results: dict[str, dict[str, dict[str, float]]] = {}
        activate(settings.generator.backend)  # a learner may import Keras
        model = installed().find("models", settings.generator.qualified("model")).spec
        learner: type[Learner] = resolve(find_learner(installed(), model).spec.learner)
        self.source = open_split(settings, unseen=False)
        self.generated = model.output_fields(self.source.schema)
        self.train = check_data(learner.view(self.source, self.generated), settings, learner)
        unseen = learner.view(open_split(settings, unseen=True), self.generated)
        self.test = check_data(unseen, settings, learner)
        self.learner = learner(self.train.schema, self.train.assets)
        check_model(settings, self.source, self.learner.condition)
        self.labels = labels_of(self.train)
        self.classes = len(self.train.schema[self.learner.label].classes)
        self.began, self.done = time.monotonic(), 0

    def carry_out(self) -> dict[str, Any]:
        self.results = _read(self.folder / "results.json")
        for seed in range(self.settings.seeds):
            mine = self.results.setdefault(str(seed), {})
            if open_arms := [arm for arm in self.arms if arm.key not in mine]:
                self._try_arms(seed, open_arms)
        return self._conclude()

    def _try_arms(self, seed: int, arms: Sequence[Arm]) -> None:
        """Do what is left of a seed; each result is on the disk before the next begins."""
        from genkit.models.training.progress import Progress

        real, _ = self.subset(seed)
        synthetic, _ = self.synthetic(seed, len(real))
        for arm in arms:
            trained, signal = self.learner.train(
                arm.data(real, synthetic),
                self.settings.classical if arm.classical else (),
                steps=self.settings.classifier_steps,
                seed=seed,
                callbacks=[Progress()],
            )
            if signal:
                raise _Stopped(signal)
            scores = self.learner.scores(trained, self.test)
            found = dict(zip(self.learner.measures, scores, strict=True))
            if arm.name in QUESTIONS["real only"]:
                for name in self.learner.corruptions:
                    found[name] = self.learner.scores(trained, self.test, name)[0]
            self.results[str(seed)][arm.key] = found
            write_json(self.folder / "results.json", self.results)
            self._tell_of(seed, arm, scores[0])
            del trained
            gc.collect()  # compiled steps hang in cycles

    def subset(self, seed: int) -> tuple[ArraySource, np.ndarray]:
        """Return the real items of a seed, and their rows in the train split."""
        data = self.settings.plan_of(seed).data
        rows = rows_per_class(
            self.labels, self.classes, data["per_class"], data["subset_seed"], data["subset"]
        )
        return ArraySource(self.train.gather(rows), self.train.schema), rows

    def synthetic(self, seed: int, n_real: int) -> tuple[ArraySource, np.ndarray]:
        """Train the generator of a seed, or take the trained one, and draw from it.

        Returns:
            the items that no reviewer refused, and which of those drawn they are.
        """
        model = self.generator(seed, n_real)
        n = max(arm.count(n_real) for arm in self.arms)
        source = self.source
        review = Review(source.schema, self.generated[0], installed(), source.assets)
        found = synthesize(model, n, seed, self.learner, review)
        refused = self.folder / "refused.json"
        write_json(refused, {**_read(refused), str(seed): review.told()})
        return found

    def generator(self, seed: int, n_real: int) -> Model:
        from genkit.runs.loading import load
        from genkit.runs.run import Run
        from genkit.workflows.resume import resume
        from genkit.workflows.train import execute

        plan, runs = self.settings.plan_of(seed), self.folder / "generators"
        learned = n_real - (held_out_of(n_real) if plan.validate_every is not None else 0)
        plan = plan.model_copy(update={"batch_size": min(plan.batch_size, learned)})
        path = runs / f"seed-{seed}"
        begun = path.exists()
        if not begun or Run.open(path).status()["state"] != "done":
            self.tell(f"seed {seed + 1} of {self.settings.seeds}: {plan.model} learns ...")
            result = resume(path) if begun else execute(plan, runs, path.name)
            if result.outcome.signal:
                raise _Stopped(result.outcome.signal)
        return load(path)

    def _tell_of(self, seed: int, arm: Arm, score: float) -> None:
        self.done += 1
        left = sum(len(self.arms) - len(mine) for mine in self.results.values())
        left += len(self.arms) * (self.settings.seeds - len(self.results))
        minutes = left * (time.monotonic() - self.began) / self.done / 60
        self.tell(
            f"seed {seed + 1} of {self.settings.seeds}: {arm.key}: {score:.2%}; "
            f"{left} arms left, {minutes:.1f} min"
        )

    def _conclude(self) -> dict[str, Any]:
        from genkit.workflows.augmentation.plot import draw_result

        overlap = subset_overlap(self.labels, self.classes, self.settings)
        learner = self.learner
        verdict, summary = conclude(
            self.settings,
            self.results,
            len(self.test),
            overlap,
            corruptions=learner.corruptions,
            measures=learner.measures,
        )
        ratio = verdict.ratio if verdict.answer == HELPS else verdict.best_ratio
        summary["mixed"] = {"folder": "mixed", "seed": 0, "ratio": ratio}
        if not (self.folder / "mixed").exists():
            self._write_mixed(ratio)
        summary["refused"] = _sum(_read(self.folder / "refused.json").values())
        draw_result(summary, self.folder / "augmentation")
        write_json(self.folder / "augmentation.json", summary)
        return summary

    def _write_mixed(self, ratio: float) -> None:
        real, rows = self.subset(0)
        plan, arm = self.settings.plan_of(0), Arm("real+synthetic", ratio)
        drawn, indices = self.synthetic(0, len(real))
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
        self.learner.write(partial, parts)
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


def _sum(refused: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up what ``Review.told`` gave for each seed."""
    n, reasons = 0, Counter[str]()
    for each in refused:
        n += each["n"]
        reasons.update(each["reasons"])
    return {"n": n, "reasons": dict(reasons)}


def _read(file: Path) -> dict[str, Any]:
    return read_json(file) if file.exists() else {}
