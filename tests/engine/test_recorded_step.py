"""On PyTorch a step is recorded once and then run from the recording: with the same bits."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.engine.small import batch_for, changed, mlp_gan, read, stepper

pytestmark = pytest.mark.skipif(keras.config.backend() != "torch", reason="PyTorch's own")


def train(model, sizes=(8,) * 5, before_step=lambda number: None):
    """Return the losses of each step, and the state at the end."""
    e, run = stepper(model)
    losses = []
    for number, size in enumerate(sizes):
        before_step(number)
        losses.append(run(batch_for(model, n=size, seed=number), number))
    return losses, read(e)


def eagerly(monkeypatch):
    """Let the engine run each step as it is."""
    from genkit.engine import torch_graph

    monkeypatch.setattr(torch_graph.Recorded, "__call__", lambda self, batch: self._fn(batch))


def build(**settings):
    keras.utils.set_random_seed(0)
    return mlp_gan(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": lambda: keras.optimizers.SGD(0.1, momentum=0.9)},
        {"optimizer": lambda: keras.optimizers.RMSprop(1e-2)},
        {"optimizer": lambda: keras.optimizers.Adam(1e-2, use_ema=True, global_clipnorm=0.1)},
        {"optimizer": lambda: keras.optimizers.AdamW(1e-2, amsgrad=True)},
        {"optimizer": lambda: keras.optimizers.Adadelta(0.1)},
        {
            "optimizer": lambda: keras.optimizers.Adam(
                keras.optimizers.schedules.ExponentialDecay(1e-2, 2, 0.5)
            )
        },
    ],
    ids=["adam", "sgd", "rmsprop", "ema and clipping", "amsgrad", "adadelta", "schedule"],
)
def test_a_recorded_step_gives_the_bits_of_an_eager_one(settings, monkeypatch):
    recorded_losses, recorded = train(build(**settings))
    eagerly(monkeypatch)
    losses, state = train(build(**settings))
    assert recorded_losses == losses
    assert changed(state, recorded) == set()


def test_the_first_step_from_a_recording_is_the_second(monkeypatch):
    calls = []
    model = build()
    inner = model.training_step
    model.training_step = lambda batch, minimize: calls.append(1) or inner(batch, minimize)
    train(model)
    assert len(calls) == 1


def test_another_batch_size_is_recorded_anew(monkeypatch):
    sizes = (8, 4, 8, 4, 4)
    recorded_losses, recorded = train(build(), sizes)
    eagerly(monkeypatch)
    losses, state = train(build(), sizes)
    assert recorded_losses == losses
    assert changed(state, recorded) == set()


def test_what_is_changed_between_steps_counts(monkeypatch):
    def lower_rate(model):
        def before_step(number):
            if number == 2:
                model.optimizers["generator"].learning_rate = 1e-4

        return before_step

    model = build()
    recorded_losses, recorded = train(model, before_step=lower_rate(model))
    eagerly(monkeypatch)
    model = build()
    losses, state = train(model, before_step=lower_rate(model))
    assert recorded_losses == losses
    assert changed(state, recorded) == set()


def looking(model):
    """Let the discriminator's loss depend on a decision about a tensor's value."""
    inner = model.discriminator_loss

    def loss(batch):
        value = inner(batch)
        return value * 2.0 if float(ops.mean(batch["vector"])) > 0 else value

    model.discriminator_loss = loss
    return model


def test_a_step_that_looks_at_a_value_runs_eagerly_and_says_so(monkeypatch):
    with pytest.warns(UserWarning, match="runs eagerly"):
        fallen_back_losses, fallen_back = train(looking(build()))
    eagerly(monkeypatch)
    losses, state = train(looking(build()))
    assert fallen_back_losses == losses
    assert changed(state, fallen_back) == set()


def with_loss(change):
    """Return a model whose discriminator's loss goes through a change of the batch."""
    model = build()
    inner = model.discriminator_loss
    model.discriminator_loss = lambda batch: change(inner(batch), batch)
    return model


@pytest.mark.parametrize(
    "look",
    [
        lambda value, batch: value * (1 + ops.convert_to_numpy(batch["vector"]).mean()),
        lambda value, batch: value * (1 + float(batch["vector"].mean())),
        lambda value, batch: value * (2.0 if batch["vector"].sum() > 0 else 1.0),
        lambda value, batch: value * max(batch["vector"][0].tolist()),
        lambda value, batch: value * float(OUTSIDE.value),
    ],
    ids=["numpy", "float", "if", "tolist", "a variable of nobody's"],
)
def test_no_look_at_a_value_is_frozen(look, monkeypatch):
    OUTSIDE.assign(1.5)
    with pytest.warns(UserWarning, match="looks at the value of a tensor"):
        fallen_back_losses, fallen_back = train(with_loss(look))
    eagerly(monkeypatch)
    losses, state = train(with_loss(look))
    assert fallen_back_losses == losses
    assert changed(state, fallen_back) == set()


