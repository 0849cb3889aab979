"""Inference is compiled: a method runs once for each shape, and its program from then on."""

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit import engine
from genkit.errors import UsageError

on_pytorch = pytest.mark.skipif(keras.config.backend() != "torch", reason="PyTorch's own")


class Affine(genkit.Model):
    """A model whose method counts how often it runs."""

    def __init__(self):
        super().__init__()
        self.calls = 0
        self.network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        self.add_optimizer("network", keras.optimizers.SGD(), self.network)

    def decode(self, x, scale=1.0, power=1):
        self.calls += 1
        return self.network(x, training=False) * scale**power


def arrays(n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, 3)).astype("float32")


def eager(fn, **inputs):
    tensors = {name: ops.convert_to_tensor(value) for name, value in inputs.items()}
    return ops.convert_to_numpy(ops.stop_gradient(fn(**tensors)))


def test_a_method_runs_once_for_each_shape():
    model = Affine()
    run = engine.create(model).compile_inference(model.decode)
    found = [run(x=arrays(n, seed)) for n, seed in ((4, 0), (4, 1), (2, 2), (4, 3))]
    assert model.calls == 2
    for given, (n, seed) in zip(found, ((4, 0), (4, 1), (2, 2), (4, 3)), strict=True):
        np.testing.assert_allclose(given, eager(model.decode, x=arrays(n, seed)), rtol=1e-6)


def test_weights_that_change_count():
    model = Affine()
    run = engine.create(model).compile_inference(model.decode)
    before = run(x=arrays(4))
    model.network.layers[-1].bias.assign([1.0, 2.0])
    np.testing.assert_allclose(run(x=arrays(4)), before + np.float32([1, 2]), rtol=1e-5)
    assert model.calls == 1


def test_options_that_are_floats_are_inputs_and_others_choose_a_program():
    model = Affine()
    for options in ({"scale": 2.0}, {"scale": 3.0}, {"scale": 3.0, "power": 2}):
        model.map_items("decode", options, x=arrays(5))
    assert model.calls == 2


def test_nested_results_keep_their_structure_and_dtypes():
    model = Affine()
    run = engine.create(model).compile_inference(
        lambda x: {"text": ops.cast(x[:, 0], "int32"), "pair": (x, [x > 0])}
    )
    for _ in range(2):
        found = run(x=arrays(4))
        assert set(found) == {"text", "pair"}
        assert found["text"].dtype == np.int32
        assert found["pair"][1][0].dtype == bool
        np.testing.assert_array_equal(found["pair"][0], arrays(4))


def test_a_mistake_is_told_as_it_is():
    model = Affine()

    def wrong(x):
        raise UsageError("This is wrong.")

    with pytest.raises(UsageError, match=r"This is wrong\."):
        engine.create(model).compile_inference(wrong)(x=arrays(4))


def test_a_tensor_that_is_given_twice_is_two_inputs():
    run = engine.create(Affine()).compile_inference(lambda x, y: x - 2 * y)
    one = arrays(4)
    np.testing.assert_array_equal(run(x=one, y=one), -one)
    tensor = ops.convert_to_tensor(one)
    np.testing.assert_array_equal(run(x=tensor, y=tensor), -one)
    np.testing.assert_array_equal(run(x=tensor, y=tensor * 2), -3 * one)


def test_inputs_keep_the_names_that_people_give():
    run = engine.create(Affine()).compile_inference(lambda **inputs: inputs[" a-b"] - inputs["ö 1"])
    np.testing.assert_array_equal(run(**{" a-b": arrays(4), "ö 1": 2 * arrays(4)}), -arrays(4))


@on_pytorch
def test_a_recording_gives_the_bits_of_an_eager_call():
    model = Affine()
    run = engine.create(model).compile_inference(model.decode)
    for seed in range(3):
        np.testing.assert_array_equal(
            run(x=arrays(64, seed)), eager(model.decode, x=arrays(64, seed))
        )


@on_pytorch
def test_what_looks_at_a_value_runs_eagerly_and_says_so():
    model = Affine()

    def looking(x):
        return x * 2.0 if float(ops.mean(x)) > 0 else x

    run = engine.create(model).compile_inference(looking)
    line = looking.__code__.co_firstlineno + 1
    with pytest.warns(UserWarning, match=rf"looking\(\) runs eagerly.*:{line}"):
        first = run(x=arrays(4) + 5)
    np.testing.assert_array_equal(first, 2 * (arrays(4) + 5))
    np.testing.assert_array_equal(run(x=arrays(4) - 5), arrays(4) - 5)
