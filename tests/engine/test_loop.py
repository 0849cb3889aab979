"""Loops in time: compiled once on each backend, with a state that keeps its form."""

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit import engine
from genkit.errors import UsageError

on_pytorch = pytest.mark.skipif(keras.config.backend() != "torch", reason="PyTorch's own")


class Walk(genkit.Model):
    """A model that applies a layer again and again, and counts how often its step runs."""

    def __init__(self):
        super().__init__()
        keras.utils.set_random_seed(0)
        self.calls = 0
        self.network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, "tanh")])
        self.add_optimizer("network", keras.optimizers.SGD(), self.network)

    def step(self, number, x, shift):
        self.calls += 1
        return self.network(x, training=False) + shift + ops.cast(number, "float32") / 100

    def decode(self, x, shift, steps=5):
        """Walk; the step takes the shift from outside of the loop."""
        twice = shift * 2
        return genkit.loop(lambda number, x: self.step(number, x, twice), x, steps)


def arrays(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.standard_normal((4, 3)).astype("float32"), "shift": np.float32(seed / 10)}


def written_out(model, x, shift, steps):
    for number in range(steps):
        x = ops.convert_to_numpy(model.step(number, ops.convert_to_tensor(x), 2 * shift))
    return x


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_loop_is_its_steps_one_after_the_other(steps):
    model = Walk()
    run = engine.create(model).compile_inference(lambda x, shift: model.decode(x, shift, steps))
    for seed in (1, 2):
        inputs = arrays(seed)
        np.testing.assert_allclose(
            run(**inputs), written_out(model, steps=steps, **inputs), rtol=1e-5, atol=1e-6
        )


def test_a_step_runs_once_however_many_there_are_and_whatever_the_inputs():
    model = Walk()
    run = engine.create(model).compile_inference(lambda x, shift: model.decode(x, shift, 20))
    for seed in range(3):
        run(**arrays(seed))
    assert model.calls <= 2  # JAX looks twice


def test_weights_that_change_count():
    model = Walk()
    run = engine.create(model).compile_inference(lambda x, shift: model.decode(x, shift, 3))
    run(**arrays())
    model.network.layers[-1].bias.assign([1.0, -1.0, 0.5])
    expected = written_out(model, steps=3, **arrays())
    np.testing.assert_allclose(run(**arrays()), expected, rtol=1e-5)


def test_the_number_of_steps_may_be_an_input():
    model = Walk()
    run = engine.create(model).compile_inference(model.decode)
    for steps in (0, 3, 9):
        found = run(**arrays(1), steps=np.int32(steps))
        expected = written_out(model, steps=steps, **arrays(1))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert model.calls <= 2 + 12  # those of the comparison


@pytest.mark.parametrize(("most", "expected"), [(None, 128), (3, 8), (100, 128)])
def test_a_loop_ends_when_it_is_told(most, expected):
    def decode(x):
        def step(_, state):
            return {"x": state["x"] * 2, "count": (state["count"][0] + 1,)}

        start = {"x": x, "count": (ops.zeros((), "int32"),)}
        end = genkit.loop(step, start, most, until=lambda state: ops.max(state["x"]) > 100)
        return end["x"], end["count"][0]

    run = engine.create(Walk()).compile_inference(decode)
    for _ in range(2):
        found, count = run(x=np.float32([1, 0.5]))
        np.testing.assert_array_equal(found, [expected, expected / 2])
        assert count == np.log2(expected)


def test_a_loop_may_stand_in_a_loop():
    def decode(x):
        def outer(number, x):
            return genkit.loop(lambda _, y: y + x + ops.cast(number, "float32"), x, 2)

        return genkit.loop(outer, x, 3)

    run = engine.create(Walk()).compile_inference(decode)
    for start in (1.0, 2.0):
        expected = start
        for number in range(3):
            expected = 3 * expected + 2 * number
        np.testing.assert_allclose(run(x=np.full((2,), start, np.float32)), expected)


def test_what_a_loop_leaves_as_it_was_is_no_view_of_the_input():
    def decode(x):
        kept, _ = genkit.loop(lambda _, state: (state[0], state[1] + 1), (x, x), 2)
        return kept * 1.0, kept

    run = engine.create(Walk()).compile_inference(decode)
    for _ in range(2):
        np.testing.assert_array_equal(run(x=np.ones(3, "float32"))[1], np.ones(3))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda _, s: {"a": ops.concatenate([s["a"], s["a"]])}, r"a: float32 \(2,\); .*\(4,\)"),
        (lambda _, s: {"a": ops.cast(s["a"], "int32")}, r"received a: int32 \(2,\)"),
        (lambda _, s: {**s, "b": s["a"]}, r"received a: .*, b: "),
    ],
)
def test_a_step_that_changes_the_form_of_the_state_is_refused(step, message):
    run = engine.create(Walk()).compile_inference(lambda x: genkit.loop(step, {"a": x}, 2)["a"])
    with pytest.raises(UsageError, match=message):
        run(x=np.ones(2, "float32"))


def test_a_loop_without_an_end_is_refused():
    with pytest.raises(UsageError, match="steps, until or both"):
        genkit.loop(lambda _, x: x, ops.zeros(()))


def test_a_loop_outside_of_inference_runs_as_it_stands():
    found = genkit.loop(lambda number, x: x + ops.cast(number, "float32"), ops.zeros((2,)), 4)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [6, 6])


def test_a_loss_is_differentiated_through_a_loop():
    def grown(x):
        return genkit.loop(lambda _, y: y * x, ops.ones_like(x), 3)

    found = genkit.gradient(grown, ops.convert_to_tensor(np.float32([1, 2])))
    np.testing.assert_allclose(ops.convert_to_numpy(found), [3, 12])


@on_pytorch
def test_a_recorded_loop_gives_the_bits_of_an_eager_one():
    model = Walk()
    run = engine.create(model).compile_inference(lambda x, shift: model.decode(x, shift, 9))
    for seed in range(3):
        inputs = arrays(seed)
        np.testing.assert_array_equal(run(**inputs), written_out(model, steps=9, **inputs))


@on_pytorch
def test_a_loop_that_looks_at_a_value_runs_eagerly_and_says_so():
    def step(_, x):
        return x * 2 if float(ops.mean(x)) > 0 else x - 1

    run = engine.create(Walk()).compile_inference(lambda x: genkit.loop(step, x, 3))
    with pytest.warns(UserWarning, match=rf"eagerly.*:{step.__code__.co_firstlineno + 1}"):
        run(x=np.ones(2, "float32"))
    np.testing.assert_array_equal(run(x=-np.ones(2, "float32")), [-4, -4])


@on_pytorch
def test_what_a_recording_keeps_goes_with_it():
    import gc

    from genkit.engine import torch_loop

    def make():
        model = Walk()
        run = engine.create(model).compile_inference(lambda x, shift: model.decode(x, shift, 5))
        run(**arrays())
        return len(torch_loop._loops)

    gc.collect()
    before = len(torch_loop._loops)
    assert make() == before + 1
    gc.collect()
    assert len(torch_loop._loops) == before
