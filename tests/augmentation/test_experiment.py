"""Whole augmentations of digits, with generators whose worth is known."""

import json

import numpy as np
import pytest
from PIL import Image

from genkit.builtin.datasets.digits import DigitsConfig, open_digits
from genkit.builtin.datasets.image_folder import ImageFolderConfig, open_image_folder
from genkit.errors import RunError, UsageError
from genkit.runs import loading
from genkit.runs.run import Run
from genkit.workflows.augmentation import classifier
from genkit.workflows.augmentation.experiment import run_experiment

pytestmark = pytest.mark.slow

STOPPED_AFTER = 2


def all_of(source):
    return source.gather(np.arange(len(source)))


@pytest.fixture(scope="module")
def sittings(settings, tmp_path_factory):
    """An augmentation with the perfect generator that is interrupted, and goes on.

    Gives its folder, its result, and what each sitting trained classifiers on.
    """
    folder = tmp_path_factory.mktemp("augmentations") / "perfect"
    trained, seen = classifier.trained, [[], []]

    def spy(source, classical, steps, seed, callbacks=()):
        if not told and len(seen[0]) == STOPPED_AFTER:
            return None, 15
        seen[len(told)].append((seed, source, classical, steps))
        return trained(source, classical, steps, seed)

    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "trained", spy)
        told.append(run_experiment(settings(), folder))
        told.append(run_experiment(settings(), folder))
    return folder, told, seen


def test_a_signal_stops_and_the_next_sitting_repeats_nothing(sittings):
    folder, (stopped, done), (first, second) = sittings
    assert (stopped.signal, stopped.summary) == (15, {})
    assert done.signal == 0
    assert len(first) == STOPPED_AFTER
    assert len(first) + len(second) == 3 * 5, "five arms a seed, each once"
    assert json.loads((folder / "status.json").read_text()) == {"state": "done"}


def test_the_same_again_trains_nothing_and_tells_the_same(sittings, settings, monkeypatch):
    folder, (_, done), _ = sittings
    monkeypatch.setattr(classifier, "trained", None)
    assert run_experiment(settings(), folder).summary == done.summary


def test_images_like_real_ones_help(sittings):
    _, (_, done), _ = sittings
    verdict = done.summary["verdict"]
    assert (verdict["answer"], verdict["ratio"], verdict["n"]) == ("helps", 5.0, 3)
    assert verdict["low"] > 0


def test_every_arm_has_a_row_that_says_n_and_interval(sittings):
    folder, (_, done), _ = sittings
    assert json.loads((folder / "augmentation.json").read_text()) == done.summary
    rows = done.summary["table"]
    assert [(row["arm"], row["ratio"]) for row in rows] == [
        ("real", None), ("real+classical", None),
        ("synthetic", 5.0), ("real+synthetic", 5.0), ("all", 5.0),
    ]  # fmt: skip
    for row in rows:
        assert row["n"] == len(row["values"]) == 3
        assert row["low"] <= row["accuracy"] == pytest.approx(np.mean(row["values"]))
        assert row["interval"] == "95 % t interval of the mean"
    robust = done.summary["robustness"]
    assert [(row["corruption"], row["arm"]) for row in robust] == [
        ("noise", "real"), ("noise", "real+synthetic"), ("blur", "real"), ("blur", "real+synthetic")
    ]  # fmt: skip
    assert robust[1]["against_real"]["n"] == 3
    assert robust[0]["accuracy"] < rows[0]["accuracy"], "noise makes it harder"
    for ending in ("png", "svg"):
        assert (folder / f"augmentation.{ending}").stat().st_size > 10_000


def test_arms_of_a_seed_differ_in_data_alone(sittings):
    _, _, (first, second) = sittings
    arms = [arm for arm in first + second if arm[0] == 0]
    assert [len(source) for _, source, *_ in arms] == [30, 30, 150, 180, 180]
    assert [bool(classical) for *_, classical, _ in arms] == [False, True, False, False, True]
    assert {steps for *_, steps in arms} == {120}
    real = all_of(arms[0][1])
    np.testing.assert_array_equal(all_of(arms[3][1])["image"][:30], real["image"])
    assert np.bincount(real["label"]).tolist() == [3] * 10


def test_no_test_item_is_trained_on_and_seeds_have_subsets_of_their_own(sittings):
    folder, _, (first, second) = sittings
    test = {image.tobytes() for image in all_of(open_digits(DigitsConfig(split="test")))["image"]}
    subsets = {}
    for seed, source, _, _ in first + second:
        images = {image.tobytes() for image in all_of(source)["image"]}
        assert not images & test
        subsets.setdefault(seed, images)
    assert len(subsets[0] | subsets[1] | subsets[2]) == 3 * 30, "no two share an item"
    for seed in range(3):
        run = Run.open(folder / "generators" / f"seed-{seed}")
        assert run.status()["state"] == "done"
        learned = open_digits(DigitsConfig(**run.plan.data))
        assert learned.fingerprint() == run.environment()["data"]["fingerprint"]
        assert {image.tobytes() for image in all_of(learned)["image"]} == subsets[seed]


def test_the_mixed_data_set_is_an_image_folder_with_provenance(sittings):
    folder, _, _ = sittings
    split = folder / "mixed" / "train"
    lines = [json.loads(line) for line in (split / "metadata.jsonl").read_text().splitlines()]
    opened = open_image_folder(ImageFolderConfig(path=folder / "mixed"))
    assert len(opened) == len(lines) == 180
    assert opened.schema["label"].classes == tuple(map(str, range(10)))
    labels = {line["file_name"]: line["label"] for line in lines}
    assert [labels[name] for name in sorted(labels)] == all_of(opened)["label"].tolist()

    train = all_of(open_digits(DigitsConfig()))
    model = loading.load(folder / "generators" / "seed-0")
    made = model.generate(150, seed=0)
    counts = {"real": 0, "synthetic": 0}
    for line in lines:
        counts[line["origin"]] += 1
        with Image.open(split / line["file_name"]) as picture:
            shown = np.asarray(picture)
        if line["origin"] == "real":
            assert (line["dataset"], line["split"], line["run"]) == ("digits", "train", None)
            source = train["image"][line["index"]]
            assert train["label"][line["index"]] == line["label"]
        else:
            assert (line["run"], line["model"], line["seed"], line["dataset"]) == (
                "generators/seed-0", "perfect", 0, None,
            )  # fmt: skip
            source = np.rint(made[line["index"]])
        np.testing.assert_array_equal(shown, np.round(source[..., 0] / 16 * 255).astype("uint8"))
    assert counts == {"real": 30, "synthetic": 150}


def test_noise_under_labels_does_not_help(settings, tmp_path):
    done = run_experiment(settings("noise"), tmp_path / "noise")
    verdict = done.summary["verdict"]
    assert verdict["answer"] in ("hurts", "can't tell")
    assert verdict["difference"] < 0
    synthetic_only = done.summary["table"][2]
    assert synthetic_only["accuracy"] < 0.3


def test_a_folder_belongs_to_one_augmentation(sittings, settings, tmp_path):
    folder, _, _ = sittings
    with pytest.raises(UsageError, match="another augmentation: seeds differ"):
        run_experiment(settings(seeds=4), folder)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="something else"):
        run_experiment(settings(), tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]
