"""`genkit augment` for items that are no images: a learner of rows, on public names alone."""

import json

import numpy as np
import pytest

import genkit
from genkit.errors import UsageError
from genkit.plugins.registry import Plugin, Registry, installed, using
from genkit.testing import checks_for
from tests.toys.measures import open_measures, rows_of
from tests.toys.settings import MeasuresData

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("active_backend", "compiled_fast")]
SMALL = {"per_class": 3, "ratios": [4], "seeds": 3, "classifier_steps": 1, "verbose": False}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A whole augmentation of the toy table."""
    return genkit.augment("bells", out=tmp_path_factory.mktemp("augment") / "rows", **SMALL)


def test_a_verdict_comes_from_the_learner_of_the_modality(result):
    summary = result.summary
    assert summary["verdict"]["answer"] in ("helps", "hurts", "can't tell")
    assert [row["arm"] for row in summary["table"]] == [
        "real", "real+classical", "synthetic", "real+synthetic", "all",
    ]  # fmt: skip
    assert all(row["accuracy"] > 0.6 for row in summary["table"])
    assert {row["corruption"] for row in summary["robustness"]} == {"shift"}
    assert (result.folder / "augmentation.png").stat().st_size > 10_000
    asked = json.loads((result.folder / "settings.json").read_text())
    assert asked["classical"] == ["jitter"], "the learner's usual one"


def test_the_mixed_data_is_what_the_learner_writes(result):
    text = (result.folder / "mixed" / "rows.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    real = [line for line in lines if line["origin"] == "real"]
    made = [line for line in lines if line["origin"] == "synthetic"]
    assert (len(real), len(made)) == (9, 36)
    everything = open_measures(MeasuresData()).gather(np.arange(180))
    for line in real:
        np.testing.assert_array_equal(np.float32(line["row"]), rows_of(everything)[line["index"]])
    assert {line["run"] for line in made} == {"generators/seed-0"}
    assert not list(result.folder.glob(".mixed*"))


def test_the_same_again_goes_on_where_it_was(result):
    again = genkit.augment("bells", out=result.folder, **SMALL)
    assert again.summary == result.summary


def test_words_that_the_learner_does_not_know_are_refused(tmp_path):
    with pytest.raises(UsageError, match="expected some of jitter; received 'flip'"):
        genkit.augment("bells", classical=["flip"], out=tmp_path / "no", **SMALL)
    assert not (tmp_path / "no").exists()


def test_a_model_whose_items_nothing_learns_is_refused(tmp_path):
    with pytest.raises(UsageError, match="model of image or number: nothing learns labels of text"):
        genkit.augment("bigrams", dataset="measures", out=tmp_path / "no", **SMALL)


def test_two_learners_of_one_modality_are_told(tmp_path):
    class Second:
        @genkit.hookimpl
        def genkit_learners(self):
            yield genkit.LearnerSpec(name="second", summary="Too many", learner="a:b",
                                     modality="number", classical=("x",))  # fmt: skip

    registry = Registry()
    registry.add(Second(), Plugin("second", "second", "1.0"))
    with using(registry), pytest.raises(UsageError, match="toys/centroids and second/second"):
        genkit.augment("bells", out=tmp_path / "no", **SMALL)


def test_the_kit_finds_nothing_wrong_with_the_learner():
    assert installed().find("learners", "centroids").spec.usual == ("jitter",)
    outcomes = [check.run() for check in checks_for("centroids")]
    assert outcomes
    assert [o for o in outcomes if o.outcome == "failed"] == []
