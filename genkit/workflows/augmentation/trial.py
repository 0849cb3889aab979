"""What is done for one seed: a generator learns, draws, and every arm is trained and tested."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genkit.data.source import ArraySource
from genkit.data.subset import held_out_of, rows_per_class
from genkit.plan.activation import activate
from genkit.plugins.registry import installed
from genkit.plugins.specs import resolve
from genkit.report.reviewing import Review
from genkit.workflows.augmentation.arms import Arm, synthesize
from genkit.workflows.augmentation.labelled import check_data, check_model, labels_of, open_split
from genkit.workflows.augmentation.learner import find_learner
from genkit.workflows.augmentation.settings import Settings
from genkit.workflows.augmentation.verdict import QUESTIONS

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.workflows.augmentation.learner import Learner
    from genkit.workflows.augmentation.scoreboard import Scoreboard

Tell = Callable[[str], None]


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """A signal ended a training; what was finished before is kept."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


class Trial:
    """The data of an augmentation, and what is done with it for a seed.

    Args:
        settings: what to do; its backend becomes the process's.
        folder: of the augmentation.
        tell: is given a line for what begins.
        progress: whether trainings show how far they are.

    Raises:
        UsageError: model and data don't suit.
    """

    def __init__(self, settings: Settings, folder: Path, tell: Tell, *, progress: bool) -> None:
        self.settings, self.folder, self.tell = settings, folder, tell
        self.progress = progress
        self.arms = settings.arms()
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

    def try_arms(
        self, seed: int, arms: Sequence[Arm], board: Scoreboard
    ) -> Iterator[tuple[Arm, float]]:
        """Do what is left of a seed; each result is on the disk before the next begins.

        Yields:
            each arm that has been tried, and its first score.

        Raises:
            Stopped: a signal came.
        """
        from genkit.models.training.progress import Progress

        real, _ = self.subset(seed)
        synthetic, _ = self.synthetic(seed, len(real), board)
        for arm in arms:
            trained, signal = self.learner.train(
                arm.data(real, synthetic),
                self.settings.classical if arm.classical else (),
                steps=self.settings.classifier_steps,
                seed=seed,
                callbacks=[Progress()] if self.progress else [],
            )
            if signal:
                raise Stopped(signal)
            scores = self.learner.scores(trained, self.test)
            found = dict(zip(self.learner.measures, scores, strict=True))
            if arm.name in QUESTIONS["real only"]:
                for name in self.learner.corruptions:
                    found[name] = self.learner.scores(trained, self.test, name)[0]
            board.add(seed, arm, found)
            del trained
            gc.collect()  # compiled steps hang in cycles
            yield arm, scores[0]

    def subset(self, seed: int) -> tuple[ArraySource, np.ndarray]:
        """Return the real items of a seed, and their rows in the train split."""
        data = self.settings.plan_of(seed).data
        rows = rows_per_class(
            self.labels, self.classes, data["per_class"], data["subset_seed"], data["subset"]
        )
        return ArraySource(self.train.gather(rows), self.train.schema), rows

    def synthetic(
        self, seed: int, n_real: int, board: Scoreboard
    ) -> tuple[ArraySource, np.ndarray]:
        """Train the generator of a seed, or take the trained one, and draw from it.

        Returns:
            the items that no reviewer refused, and which of those drawn they are.
        """
        model = self.generator(seed, n_real)
        n = max(arm.count(n_real) for arm in self.arms)
        source = self.source
        review = Review(source.schema, self.generated[0], installed(), source.assets)
        found = synthesize(model, n, seed, self.learner, review)
        board.refuse(seed, review.told())
        return found

    def generator(self, seed: int, n_real: int) -> Model:
        """Return the trained generator of a seed, whose run may have been begun before."""
        from genkit.runs.loading import load
        from genkit.runs.run import Run
        from genkit.workflows.resume import resume
        from genkit.workflows.train import execute

        plan, path = self.settings.plan_of(seed), generator_path(self.folder, seed)
        learned = n_real - (held_out_of(n_real) if plan.validate_every is not None else 0)
        plan = plan.model_copy(update={"batch_size": min(plan.batch_size, learned)})
        begun, verbose = path.exists(), self.progress
        if not begun or Run.open(path).status()["state"] != "done":
            self.tell(f"seed {seed + 1} of {self.settings.seeds}: {plan.model} learns ...")
            result = (
                resume(path, verbose=verbose)
                if begun
                else execute(plan, path.parent, path.name, verbose=verbose)
            )
            if result.outcome.signal:
                raise Stopped(result.outcome.signal)
        return load(path)


def generator_path(folder: Path, seed: int) -> Path:
    """Return the run directory of a seed's generator."""
    return folder / "generators" / f"seed-{seed}"
