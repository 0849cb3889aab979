"""A name that a model's base has is refused where it is taken, and what may be replaced is not."""

import keras
import pytest

import genkit
from genkit.errors import UsageError

pytestmark = pytest.mark.usefixtures("active_backend")


def method(self, batch):
    return batch


@pytest.mark.parametrize(
    ("name", "value", "owner"),
    [
        ("classes", 10, "genkit.Model"),
        ("classes", ("a", "b"), "genkit.Model"),
        ("decode", keras.layers.Identity, "genkit.Model"),
        ("options", method, "genkit.Model"),
        ("optimizer", "adam", "genkit.Model"),
        ("_networks", {}, "genkit.Model"),
        ("_run_method", method, "genkit.Model"),
        ("losses", method, "keras.Model"),
        ("losses", ("kl",), "keras.Model"),
        ("metrics", method, "keras.Model"),
        ("layers", ["conv"], "keras.Model"),
        ("weights", method, "keras.Model"),
        ("dtype", "float16", "keras.Model"),
        ("_losses", method, "keras.Model"),
        ("_layers", (), "keras.Model"),
        ("_metrics", method, "keras.Model"),
        ("_get_own_losses", method, "keras.Model"),
    ],
)
def test_a_class_that_hides_an_attribute_of_its_base_is_refused_when_it_is_made(name, value, owner):
    with pytest.raises(UsageError, match=rf"'{name}' of Mine would hide the .* of {owner}\."):
        type("Mine", (genkit.Model,), {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", 10),
        ("decode", keras.layers.Identity()),
        ("losses", []),
        ("metrics", []),
        ("optimizer", "adam"),
        ("_losses", []),
        ("_layers", []),
        ("_metrics", {}),
        ("_networks", {}),
        ("_inference", {}),
    ],
)
def test_an_attribute_of_a_model_that_hides_one_of_its_base_is_refused_when_it_is_set(name, value):
    class Mine(genkit.Model):
        def __init__(self):
            super().__init__()
            setattr(self, name, value)

    with pytest.raises(UsageError, match=f"'{name}' of Mine would hide"):
        Mine()


def test_what_is_meant_to_be_replaced_may_be():
    class Mine(genkit.Model):
        conditional = True
        batches_per_step = 2

        def __init__(self):
            super().__init__()
            self.options = {}
            self.training_step = lambda batch, minimize: {}
            self.encoder = keras.layers.Identity()
            self._own = []

        @property
        def modality(self):
            return "image"

        @property
        def metrics(self):
            return []

        def loss(self, batch):
            return batch

        def decode(self, z):
            return z

        def classes(self):
            return ("a",)

        def call(self, inputs):
            return inputs

        @classmethod
        def from_config(cls, config):
            return cls()

    model = Mine()
    assert model.loss(3) == 3
    assert model.training_step(None, None) == {}
    model.trainable = False
    assert not model.trainable


def test_a_class_below_a_model_of_somebody_else_may_replace_what_that_one_added():
    class Theirs(genkit.Model):
        def _helper(self):
            return 1

    class Mine(Theirs):
        def _helper(self):
            return 2

    assert Mine()._helper() == 2
