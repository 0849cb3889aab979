"""Layers without randomness do what they would do in generation."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def keras(active_backend):
    import keras

    return keras


def model_of(keras, *layers):
    import genkit

    model = genkit.Model()
    model.network = keras.Sequential([keras.Input((8,)), *layers])
    return model


def test_noise_of_every_rate_and_deviation_is_switched_off(keras):
    from genkit import layers
    from genkit.engine.keras_inside import silence_layers

    random = [
        layers.Dropout(0.5),
        keras.layers.Dropout(0.5),
        keras.layers.GaussianDropout(0.5),
        keras.layers.GaussianNoise(1.0),
        keras.layers.AlphaDropout(0.5),
    ]
    model = model_of(keras, *random, keras.Sequential([keras.layers.Dropout(0.5)]))
    items = np.ones((4, 8), "float32")
    before = keras.ops.convert_to_numpy(model.network(items, training=True))
    assert not np.array_equal(before, items)
    assert silence_layers(model) == []
    after = keras.ops.convert_to_numpy(model.network(items, training=True))
    assert np.array_equal(after, items)


def test_the_state_that_is_kept_stays_the_same(keras):
    from genkit.engine.keras_inside import silence_layers
    from genkit.engine.state import ModelState

    model = model_of(keras, keras.layers.Dense(2), keras.layers.Dropout(0.5))
    before = ModelState(model)
    silence_layers(model)
    after = ModelState(model)
    assert before.weights.keys() == after.weights.keys()
    assert before.training.keys() == after.training.keys()


def test_a_random_layer_of_another_kind_is_named(keras):
    from genkit.engine.keras_inside import silence_layers

    class Own(keras.layers.Layer):
        def __init__(self, **settings):
            super().__init__(**settings)
            self.draws = keras.random.SeedGenerator(0)

        def call(self, inputs):
            return inputs + keras.random.normal(inputs.shape, seed=self.draws)

    model = model_of(keras, Own(name="own_noise"))
    assert silence_layers(model) == ["own_noise"]
