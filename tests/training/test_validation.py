"""Held-out data: looked at while training goes on, learned from never."""

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit.data import as_source, hold_out
from genkit.errors import DataError, UsageError
from genkit.plugins.registry import Plugin, Registry, installed, using
from genkit.runs import inputs
from tests.training import validation_plugin

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")
DATA = {"vector": np.random.default_rng(0).normal(size=(70, 3)).astype("float32")}
HELD_OUT = {"vector": np.random.default_rng(1).normal(size=(23, 3)).astype("float32")}


class Noisy(genkit.Model):
    """A network that is another in training: it drops out, and keeps statistics."""

    def __init__(self):
        super().__init__()
        layers = [keras.layers.Dropout(0.5), keras.layers.BatchNormalization(momentum=0.5)]
        self.network = keras.Sequential([keras.Input((3,)), *layers, keras.layers.Dense(2)])
        self.add_optimizer("network", keras.optimizers.Adam(0.01), self.network)

    def loss(self, vector):
        return ops.mean(ops.square(self.network(vector, training=True) - 1.0))

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.loss, batch["vector"])[0]}


class Logs(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.steps, self.epochs = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(dict(logs))

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs))


def fit(**settings):
    keras.utils.set_random_seed(0)
    model, logs = Noisy(), Logs()
    model.fit(DATA, batch_size=10, callbacks=[logs], verbose=False, **settings)
    return model, logs


def weights(model):
    return [ops.convert_to_numpy(variable.value) for variable in model.network.variables]


def test_looking_changes_nothing_of_what_is_learned():
    with_it, logs = fit(steps=9, validation_data=HELD_OUT, validate_every=2)
    without, plain = fit(steps=9)
    for seen, kept in zip(weights(with_it), weights(without), strict=True):
        np.testing.assert_array_equal(seen, kept)
    assert [step["loss"] for step in logs.steps] == [step["loss"] for step in plain.steps]


def test_the_losses_are_those_of_generation_over_every_item():
    model, logs = fit(steps=8, validation_data=HELD_OUT, validate_every=4)
    outputs = ops.convert_to_numpy(model.network(HELD_OUT["vector"], training=False))
    assert logs.steps[-1]["validation_loss"] == pytest.approx(
        float(np.mean((outputs - 1) ** 2)), rel=1e-5
    )


def test_when_it_is_looked_at():
    _, logs = fit(steps=9, validation_data=HELD_OUT, validate_every=4)
    seen = [number for number, step in enumerate(logs.steps, 1) if "validation_loss" in step]
    assert seen == [1, 4, 8, 9]


def test_keras_way_is_once_an_epoch():
    _, logs = fit(epochs=3, validation_data=HELD_OUT)
    assert [number for number, s in enumerate(logs.steps, 1) if "validation_loss" in s] == [
        1,
        7,
        14,
        21,
    ]
    assert all("validation_loss" in epoch for epoch in logs.epochs)


def test_an_epoch_tells_only_what_was_looked_at_in_it():
    _, logs = fit(epochs=4, validation_data=HELD_OUT, validate_every=14)
    assert ["validation_loss" in epoch for epoch in logs.epochs] == [True, True, False, True]


@pytest.fixture
def overfit(tmp_path):
    """Train a model whose weight after n steps is n, and best at five."""
    registry = Registry()
    registry.add(validation_plugin, Plugin("overfits", "overfits", "1.0"))

    def run(name="run", **settings):
        settings = {"steps": 9, "verbose": False, "runs_dir": tmp_path, "name": name, **settings}
        return genkit.train("overfits", **settings)

    with using(registry):
        yield run


def weight_of(model):
    return float(ops.convert_to_numpy(model.weight()))


def checkpoints(result):
    return sorted(int(path.name) for path in (result.path / "checkpoints").iterdir())


def test_the_best_checkpoint_is_where_held_out_data_fits_best(overfit):
    result = overfit(validate_every=1, keep_best="validation_loss")
    assert checkpoints(result) == [5, 8, 9]
    assert weight_of(genkit.load(result, checkpoint="best")) == pytest.approx(5)


def test_also_where_checkpoints_come_less_often_than_looks(overfit):
    result = overfit(validate_every=3, checkpoint_every=8, keep_best="validation_loss")
    assert checkpoints(result) == [6, 8, 9]
    assert weight_of(genkit.load(result, checkpoint="best")) == pytest.approx(6)


def test_early_stopping_ends_on_it(overfit):
    stopping = {"early-stopping": {"monitor": "validation_loss", "patience": 1}}
    result = overfit(steps=None, epochs=20, batch_size=1350, validate_every=1, callbacks=stopping)
    assert result.outcome.steps == 6  # better until five, then worse
    assert result.run.status()["state"] == "done"


