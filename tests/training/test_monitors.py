"""A callback that waits for what is never logged is refused at the start, with what there is."""

import keras
import pytest

import genkit
from genkit.errors import UsageError
from genkit.models.training import monitors

pytestmark = [pytest.mark.usefixtures("active_backend", "compiled_fast")]

LOGGED = ("d_loss", "g_loss")


class Adds(keras.callbacks.Callback):
    """A user's own, which measures something at the end of an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        logs["fid"] = 1.0


class OwnStopping(keras.callbacks.EarlyStopping):
    """A user's own form of Keras' callback: it may look elsewhere."""


@pytest.mark.once
@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.EarlyStopping(),
        keras.callbacks.EarlyStopping(monitor="gloss", mode="min"),
        keras.callbacks.ReduceLROnPlateau(),
        keras.callbacks.ModelCheckpoint("x.keras", save_best_only=True),
        monitors.EarlyStopping(),
        monitors.ReduceLROnPlateau(monitor="val_loss"),
    ],
    ids=lambda callback: f"{type(callback).__name__} {callback.monitor}",
)
def test_what_is_never_logged_is_refused_with_the_names_there_are(callback):
    with pytest.raises(UsageError, match=r"it logs d_loss, g_loss\. Set its monitor") as refused:
        monitors.check([callback], LOGGED)
    assert repr(callback.monitor) in str(refused.value)
    assert type(callback).__name__ in str(refused.value)


@pytest.mark.once
def test_a_direction_that_keras_can_not_tell_is_asked_for():
    callback = keras.callbacks.EarlyStopping(monitor="d_loss")
    with pytest.raises(UsageError, match='Set its mode to "min" or "max"'):
        monitors.check([callback], LOGGED)


@pytest.mark.once
@pytest.mark.parametrize(
    "callbacks",
    [
        [keras.callbacks.EarlyStopping(monitor="d_loss", mode="max")],
        [monitors.EarlyStopping("g_loss"), monitors.ReduceLROnPlateau("d_loss")],
        [keras.callbacks.ModelCheckpoint("{epoch}.keras")],
        [keras.callbacks.TerminateOnNaN(), keras.callbacks.CSVLogger("x.csv")],
        [OwnStopping()],
    ],
)
def test_what_has_what_it_needs_is_not_refused(callbacks):
    monitors.check(callbacks, LOGGED, epoch_ended=True)


@pytest.mark.once
def test_what_an_earlier_callback_may_add_is_waited_for_until_an_epoch_ends():
    late = [Adds(), keras.callbacks.EarlyStopping(monitor="fid", mode="min")]
    monitors.check(late, LOGGED)
    monitors.check(late, [*LOGGED, "fid"], epoch_ended=True)
    with pytest.raises(UsageError, match="'fid'"):
        monitors.check(late, LOGGED, epoch_ended=True)
    with pytest.raises(UsageError, match="'fid'"):
        monitors.check(late[::-1], LOGGED)


@pytest.fixture
def train(tmp_path):
    def run(name, *, steps=None, model="vae", **callbacks):
        return genkit.train(
            model,
            dataset="digits",
            config={"width": 4, "latent_dim": 4},
            batch_size=500,
            epochs=None if steps else 9,
            steps=steps,
            runs_dir=tmp_path,
            name=name,
            callbacks=callbacks.get("objects", callbacks),
            verbose=False,
        )

    return run


@pytest.mark.slow
def test_early_stopping_from_a_recipe_watches_the_loss_and_stops(train):
    stopped = train("stopped", **{"early-stopping": {"patience": 0, "min_delta": 1e9}})
    assert stopped.outcome.steps == 2 * 3


@pytest.mark.slow
def test_a_run_is_refused_before_its_first_step_is_kept(train, tmp_path):
    with pytest.raises(UsageError, match="'val_loss'.*it logs loss, reconstruction_loss, kl_loss"):
        train("refused", objects=[keras.callbacks.EarlyStopping()])
    assert not (tmp_path / "refused").exists()


@pytest.mark.slow
def test_a_value_that_a_callback_adds_can_be_watched(train):
    watch = keras.callbacks.EarlyStopping(monitor="fid", mode="min", patience=0)
    assert train("added", objects=[Adds(), watch]).outcome.steps == 2 * 3
