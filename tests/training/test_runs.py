"""Runs on disk, from Python: train, load, resume, checkpoints, damage."""

import json
import os
import random
import shutil
import signal

import numpy as np
import pytest

import genkit
from genkit.errors import GenkitError, RunError, UsageError
from genkit.runs.run import Run
from tests.training.small import once

pytestmark = pytest.mark.usefixtures("active_backend")


def same_files(first, second):
    for name in ("model.safetensors", "training.safetensors"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def rows(result):
    return [json.loads(line) for line in (result.path / "metrics.jsonl").read_text().splitlines()]


def test_a_run_holds_everything(train):
    result = train(steps=20, sample_every=10, checkpoint_every=10, name="first")
    path = result.path
    assert path.name == "first"
    assert {p.name for p in path.iterdir() if not p.name.startswith(".")} == {
        "plan.json", "environment.json", "status.json", "metrics.jsonl",
        "checkpoints", "samples", "model", "report.html",
    }  # fmt: skip
    assert [r["step"] for r in rows(result)] == list(range(1, 21))
    assert set(rows(result)[0]) == {
        "step", "epoch", "seconds", "loss", "reconstruction_loss", "kl_loss"
    }  # fmt: skip
    assert [r["epoch"] for r in rows(result)] == [1] * 15 + [2] * 5
    samples = sorted(p.name for p in (path / "samples").iterdir())
    assert samples == ["00000001.png", "00000010.png", "00000020.png"]
    assert sorted(p.name for p in (path / "checkpoints").iterdir()) == ["00000010", "00000020"]
    assert json.loads((path / "status.json").read_text()) == {"state": "done", "step": 20}
    environment = json.loads((path / "environment.json").read_text())
    assert environment["data"]["items"] == 1500
    assert environment["plugins"] == {"genkit-keras": genkit.__version__}


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dcgan", "vae"])
@pytest.mark.parametrize("stop", [7, *once(15, 20)])
def test_resuming_gives_the_same_bits_as_not_stopping(train, trained, model, stop):
    """The stop falls inside an epoch (7, 20) and between two (15 steps are one).

    A rate that falls over a run's length would know that the second one was to be shorter.
    """
    steady = {"learning_rate_schedule": "constant", "warmup_steps": 0}
    whole = trained(model, steps=30, name="whole", **steady)
    stopped = train(model, steps=stop, name="parts", **steady)
    parts = genkit.resume(stopped.path, 30 - stop, verbose=False)
    same_files(whole.path / "checkpoints/00000030", parts.path / "checkpoints/00000030")
    without_time = [{k: v for k, v in r.items() if k != "seconds"} for r in rows(whole)]
    assert [{k: v for k, v in r.items() if k != "seconds"} for r in rows(parts)] == without_time
    assert (whole.path / "samples/00000030.png").read_bytes() == (
        parts.path / "samples/00000030.png"
    ).read_bytes()


@pytest.mark.slow
def test_the_same_seed_repeats_and_another_differs(train):
    runs = []
    for seed, name in ((1, "a"), (1, "b"), (2, "c")):
        random.seed()  # what the process drew before must not matter
        runs.append(train(steps=5, seed=seed, name=name).path / "checkpoints")
    first, again, other = runs
    same_files(first / "00000005", again / "00000005")
    weights = [(run / "00000000/model.safetensors").read_bytes() for run in (first, other)]
    assert weights[0] != weights[1]


@pytest.mark.slow
def test_how_often_samples_are_drawn_changes_nothing(train, monkeypatch):
    often = train("dcgan", steps=6, sample_every=1, name="often")
    monkeypatch.setattr("genkit.workflows.sample_grids.draw_samples", lambda *_, **__: None)
    never = train("dcgan", steps=6, name="never")
    assert not list(never.path.glob("samples/*"))
    same_files(often.path / "checkpoints/00000006", never.path / "checkpoints/00000006")


@pytest.mark.slow
@pytest.mark.once
def test_a_log_that_ran_ahead_of_the_checkpoint_is_cut_back(train):
    result = train(steps=5)
    with (result.path / "metrics.jsonl").open("a") as log:
        log.write('{"step": 6, "epoch": 1, "loss": 1}\n{"step": 7, "ep')
    genkit.resume(result.path, 3, verbose=False)
    assert [r["step"] for r in rows(result)] == list(range(1, 9))


@pytest.mark.slow
@pytest.mark.once
def test_resuming_a_finished_run_changes_nothing(train):
    result = train(steps=5)
    before = (result.path / "metrics.jsonl").read_text()
    again = genkit.resume(result.path, verbose=False)
    assert again.outcome.steps == 5
    assert (result.path / "metrics.jsonl").read_text() == before


def test_load_gives_the_model_back_from_a_run_a_result_and_an_export(train, tmp_path):
    result = train(steps=5)
    expected = genkit.load(result).generate(4, seed=1)
    np.testing.assert_array_equal(genkit.load(result.path).generate(4, seed=1), expected)
    copied = shutil.copytree(result.path / "model", tmp_path / "elsewhere")
    np.testing.assert_array_equal(genkit.load(copied).generate(4, seed=1), expected)


@pytest.mark.once
def test_an_existing_run_is_refused_and_untouched(train):
    result = train(steps=1, name="mine")
    before = {p: p.stat().st_mtime_ns for p in result.path.rglob("*")}
    with pytest.raises(RunError, match=r"exists already.*genkit resume"):
        train(steps=1, name="mine")
    assert {p: p.stat().st_mtime_ns for p in result.path.rglob("*")} == before


@pytest.mark.once
def test_a_batch_larger_than_the_data_leaves_no_run(train, tmp_path):
    with pytest.raises(GenkitError, match=r"1500 items.*--batch-size"):
        train(batch_size=2000)
    assert not (tmp_path / "runs").exists()


@pytest.mark.once
@pytest.mark.parametrize(
    "name",
    ["..", "a/b", ".hidden", "", "a" * 300, "é" * 101, "a\nb", "\udcff"],
)
def test_a_run_name_stays_inside_the_runs_folder(train, name, tmp_path):
    with pytest.raises(UsageError, match="run name"):
        train(steps=0, name=name)
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
@pytest.mark.once
def test_callbacks_can_come_from_a_recipe(train):
    callbacks = {"early-stopping": {"monitor": "loss", "patience": 0, "min_delta": 1e9}}
    assert train(epochs=9, callbacks=callbacks).outcome.steps == 2 * 15
    with pytest.raises(UsageError, match="'early-stopping' can't be made"):
        train(epochs=1, callbacks={"early-stopping": {"nonsense": 1}}, name="other")


@pytest.mark.slow
@pytest.mark.once
def test_time_ends_a_run(train):
    result = train(time=0.5, name="timed")
    assert 0.5 <= result.outcome.seconds < 20
    assert result.outcome.steps >= 1


@pytest.mark.slow
@pytest.mark.once
def test_a_finished_run_is_told_at_once_and_left_as_it_is(train, monkeypatch):
    from genkit.workflows import sitting

    result = train(steps=3)
    files = [p for p in result.path.rglob("*") if p.is_file()]
    before = {p: p.stat().st_mtime_ns for p in files}
    with monkeypatch.context() as patched:
        patched.setattr(sitting, "Sitting", None)  # whoever made one would fail
        again = genkit.resume(result.path, verbose=False)
    assert again.outcome.steps == 3
    assert again.outcome.steps_per_second == 0
    assert again.outcome.metrics == pytest.approx(result.outcome.metrics)
    assert again.to_dict().keys() == result.to_dict().keys()
    assert {p: p.stat().st_mtime_ns for p in files} == before
    assert genkit.resume(result.path, 2, verbose=False).outcome.steps == 5


@pytest.mark.slow
@pytest.mark.once
def test_an_interrupted_resume_goes_on_to_what_it_was_asked_for(train):
    import keras

    class Interrupt(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 4:
                os.kill(os.getpid(), signal.SIGTERM)

    result = train(steps=2)
    stopped = genkit.resume(result.path, 20, verbose=False, callbacks=[Interrupt()])
    assert stopped.outcome.steps == 5
    assert Run.open(result.path).status()["state"] == "stopped"
    assert genkit.resume(result.path, verbose=False).outcome.steps == 22
    assert genkit.resume(result.path, verbose=False).outcome.steps == 22


@pytest.mark.slow
@pytest.mark.once
def test_restored_best_weights_are_what_the_run_keeps(train):
    settings = {"monitor": "loss", "mode": "max", "patience": 1, "restore_best_weights": True}
    result = train(epochs=5, callbacks={"early-stopping": settings}, checkpoint_every=15)
    from_run = genkit.load(result.path).generate(4)
    np.testing.assert_array_equal(from_run, genkit.load(result.path / "model").generate(4))


@pytest.mark.slow
def test_a_loaded_model_with_averaged_weights_can_be_trained_again():
    import keras

    from tests.engine.small import batch_for, mlp_gan, stepper

    model = mlp_gan(optimizer=lambda: keras.optimizers.Adam(0.1, use_ema=True))
    _, run = stepper(model)
    run(batch_for(model), 0)
    model.use_averaged_weights()
    assert np.isfinite(run(batch_for(model), 1)["d_loss"])


@pytest.mark.slow
def test_a_gan_trains_on_the_image_whatever_it_is_called_and_wherever_it_stands():
    import keras

    rng = np.random.default_rng(0)
    data = {
        "label": rng.integers(0, 3, 32).astype("int32"),
        "photo": rng.integers(0, 255, (32, 4, 4, 1)).astype("uint8"),
    }
    from genkit.data import ArraySource

    schema = genkit.Schema(
        {
            "label": genkit.Field((), "int32", "label"),
            "photo": genkit.Field((4, 4, 1), "uint8", "image", (0, 255)),
        }
    )
    generator = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(16, "tanh"), keras.layers.Reshape((4, 4, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    gan = genkit.GAN(generator, discriminator, output_range=(-1, 1))
    gan.fit(ArraySource(data, schema), batch_size=16, verbose=False)
    assert gan.generate(3).max() > 1
