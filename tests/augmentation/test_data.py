"""What an augmentation trains on and tests on: subsets, limits, and what reviewers leave."""

import json
from contextlib import ExitStack

import numpy as np
import pytest

from genkit.builtin import plugin
from genkit.builtin.datasets.digits import DigitsConfig, open_digits
from genkit.errors import PluginError
from genkit.plugins.registry import Registry, using
from genkit.workflows.augmentation import classifier
from genkit.workflows.augmentation.conclusion import subset_overlap
from genkit.workflows.augmentation.experiment import run_experiment
from genkit.workflows.augmentation.settings import make_settings
from genkit.workflows.augmentation.trial import Trial
from genkit.workflows.augmentation.verdict import ArmComparison, judge
from tests.augmentation import generator_plugin
from tests.augmentation.reviewer_plugin import BRIGHT, Plugin


@pytest.fixture
def review_by(plugins):
    """Have a reviewer installed besides."""
    with ExitStack() as stack:

        def install(reviewer):
            registry = Registry([plugin, generator_plugin, Plugin(reviewer)])
            stack.enter_context(using(registry))

        yield install


@pytest.mark.slow
def test_what_a_reviewer_refuses_is_neither_trained_on_nor_written(
    settings, review_by, tmp_path, monkeypatch
):
    trained, synthetic = classifier.trained, []

    def spy(source, classical, steps, seed, callbacks=()):
        if len(source) > 30:
            synthetic.append(source.gather(np.arange(len(source))))
        return trained(source, classical, steps, seed)

    review_by("Dim")
    monkeypatch.setattr(classifier, "trained", spy)
    told = run_experiment(settings(classifier_steps=1), tmp_path / "reviewed").summary
    refused = told["refused"]["n"]
    assert told["refused"]["reasons"] == {"dim: bright": refused}
    assert 0 < refused < 450
    alone = [arm["image"] for arm in synthetic[::3]]
    assert sum(len(images) for images in alone) == 450 - refused
    assert all(images.mean(axis=(1, 2, 3)).max() <= BRIGHT for images in alone)

    split = tmp_path / "reviewed" / "mixed" / "train"
    lines = [json.loads(line) for line in (split / "metadata.jsonl").read_text().splitlines()]
    made = [line for line in lines if line["origin"] == "synthetic"]
    assert [line["label"] for line in sorted(made, key=lambda line: line["index"])] == (
        synthetic[0]["label"].tolist()
    )
    assert all(line["index"] % 10 == line["label"] for line in made), "labels stay with their items"


@pytest.mark.filterwarnings("ignore:The samples of step")  # the generator's own, while it trains
def test_a_reviewer_that_fails_ends_it(settings, review_by, tmp_path):
    review_by("Raises")
    with pytest.raises(PluginError, match="RuntimeError: boom"):
        run_experiment(settings(), tmp_path / "failed")
    assert not (tmp_path / "failed" / "mixed").exists()


def test_a_limit_is_for_training_and_leaves_the_test_split_whole(registry, plugins, tmp_path):
    flags = {"model": "perfect", "dataset": "digits", "data": {"limit": 200}}
    asked = make_settings(registry, flags, per_class=5)
    limited = Trial(asked, tmp_path, print, progress=False)
    assert len(limited.train) == 200
    assert len(limited.test) == len(open_digits(DigitsConfig(split="test")))


def test_a_batch_has_no_more_items_than_are_left_to_learn_from(settings, tmp_path, monkeypatch):
    plans, asked = [], settings()
    validating = {"validate_every": 5, "batch_size": 64}
    plan = asked.generator.model_copy(update=validating)
    monkeypatch.setattr("genkit.workflows.train.execute", lambda plan, *_, **__: plans.append(plan))
    changed = asked.model_copy(update={"generator": plan})
    trial = Trial(changed, tmp_path, lambda _: None, progress=False)
    with pytest.raises(AttributeError):  # nothing was trained
        trial.generator(0, 30)
    assert plans[0].batch_size == 27, "three are held out"


def test_subsets_that_must_overlap_are_told(settings):
    labels = np.repeat([0, 1], [20, 15])
    assert subset_overlap(labels, 2, settings(per_class=5)) == 0
    assert subset_overlap(labels, 2, settings(per_class=6)) == pytest.approx(6 / 15)
    one = ArmComparison(ratio=1.0, difference=0.2, low=-0.1, high=0.4, p=0.1, n=3)
    assert "share about 40% of their items" in judge("real only", [one], 0.4).sentence
    assert "share" not in judge("real only", [one]).sentence