def split_by_index(value, batch):
    return value + ops.mean(ops.split(batch["vector"], [1], axis=1)[0])


def times_an_array(value, batch):
    return value + ops.mean(batch["vector"] * np.ones(4, "float32"))


def decided(value, batch):
    return value * 2 if ops.mean(batch["vector"]) > 0 else value


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # NumPy's, of PyTorch's __array__
@pytest.mark.parametrize("look", [split_by_index, times_an_array, decided])
def test_the_line_that_makes_a_step_eager_is_named(look):
    with pytest.warns(UserWarning, match="runs eagerly") as told:
        train(with_loss(look), sizes=(8,))
    code = look.__code__
    place = f", at {code.co_filename}:{code.co_firstlineno + 1}"
    assert any(place in str(each.message) for each in told)


def positive_items(value, batch):
    return value + ops.sum(batch["vector"][batch["vector"] > 0])


def positive_places(value, batch):
    return value + 0.0 * ops.nonzero(batch["vector"] > 0)[0].shape[0]


@pytest.mark.parametrize("sized", [positive_items, positive_places])
def test_a_size_that_depends_on_values_is_not_frozen(sized, monkeypatch):
    with pytest.warns(UserWarning, match="size of what it computes depends on values") as told:
        fallen_back_losses, fallen_back = train(with_loss(sized))
    code = sized.__code__
    place = f", at {code.co_filename}:{code.co_firstlineno + 1}"
    assert any(place in str(each.message) for each in told)
    eagerly(monkeypatch)
    losses, state = train(with_loss(sized))
    assert fallen_back_losses == losses
    assert changed(state, fallen_back) == set()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # NumPy's, of PyTorch's __array__
def test_a_schedule_that_makes_a_step_eager_is_named_with_the_update_that_asks_it():
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 10, warmup_target=1e-2, warmup_steps=2)
    model = build(optimizer=lambda: keras.optimizers.Adam(schedule))
    with pytest.warns(UserWarning, match=r"small\.py:\d+, in keras/src/"):
        train(model, sizes=(8,))


OUTSIDE = keras.Variable(1.5, trainable=False)


def test_a_tensor_made_in_a_step_is_made_anew_each_time(monkeypatch):
    def collect(value, batch):
        total = ops.convert_to_tensor(np.zeros(4, "float32"))
        total += ops.mean(batch["vector"], axis=0)
        return value + ops.sum(total)

    recorded_losses, _ = train(with_loss(collect))
    eagerly(monkeypatch)
    losses, _ = train(with_loss(collect))
    assert recorded_losses == losses


def written_twice(value, batch):
    """Compute the same twice, and write to what a reshape of it shares its memory with."""
    vector = batch["vector"]
    for _ in range(2):
        rows = ops.matmul(ops.reshape(vector, (2, -1, 4)), ops.ones((4, 3)))
        rows += 1.0
        value = value + rows.mean()
    return value


def read_before_and_after(value, batch):
    """Read a tensor through the same view, and the same sum, before and after it is written."""
    copy = batch["vector"] * 1.0
    window = copy[:2]
    before = window.sum()
    copy += 1.0
    return value + before + 2 * copy[:2].sum()


def through_views(value, batch):
    copy = ops.reshape(ops.transpose(batch["vector"] * 1.0), (-1,))
    first = copy.sum()
    copy[:3] *= 2.0
    return value + first * copy.sum()


@pytest.mark.parametrize("writing", [written_twice, read_before_and_after, through_views])
def test_what_is_written_is_told_apart(writing, monkeypatch):
    recorded_losses, recorded = train(with_loss(writing))
    eagerly(monkeypatch)
    losses, state = train(with_loss(writing))
    assert recorded_losses == losses
    assert changed(state, recorded) == set()


def test_equal_operations_are_done_once(monkeypatch):
    import torch
    from torch.profiler import profile

    model = build(dropout=0.0, batch_norm=False)
    _, run = stepper(model)
    batch = batch_for(model)
    run(batch)
    counts = []
    for _ in range(2):
        with profile(activities=[torch.profiler.ProfilerActivity.CPU]) as watched:
            run(batch)
        counts.append(sum(e.name in ("aten::mm", "aten::addmm") for e in watched.events()))
        eagerly(monkeypatch)
    # The generator's two layers, passed twice in an eager step, once in a recorded one.
    assert counts[1] - counts[0] == 2


def test_a_mistake_in_a_step_is_told_as_it_is():
    model = build()
    model.generator_loss = lambda batch: batch["nothing"]
    with pytest.raises(KeyError, match="nothing"):
        train(model)
