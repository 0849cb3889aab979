"""Runs: the budget, the log, the card, the key, a resume."""

import json
import shutil
import stat
import warnings

import numpy as np
import pytest
from genkit_dp.accounting import Accountant
from safetensors.numpy import load_file
from sklearn.datasets import load_digits

import genkit
from genkit.engine.collective import Collective
from genkit.errors import RunError, UsageError

ITEMS, BATCH = 24, 6


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    digits = load_digits().images[:ITEMS, :, :, None]
    np.savez(path, image=(digits * 15).astype("uint8"))
    return path


@pytest.fixture
def run(images, tmp_path):
    def train(name, *, steps=2, model="vae", precision=None, config=None, workers=None, **settings):
        return genkit.train(
            model,
            dataset="npz",
            data={"path": str(images)},
            config={"width": 4, "latent_dim": 4} if config is None else config,
            batch_size=BATCH,
            steps=steps,
            seed=0,
            precision=precision,
            trainer="dp",
            trainer_config={"noise_multiplier": 4.0, **settings},
            runs_dir=tmp_path,
            name=name,
            verbose=False,
            workers=workers,
        ).path

    return train


def rows(path):
    return [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]


def exported(path):
    return (path / "model/weights.safetensors").read_bytes()


def test_every_line_of_the_log_has_its_epsilon_and_the_card_has_the_last(run):
    path = run("logged", steps=3)
    accountant = Accountant(ITEMS, BATCH / ITEMS, 4.0, 1, 1 / (10 * ITEMS))
    found = [row["epsilon"] for row in rows(path)]
    assert found == pytest.approx([accountant.epsilon(step) for step in (1, 2, 3)], rel=1e-9)
    card = (path / "model/README.md").read_text()
    assert f"| guarantee | ({found[-1]:.4g}, {1 / (10 * ITEMS):.3g})-differential privacy |" in card


def test_card_and_model_folder_tell_nothing_that_noise_does_not_cover(run):
    path = run("told")
    card = (path / "model/README.md").read_text()
    environment = json.loads((path / "environment.json").read_text())
    assert environment["data"]["fingerprint"] not in card
    assert "training losses" not in card
    assert {file.name for file in (path / "model").iterdir()} == {
        "README.md",
        "config.json",
        "weights.safetensors",
    }
    assert stat.S_IMODE((path / "dp.key").stat().st_mode) == 0o600


def test_a_run_ends_at_the_last_step_within_its_budget(run):
    accountant = Accountant(ITEMS, BATCH / ITEMS, 4.0, 1, 1 / (10 * ITEMS))
    budget = (accountant.epsilon(3) + accountant.epsilon(4)) / 2
    with pytest.warns(UserWarning, match="after 3 steps: one more would exceed the budget"):
        path = run("budget", steps=50, max_epsilon=budget)
    assert [row["step"] for row in rows(path)] == [1, 2, 3]
    assert rows(path)[-1]["epsilon"] <= budget < accountant.epsilon(4)
    with pytest.warns(UserWarning, match="after 3 steps"):
        assert genkit.resume(path, 5, verbose=False).outcome.steps == 3


def test_a_budget_that_allows_no_step_is_refused_before_anything_is_written(run, tmp_path):
    with pytest.raises(UsageError, match="one step at least"):
        run("none", max_epsilon=0.01)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("model", "precision", "told"),
    [
        ("dcgan", None, "BatchNormalization"),
        ("vq-vae", None, "gradients alone"),
        ("vae", "float16", "is scaled"),
    ],
)
def test_what_noise_does_not_cover_is_refused_before_anything_is_written(
    run, tmp_path, model, precision, told
):
    with pytest.raises(UsageError, match=told) as caught:
        run("refused", model=model, precision=precision, config={"width": 4})
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "refused").exists()


def test_a_resumed_run_ends_with_the_bits_of_one_that_was_not_interrupted(run):
    whole = run("whole", steps=3, secret=5)
    parted = run("parted", steps=1, secret=5)
    genkit.resume(parted, 2, verbose=False)
    assert exported(parted) == exported(whole)
    assert [r["epsilon"] for r in rows(parted)] == [r["epsilon"] for r in rows(whole)]


def test_a_resume_takes_the_key_of_the_run_and_another_run_has_another(run, tmp_path):
    first, same_seed = run("first", steps=1), run("second", steps=1)
    assert exported(first) != exported(same_seed)
    copy = shutil.copytree(first, tmp_path / "copy")
    for path in (first, copy):
        genkit.resume(path, 1, verbose=False)
    assert exported(first) == exported(copy)


def test_an_older_checkpoint_is_not_trained_on_after_a_later_model_was_given_out(run):
    path = run("older", steps=2)
    shutil.rmtree(path / "checkpoints/00000002")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RunError, match="step 2 was given out"):
            genkit.resume(path, 1, verbose=False)


def test_with_a_known_key_no_guarantee_is_claimed(run):
    card = (run("known", secret=3) / "model/README.md").read_text()
    assert "| guarantee | none" in card


def test_two_workers_learn_what_one_does_and_add_the_noise_once(run):
    one, two = (run(f"of-{n}", steps=3, secret=5, workers=n) for n in (1, 2))
    begun, mine, theirs = (
        load_file(path / f"checkpoints/{step:08d}/model.safetensors")
        for path, step in ((one, 0), (one, 3), (two, 3))
    )
    # Over all weights: Adam makes a whole step of a gradient that is rounding alone.
    learned = [key for key in mine if "seed" not in key]
    apart = sum(np.sum((theirs[key].astype("f8") - mine[key]) ** 2) for key in learned)
    come = sum(np.sum((mine[key].astype("f8") - begun[key]) ** 2) for key in learned)
    assert np.sqrt(apart / come) < 1e-3
    for left, right in zip(rows(one), rows(two), strict=True):
        assert right["epsilon"] == left["epsilon"]
        assert right["loss"] == pytest.approx(left["loss"], rel=1e-4)


def test_workers_have_one_key_which_the_run_keeps(run):
    path = run("unknown", steps=1, workers=2)
    assert stat.S_IMODE((path / "dp.key").stat().st_mode) == 0o600


def test_a_sample_that_workers_cannot_divide_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setattr("genkit_dp.trainer.of_this_process", lambda: Collective(0, 5))
    with pytest.raises(UsageError, match=r"5 workers can divide.* of 6 they have 24 rows"):
        run("five")
    assert not (tmp_path / "five").exists()
