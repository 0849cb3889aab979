"""Stopped anywhere and resumed, a run ends with the same bits as one that never stopped."""

import json
import os
import signal

import keras
import numpy as np
import pytest

import genkit
from genkit.errors import RunError, UsageError
from genkit.plan import precision
from genkit.plan.plan import make_plan
from genkit.plugins.registry import installed
from genkit.runs.run import Run
from genkit.workflows.train import execute
from tests.engine import small
from tests.training.small import SMALL, once

pytestmark = [
    pytest.mark.usefixtures("active_backend"),
    pytest.mark.filterwarnings("ignore:The training step runs eagerly:UserWarning"),
]
PER_EPOCH = 15


def arrays(run, step):
    folder = run.path / f"checkpoints/{step:08d}"
    return [(folder / f"{name}.safetensors").read_bytes() for name in ("model", "training")]


def state(run, step):
    read = json.loads((run.path / f"checkpoints/{step:08d}/state.json").read_text())
    return {key: value for key, value in read.items() if key != "seconds"}


def losses(run):
    return [
        {k: v for k, v in row.items() if k != "seconds"} for row in Run.open(run.path).metrics()
    ]


def same(whole, parts, step):
    assert arrays(whole, step) == arrays(parts, step)
    assert state(whole, step) == state(parts, step)
    assert losses(whole) == losses(parts)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "precision"),
    [
        ("gan", "float16"),
        pytest.param("dcgan", "float16", marks=pytest.mark.full),
        pytest.param("dcgan", "bfloat16", marks=pytest.mark.full),
    ],
)
def test_in_short_precision_with_its_loss_scale(train, model, precision):
    settings = {"precision": precision, "checkpoint_every": 6, "sample_every": 6}
    settings |= {"config": {"hidden": 16}} if model == "gan" else {}
    settings |= {"learning_rate_schedule": "constant", "warmup_steps": 0}
    whole = train(model, steps=12, name="whole", **settings)
    train(model, steps=6, name="parts", **settings)
    parts = genkit.resume(whole.path.parent / "parts", 6, verbose=False)
    same(whole, parts, 12)
    grid = "samples/00000012.png"
    assert (whole.path / grid).read_bytes() == (parts.path / grid).read_bytes()


