"""Transforms of gradients: in order, computing gradients or changing them, compiled."""

import runpy
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit.data import as_source
from genkit.errors import UsageError
from genkit.models.training.unsaved_run import UnsavedRun
from genkit.plan.fitting import FitSettings

SAMPLE = Path(__file__).parents[2] / "docs/samples/gradient_transforms.py"
X = np.random.default_rng(0).standard_normal((12, 3)).astype("float32")
# Of the loss below: with respect to the kernel the items' mean, with respect to the bias one.
GRADIENTS = [np.tile(X.mean(axis=0)[:, None], 2), np.ones(2, "float32")]


class Sum(genkit.Model):
    """Learns by gradients that are known: its loss is the sum of a layer's outputs."""

    def __init__(self):
        super().__init__()
        self.network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        self.add_optimizer("network", keras.optimizers.SGD(1.0), self.network)

    def training_step(self, batch, minimize):
        loss, _ = minimize("network", self.total, batch)
        return {"loss": loss}

    def total(self, batch):
        return ops.mean(ops.sum(self.network(batch["vector"]), axis=1))

    def read(self):
        return [np.array(ops.convert_to_numpy(v.value)) for v in self.network.trainable_variables]


class Scaled(genkit.GradientTransform):
    def __init__(self, factor=2.0):
        self.factor, self.calls = factor, 0

    def transform(self, engine, name, gradients):
        self.calls += 1
        return [gradient * self.factor for gradient in gradients]


class Shifted(genkit.GradientTransform):
    def transform(self, engine, name, gradients):
        return [gradient + 1.0 for gradient in gradients]


class Clipped(genkit.GradientTransform):
    def gradients(self, engine, name, fn, *inputs):
        return engine.per_example_gradients(name, fn, *inputs, clip=0.1)


def moved(trainer, steps=1):
    """Train, and return by how much each weight went down."""
    model = Sum()
    before = model.read()
    settings = FitSettings(batch_size=len(X), steps=steps)
    trainer.fit(model, as_source(X), UnsavedRun(settings))
    return [b - a for b, a in zip(before, model.read(), strict=True)]


def with_transforms(*transforms):
    trainer = genkit.Trainer()
    trainer.transforms = transforms
    return trainer


def test_transforms_are_applied_in_order():
    first = moved(with_transforms(Scaled(), Shifted()))
    other = moved(with_transforms(Shifted(), Scaled()))
    for found, gradient in zip(first, GRADIENTS, strict=True):
        np.testing.assert_allclose(found, 2 * gradient + 1, rtol=1e-5, atol=1e-5)
    for found, gradient in zip(other, GRADIENTS, strict=True):
        np.testing.assert_allclose(found, 2 * (gradient + 1), rtol=1e-5, atol=1e-5)


def test_a_transform_is_compiled_with_the_step():
    transform = Scaled()
    moved(with_transforms(transform), steps=20)
    assert 1 <= transform.calls < 5


def test_others_change_what_the_first_has_computed():
    each = [np.concatenate([np.repeat(x, 2), np.ones(2)]) for x in X]
    expected = np.mean([g * min(1.0, 0.1 / np.linalg.norm(g)) for g in each], axis=0)
    found = moved(with_transforms(Clipped(), Scaled()))
    found = np.concatenate([array.ravel() for array in found])
    np.testing.assert_allclose(found, 2 * expected, rtol=1e-4, atol=1e-6)


def test_a_later_transform_that_would_compute_gradients_is_refused():
    with pytest.raises(UsageError, match="received Clipped in place 2, after Scaled"):
        moved(with_transforms(Scaled(), Clipped()))


def test_an_override_of_the_seam_goes_together_with_transforms():
    class Ascending(genkit.Trainer):
        transforms = (Scaled(),)

        def transform_gradients(self, name, gradients):
            return [-gradient for gradient in super().transform_gradients(name, gradients)]

    for found, gradient in zip(moved(Ascending()), GRADIENTS, strict=True):
        np.testing.assert_allclose(found, -2 * gradient, rtol=1e-5, atol=1e-5)


def test_the_sample_of_the_documentation_clips_and_centralizes():
    kernel, bias = moved(runpy.run_path(str(SAMPLE))["Steady"]())
    np.testing.assert_allclose(kernel.mean(axis=0), 0, atol=1e-6)
    assert np.abs(kernel).max() > 0.01
    assert 0 < np.linalg.norm(bias) < 1
