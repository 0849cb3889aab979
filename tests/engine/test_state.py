"""State is keyed by structure, complete, and loads again."""

import json

import keras
import numpy as np
import pytest

from genkit import engine
from genkit.errors import RunError
from tests.engine.small import batch_for, changed, mlp_gan, read, stepper

pytestmark = pytest.mark.usefixtures("active_backend")


def test_keys_do_not_depend_on_what_was_built_before():
    first = list(read(engine.create(mlp_gan())))
    for _ in range(3):
        keras.layers.Dense(4).build((None, 2))
    second = mlp_gan()
    assert list(read(engine.create(second))) == first
    assert "generator/layers/0/kernel" in first
    assert "optimizers/generator/velocities/generator/layers/0/kernel" in first


def test_state_is_complete_and_each_variable_stands_once():
    model = mlp_gan()
    state = engine.create(model).state
    found = [id(v) for v in state.variables]
    expected = {id(v) for v in model.variables}
    expected |= {id(v) for o in model.optimizers.values() for v in o.variables}
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_nested_and_listed_layers_are_found_by_attribute():
    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(2)
            self.many = [keras.layers.Dense(2), keras.layers.Dropout(0.1)]
            self.named = {"left": keras.layers.Dense(2)}
            self._private = keras.layers.Dense(2)
            for layer in (self.inner, self.many[0], self.named["left"], self._private):
                layer.build((None, 2))
            self.built = True

    import genkit

    class Nested(genkit.Model):
        def __init__(self):
            super().__init__()
            self.block = Block()
            self.add_optimizer("all", keras.optimizers.Adam(), self.block)

    keys = set(read(engine.create(Nested())))
    for name in ("inner", "many/0", "named/left", "_private"):
        assert f"block/{name}/kernel" in keys
    assert "block/many/1/seed" in keys


def test_weights_without_a_name_have_keys_of_the_structure_too():
    import genkit

    class Unnamed(genkit.Model):
        def __init__(self):
            super().__init__()
            self.first = self.add_weight(shape=(2,))
            self.second = self.add_weight(shape=(3,))

    keys = [list(read(engine.create(Unnamed()))) for _ in range(2)]
    assert keys[0] == keys[1] == ["variable", "variable_1"]


def test_numbers_that_a_model_keeps_are_weights_however_they_are_declared():
    import genkit

    class Keeping(genkit.Model):
        def __init__(self):
            super().__init__()
            self.count = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="count"
            )
            self.mean = keras.Variable(0.0, trainable=False, name="mean")
            self.several = {"a": keras.Variable(0, dtype="int32", trainable=False, name="several")}

    assert set(engine.create(Keeping()).state.weights) == {"count", "mean", "several"}


def test_dtypes_are_canonical_and_seeds_fit_31_bits():
    weights, training = engine.create(mlp_gan()).state.read()
    assert {a.dtype.name for a in weights.values()} == {"float32"}
    assert {a.dtype.name for a in training.values()} == {"float32", "int64"}
    seeds = [a for key, a in training.items() if key.endswith("/seed")]
    assert seeds
    assert all(a.min() >= 0 and a.max() < 2**31 for a in seeds)


def test_loading_a_state_repeats_the_next_step_to_the_bit():
    model = mlp_gan()
    e, run = stepper(model)
    for number in range(3):
        run(batch_for(model, seed=number), number)
    weights, training = e.state.read()
    expected_losses = run(batch_for(model, seed=3), 3)
    expected = read(e)

    other = mlp_gan()
    e2, run2 = stepper(other)
    e2.state.load_weights(weights)
    e2.state.load_training(training)
    assert run2(batch_for(other, seed=3), 3) == expected_losses
    assert changed(expected, read(e2)) == set()


def test_read_state_does_not_change_under_the_next_step():
    model = mlp_gan()
    e, run = stepper(model)
    before = read(e)
    copy = json.dumps({k: v.tolist() for k, v in before.items()})
    run(batch_for(model))
    assert json.dumps({k: v.tolist() for k, v in before.items()}) == copy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("generator/layers/0/kernel"), "missing generator/layers/0/kernel"),
        (lambda w: w.update(surplus=np.zeros(3)), "not expected surplus"),
        (
            lambda w: w.update({"generator/layers/0/kernel": np.zeros((1, 1))}),
            r"generator/layers/0/kernel of shape \(3, 16\); received \(1, 1\)",
        ),
    ],
)
def test_weights_that_do_not_fit_are_listed_and_nothing_is_loaded(change, message):
    e = engine.create(mlp_gan())
    before = read(e)
    weights = {key: array + 1 for key, array in e.state.read()[0].items()}
    change(weights)
    with pytest.raises(RunError, match=message):
        e.state.load_weights(weights)
    assert changed(before, read(e)) == set()