adam, sgd, adamw = keras.optimizers.Adam, keras.optimizers.SGD, keras.optimizers.AdamW
decay = keras.optimizers.schedules.ExponentialDecay
OPTIMIZERS = {
    "accumulation": lambda: adam(0.01, gradient_accumulation_steps=4),
    "averaged weights": lambda: adam(0.01, use_ema=True, ema_overwrite_frequency=5),
    "momentum and clipping": lambda: sgd(0.01, momentum=0.9, global_clipnorm=1.0),
    "decay": lambda: adamw(decay(0.01, 3, 0.9)),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(
        adam(0.01), initial_scale=8.0, dynamic_growth_steps=2
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("option", OPTIMIZERS)
def test_with_every_option_of_the_optimizers(tmp_path, option):
    """A stop inside an accumulation (step 7 of fours), an average, a schedule."""
    from genkit.engine.state import ModelState

    def rest(stop):
        keras.utils.set_random_seed(3)
        model = small.mlp_gan(optimizer=OPTIMIZERS[option])
        _, step = small.stepper(model)
        seen = [step(small.batch_for(model), n) for n in range(stop)]
        if stop < 12:
            kept = ModelState(model).read()
            keras.utils.set_random_seed(99)
            model = small.mlp_gan(optimizer=OPTIMIZERS[option])
            _, step = small.stepper(model)
            ModelState(model).load_weights(kept[0])
            ModelState(model).load_training(kept[1])
            seen += [step(small.batch_for(model), n) for n in range(stop, 12)]
        return seen, ModelState(model).read()

    whole, parts = rest(12), rest(7)
    assert whole[0] == parts[0]
    for first, second in zip(whole[1], parts[1], strict=True):
        assert first.keys() == second.keys()
        for key in first:
            np.testing.assert_array_equal(first[key], second[key], err_msg=key)


class StopAfter(keras.callbacks.Callback):
    """Sends SIGTERM, as a cluster does, after so many steps."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGTERM)

    def get_state(self):
        return {}


class Count(keras.callbacks.Callback):
    """A person's own callback: it counts, and keeps a running array."""

    def __init__(self):
        super().__init__()
        self.batches = 0
        self.sums = np.zeros(2)
        self.worst = {"loss": -np.inf}

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
        self.sums += [1, logs["loss"]]
        self.worst["loss"] = max(self.worst["loss"], logs["loss"])


@pytest.mark.slow
@pytest.mark.once
def test_a_callback_goes_on_with_the_numbers_and_arrays_it_had(train):
    whole, first, second = Count(), Count(), Count()
    train(steps=20, name="whole", callbacks=[whole])
    parts = train(steps=11, name="parts", callbacks=[first])
    genkit.resume(parts.path, 9, verbose=False, callbacks=[second])
    assert (second.batches, second.worst) == (whole.batches, whole.worst) == (20, whole.worst)
    np.testing.assert_array_equal(second.sums, whole.sums)


def train_in_parts(tmp_path, stop, **settings):
    """Train until a signal comes, then until the plan's end."""
    wishes = {**SMALL, **settings, "model": "vae"}
    wishes.pop("verbose")
    plan = make_plan(installed(), wishes)
    stopped = execute(plan, tmp_path, "parts", [StopAfter(stop)], verbose=False)
    assert stopped.outcome.steps == stop
    return genkit.resume(stopped.path, verbose=False)


PATIENT = {"early-stopping": {"monitor": "loss", "mode": "max", "patience": 2,
                              "restore_best_weights": True}}  # fmt: skip
LOWER = {"reduce-lr-on-plateau": {"monitor": "loss", "mode": "max", "patience": 1,
                                  "factor": 0.5, "cooldown": 1}}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("stop", once(PER_EPOCH + 4, 2 * PER_EPOCH, 2 * PER_EPOCH + 5))
def test_early_stopping_waits_on_where_it_waited(trained, tmp_path, stop):
    settings = {"epochs": 9, "checkpoint_every": 5, "callbacks": PATIENT}
    whole = trained(name="whole", **settings)
    assert whole.outcome.steps == 3 * PER_EPOCH
    parts = train_in_parts(tmp_path, stop, **settings)
    same(whole, parts, 3 * PER_EPOCH)


@pytest.mark.slow
@pytest.mark.once
def test_a_run_that_a_callback_ended_stays_ended_until_more_is_asked_for(train):
    settings = {"monitor": "loss", "patience": 0, "min_delta": 1e9}
    result = train(epochs=9, callbacks={"early-stopping": settings})
    assert result.outcome.steps == 2 * PER_EPOCH
    assert genkit.resume(result.path, verbose=False).outcome.steps == 2 * PER_EPOCH
    assert genkit.resume(result.path, 3, verbose=False).outcome.steps == 2 * PER_EPOCH + 3


@pytest.mark.slow
@pytest.mark.once
def test_a_learning_rate_that_a_callback_lowered_stays_low(train, tmp_path):
    settings = {"epochs": 6, "callbacks": LOWER}
    whole = train(name="whole", **settings)
    same(whole, train_in_parts(tmp_path, 3 * PER_EPOCH + 2, **settings), 6 * PER_EPOCH)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("stop", [4, 2 * PER_EPOCH, 2 * PER_EPOCH + 4, 3 * PER_EPOCH + 4])
def test_the_csv_log_goes_on_without_gap_or_double(trained, tmp_path, stop):
    """The last stop falls on the last step: there is nothing left to resume."""
    settings = {"steps": 3 * PER_EPOCH + 4, "callbacks": {"csv-logger": {}}}
    whole = trained(name="whole", **settings)
    parts = train_in_parts(tmp_path, stop, **settings)
    texts = [(run.path / "epochs.csv").read_text() for run in (whole, parts)]
    assert texts[0] == texts[1]
    assert len(texts[0].splitlines()) == 5


@pytest.mark.once
def test_callbacks_that_are_gone_are_told_of(train):
    result = train(steps=5, callbacks=[Count()])
    with pytest.warns(UserWarning, match="callbacks that are not here: Count"):
        genkit.resume(result.path, 2, verbose=False)


@pytest.mark.once
@pytest.mark.parametrize("filename", ["/tmp/elsewhere.csv", "../elsewhere.csv", ""])
def test_a_callback_from_a_plan_writes_nowhere_but_in_its_run(train, filename):
    with pytest.raises(RunError, match=r"csv-logger.filename as a path inside"):
        train(steps=1, callbacks={"csv-logger": {"filename": filename}})


class TurnAround(keras.callbacks.Callback):
    """Lets training climb instead of descend after 12 steps."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 11:
            for optimizer in self.model.optimizers.values():
                optimizer.learning_rate.assign(-1e-3)


@pytest.mark.slow
@pytest.mark.once
def test_the_last_few_and_the_best_are_kept(train):
    result = train(
        steps=40, checkpoint_every=4, keep=3, keep_best="loss", callbacks=[TurnAround()],
        config={**SMALL["config"], "learning_rate": 1e-2},
    )  # fmt: skip
    rows = losses(result)
    means = {s: np.mean([r["loss"] for r in rows[s - 4 : s]]) for s in range(4, 41, 4)}
    best = min(means, key=means.get)
    assert best in (12, 16), "else the test shows nothing"
    names = sorted(int(p.name) for p in (result.path / "checkpoints").iterdir())
    assert names == [best, 32, 36, 40]
    from_best = genkit.load(result, checkpoint="best").generate(2)
    np.testing.assert_array_equal(from_best, genkit.load(result, checkpoint=best).generate(2))
    assert (from_best != genkit.load(result).generate(2)).any()
    with pytest.raises(RunError, match=r"checkpoint 5 .* there are .*, 40"):
        genkit.load(result, checkpoint=5)
    with pytest.raises(UsageError, match="step or 'best'"):
        genkit.load(result, checkpoint="newest")


@pytest.mark.slow
@pytest.mark.once
def test_the_best_by_a_loss_that_is_none_is_refused_at_the_first_step(train):
    with pytest.raises(UsageError, match=r"one of the losses loss, .*received 'fid'"):
        train(steps=3, keep_best="fid")


@pytest.mark.slow
@pytest.mark.once
def test_a_best_checkpoint_needs_to_have_been_asked_for(train):
    with pytest.raises(UsageError, match="keeps no best checkpoint"):
        genkit.load(train(steps=1), checkpoint="best")


@pytest.mark.slow
@pytest.mark.once
def test_what_a_later_sitting_was_done_with_is_recorded(train, monkeypatch):
    result = train(steps=2)
    genkit.resume(result.path, 1, verbose=False)
    assert "later" not in result.run.environment(), "nothing differed"
    monkeypatch.setattr("genkit.workflows.sitting.own_version", lambda: "9.9")
    genkit.resume(result.path, 1, verbose=False)
    assert [later["genkit"] for later in result.run.environment()["later"]] == ["9.9"]


@pytest.mark.slow
@pytest.mark.once
def test_resuming_warns_of_what_may_change_the_bits(train, monkeypatch):
    monkeypatch.setenv("MKL_CBWR", "AUTO")
    result = train(steps=2)
    # How threads wait decides no sum; older runs kept it all the same.
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    record = result.path / "environment.json"
    kept = json.loads(record.read_text())
    kept["settings"]["GOMP_SPINCOUNT"] = "7"
    record.write_text(json.dumps(kept))
    genkit.resume(result.path, 1, verbose=False)  # a warning would be an error
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    monkeypatch.setattr(precision, "cpu_name", lambda: "Another processor")
    monkeypatch.setattr("genkit.workflows.sitting.version", lambda _: "99.0")
    with pytest.warns(UserWarning, match="not be the same bits") as warned:
        genkit.resume(result.path, 1, verbose=False)
    text = str(warned[0].message)
    assert "MKL_CBWR has become AVX2 (it was AUTO)" in text
    assert "the processor is another (Another processor)" in text
    assert "keras has become 99.0" in text


@pytest.mark.slow
@pytest.mark.once
def test_what_is_being_deleted_is_no_checkpoint_any_more(train, monkeypatch):
    """A kill while files are deleted leaves no folder that looks like a checkpoint."""
    from genkit.runs import checkpoints

    deleted = []
    monkeypatch.setattr(checkpoints.shutil, "rmtree", lambda path, **_: deleted.append(path.name))
    train(steps=8, checkpoint_every=2)
    assert deleted
    assert not any(name.isdigit() for name in deleted)


@pytest.mark.once
def test_a_checkpoint_that_vanishes_while_it_is_read_is_chosen_anew(tmp_path):
    from genkit.runs.checkpoints import read_steadily

    folders = [tmp_path / name for name in ("old", "new")]

    def read(folder):
        if folder.name == "old":
            raise RunError("half of it is gone")
        return folder.name

    choices = iter(folders)
    assert read_steadily(lambda: next(choices), read) == "new"
    folders[0].mkdir()
    with pytest.raises(RunError, match="half of it"):
        read_steadily(lambda: folders[0], read)


@pytest.mark.once
def test_a_damaged_old_checkpoint_does_not_end_training(train):
    result = train(steps=4, checkpoint_every=4, keep_best="loss")
    (result.path / "checkpoints/00000000/state.json").write_text("{")
    assert genkit.resume(result.path, 4, verbose=False).outcome.steps == 8