def test_epochs_without_a_look_are_passed_over(overfit):
    stopping = {"early-stopping": {"monitor": "validation_loss", "patience": 1}}
    result = overfit(steps=None, epochs=20, batch_size=1350, validate_every=4, callbacks=stopping)
    assert result.outcome.steps == 8  # looked at 1, 4 and 8


@pytest.mark.parametrize("wish", ["keep_best", "callbacks"])
def test_what_will_not_be_logged_is_refused_with_what_will(overfit, tmp_path, wish):
    asked = {"early-stopping": {"monitor": "validation_fid"}}
    wrong = {"keep_best": "validation_fid"} if wish == "keep_best" else {"callbacks": asked}
    with pytest.raises(UsageError, match=r"loss, validation_loss.*"):
        overfit(validate_every=4, **wrong)
    assert not (tmp_path / "run").exists()


def test_stopped_and_resumed_it_sees_the_same(overfit):
    whole = overfit("whole", validate_every=2, keep_best="validation_loss")
    overfit("parts", steps=3, validate_every=2, keep_best="validation_loss")
    parts = genkit.resume(whole.path.parent / "parts", 6, verbose=False)
    assert {k: v.tolist() for k, v in whole.history.items() if k == "validation_loss"} != {}
    rows = [
        [(row["step"], row.get("validation_loss")) for row in each.run.metrics()]
        for each in (whole, parts)
    ]
    assert [row for row in rows[1] if row[0] != 3] == [row for row in rows[0] if row[0] != 3]
    assert checkpoints(parts) == [4, 8, 9]


@pytest.mark.once
def test_a_tenth_is_held_out_and_not_learned_from(train):
    run = train(steps=1, validate_every=1).run
    everything = inputs.open_data(run.plan.model_copy(update={"validate_every": None}), installed())
    learned = inputs.open_data(run.plan, installed())
    held_out = inputs.open_divided(run.plan, installed())[1]
    assert (len(held_out), len(learned) + len(held_out)) == (len(everything) // 10, len(everything))
    assert not set(learned.indices) & set(held_out.indices)
    assert run.environment()["data"]["items"] == len(learned)
    assert run.environment()["data"]["fingerprint"] == learned.fingerprint()


@pytest.mark.once
def test_a_validation_split_is_used_where_there_is_one(train, tmp_path):
    from PIL import Image

    for split, count in (("train", 6), ("validation", 3)):
        (tmp_path / "images" / split).mkdir(parents=True)
        for number in range(count):
            shade = 20 * number + (100 if split == "validation" else 0)
            Image.new("L", (8, 8), shade).save(tmp_path / "images" / split / f"{number}.png")
    data = {"path": str(tmp_path / "images")}
    run = train(dataset="image-folder", data=data, steps=1, batch_size=2, validate_every=1).run
    held_out = inputs.open_divided(run.plan, installed())[1]
    assert held_out.gather(np.arange(3))["image"][:, 0, 0, 0].tolist() == [100, 120, 140]
    assert len(inputs.open_data(run.plan, installed())) == 6


@pytest.mark.once
@pytest.mark.parametrize("fault", ["damaged", "empty"])
def test_a_damaged_validation_split_is_an_error_and_no_reason_for_another(train, tmp_path, fault):
    from PIL import Image

    folder = tmp_path / "images"
    for split in ("train", "test", "val"):
        (folder / split).mkdir(parents=True)
        for number in range(6):
            Image.new("L", (8, 8), 20 * number).save(folder / split / f"{number}.png")
    for file in (folder / "val").iterdir():
        file.write_bytes(b"no picture") if fault == "damaged" else file.unlink()
    settings = {"dataset": "image-folder", "data": {"path": str(folder)}, "batch_size": 2}
    with pytest.raises(DataError, match=r"validation split of image-folder.*a tenth"):
        train(name="wrong", **settings, steps=1, validate_every=1)
    assert not (tmp_path / "runs" / "wrong").exists()
    for file in (folder / "val").iterdir():
        file.unlink()
    (folder / "val").rmdir()
    run = train(name="right", **settings, steps=1, validate_every=1).run
    assert run.environment()["data"]["held_out"] == 1


@pytest.mark.once
def test_a_sitting_opens_its_data_once(train, monkeypatch):
    opened, open_entry = [], inputs.open_entry
    monkeypatch.setattr(inputs, "open_entry", lambda *a: opened.append(a) or open_entry(*a))
    monkeypatch.setattr("genkit.report.page.attach_report", lambda *_: None)
    train(steps=1, validate_every=1)
    assert len(opened) == 1


@pytest.mark.once
def test_a_single_item_is_not_divided():
    with pytest.raises(genkit.GenkitError, match="two items or more"):
        hold_out(as_source({"vector": DATA["vector"][:1]}), 0)


@pytest.mark.once
def test_the_report_draws_it_over_the_training_curve(train):
    result = train(steps=4, validate_every=2)
    page = (result.path / "report.html").read_text()
    assert "training loss: from" in page
    assert "validation loss: from" in page
