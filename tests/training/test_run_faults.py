"""Runs in which something goes wrong: in training, on the disk, in the data."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import genkit
from genkit.errors import GenkitError, RunError, TrainingError
from genkit.runs.run import Run
from tests.training.small import SMALL

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")


@pytest.mark.slow
def test_a_diverging_run_fails_and_keeps_its_last_good_checkpoint(train, tmp_path):
    config = {**SMALL["config"], "learning_rate": 1e12}
    with pytest.raises(TrainingError, match=r"became (nan|inf) at step"):
        train(steps=200, config=config, name="wild", checkpoint_every=1)
    from genkit.engine.state import ModelState

    run = Run.open(tmp_path / "runs" / "wild")
    assert run.status()["state"] == "failed"
    assert run.metrics()
    weights, _ = ModelState(genkit.load(run.path)).read()
    assert all(np.isfinite(array).all() for array in weights.values())


@pytest.mark.slow
@pytest.mark.once
def test_changed_data_are_not_resumed(train, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", image=rng.integers(0, 255, (120, 8, 8), dtype="uint8"))
    settings = {"dataset": "npz", "data": {"path": str(tmp_path / "mine.npz")}, "name": "npz"}
    result = train(steps=2, **settings)
    np.savez(tmp_path / "mine.npz", image=rng.integers(0, 255, (120, 8, 8), dtype="uint8"))
    with pytest.raises(RunError, match="data of .* has changed"):
        genkit.resume(result.path, 2, verbose=False)


@pytest.mark.slow
@pytest.mark.once
def test_a_checkpoint_gets_its_name_only_when_it_is_whole(train, monkeypatch):
    result = train(steps=2)

    def refuse(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(RunError, match="checkpoint of step 5 can't be written: Input/output"):
        genkit.resume(result.path, 3, verbose=False)
    monkeypatch.undo()
    names = sorted(p.name for p in (result.path / "checkpoints").iterdir())
    assert names == ["00000000", "00000002"]


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(
    ("file", "damage"),
    [
        ("plan.json", "{"),
        ("environment.json", "[]"),
        ("environment.json", "{}"),
        ("checkpoints/00000002/model.safetensors", "not a safetensors file"),
        ("checkpoints/00000002/model.safetensors", ""),
        ("checkpoints/00000002/state.json", "{}"),
        ("checkpoints/00000002/training.safetensors", None),
    ],
)
def test_a_damaged_run_is_one_clear_error(trained, tmp_path, file, damage):
    path = shutil.copytree(trained(steps=2).path, tmp_path / "damaged")
    if damage is None:
        (path / file).unlink()
    else:
        (path / file).write_text(damage)
    with pytest.raises(GenkitError) as caught:
        genkit.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_weights_that_are_no_numbers_are_never_a_checkpoint(train):
    import keras

    class Poison(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                kernel = self.model.decoder.layers[0].kernel
                kernel.assign(np.full(kernel.shape, np.nan))

    with pytest.raises(TrainingError, match="became NaN or infinite by step 3"):
        train(steps=9, checkpoint_every=3, callbacks=[Poison()], name="poisoned")


@pytest.mark.slow
@pytest.mark.once
def test_a_quiet_end_on_nan_exports_nothing_and_runs_still_lists(train, tmp_path):
    config = {**SMALL["config"], "learning_rate": 1e12}
    result = train(steps=200, config=config, callbacks={"terminate-on-nan": {}})
    assert result.run.metrics()[-1]["loss"] is None
    assert not (result.path / "model").exists()
    (listed,) = genkit.list_runs(result.path.parent)
    assert listed.path == result.path
