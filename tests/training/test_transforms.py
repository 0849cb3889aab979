"""Transforms of gradients: in order, computing gradients or changing them, compiled, with state."""

import runpy
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit.data import as_source
from genkit.errors import RunError, UsageError
from genkit.models.training.unsaved_run import UnsavedRun
from genkit.plan.fitting import FitSettings
from genkit.plugins.registry import Plugin, Registry, using

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


class Summed(genkit.GradientTransform):
    """Gives the sum of the gradients so far, and counts the steps."""

    def build(self, model):
        self.sums = {
            name: [keras.Variable("zeros", shape=v.shape) for v in model.owned_variables(name)]
            for name in model.optimizers
        }
        self.steps = keras.Variable(0, dtype="int32", trainable=False)
        self.calls = 0

    def transform(self, engine, name, gradients):
        self.calls += 1
        self.steps.assign_add(1)
        for total, gradient in zip(self.sums[name], gradients, strict=True):
            total.assign_add(gradient)
        return [total.value for total in self.sums[name]]


class Growing(genkit.GradientTransform):
    def build(self, model):
        self.factor = keras.Variable(0.1, trainable=False)

    def transform(self, engine, name, gradients):
        self.factor.assign(10 * self.factor)
        return [gradient * self.factor for gradient in gradients]


class EveryOther(genkit.GradientTransform):
    """Lets another transform change the gradients of every other step."""

    def __init__(self, other):
        self.other = other

    def build(self, model):
        self.other.build(model)
        self.odd = keras.Variable(0.0, trainable=False)

    def transform(self, engine, name, gradients):
        self.odd.assign(1.0 - self.odd)
        others = self.other.transform(engine, name, list(gradients))
        return [self.odd * o + (1 - self.odd) * g for o, g in zip(others, gradients, strict=True)]


class Keeping(genkit.Trainer):
    transforms = (Summed(), EveryOther(runpy.run_path(str(SAMPLE))["RunningClip"]()))


class Forgetting(genkit.Trainer):
    pass


@genkit.hookimpl
def genkit_trainers():
    for trainer in (Keeping, Forgetting):
        name = trainer.__name__.lower()
        yield genkit.TrainerSpec(
            name=name, summary="A toy", trainer=f"{__name__}:{trainer.__name__}"
        )


@pytest.fixture
def toys():
    """Have the trainers of this file installed."""
    registry = Registry()
    registry.add(sys.modules[__name__], Plugin("toys", "toys", "1.0"))
    with using(registry):
        yield


def test_what_a_transform_keeps_goes_from_step_to_step():
    for found, gradient in zip(moved(with_transforms(Summed()), 4), GRADIENTS, strict=True):
        np.testing.assert_allclose(found, (1 + 2 + 3 + 4) * gradient, rtol=1e-5, atol=1e-5)


def test_the_step_of_a_transform_that_keeps_something_is_compiled_once():
    transform = Summed()
    trainer = with_transforms(transform)
    moved(trainer, steps=20)
    assert int(transform.steps) == 20
    assert 1 <= transform.calls < 5
    assert not trainer.engine.eager


def test_each_training_begins_anew():
    trainer = with_transforms(Summed(), EveryOther(Summed()))
    first, second = moved(trainer, 3), moved(trainer, 3)
    np.testing.assert_allclose(first[1], second[1], rtol=1e-6)


def test_a_variable_that_was_made_before_the_training_is_refused():
    transform = Scaled()
    transform.factor = keras.Variable(2.0, trainable=False)
    with pytest.raises(UsageError, match="gradient_transforms/1/factor was there"):
        moved(with_transforms(Shifted(), transform))


def test_what_is_the_models_is_not_kept_twice():
    class Looking(genkit.GradientTransform):
        def build(self, model):
            self.model, self.layer = model, model.network
            self.drawn = keras.random.SeedGenerator(1)

    for _ in range(2):
        trainer = with_transforms(Looking())
        moved(trainer)
        keys = [key for key in trainer.engine.state.training if key.startswith("gradient_tr")]
        assert keys == ["gradient_transforms/0/drawn"]


@pytest.mark.slow
@pytest.mark.usefixtures("toys")
def test_what_transforms_keep_is_resumed_to_the_bit(train):
    whole = train(trainer="keeping", steps=12, name="whole", checkpoint_every=7)
    train(trainer="keeping", steps=7, name="parts", checkpoint_every=7)
    parts = genkit.resume(whole.path.parent / "parts", 12 - 7, verbose=False)
    for name in ("model", "training"):
        file = f"checkpoints/00000012/{name}.safetensors"
        assert (whole.path / file).read_bytes() == (parts.path / file).read_bytes()


@pytest.mark.usefixtures("toys")
def test_a_checkpoint_without_what_a_transform_keeps_is_refused(train, monkeypatch):
    result = train(trainer="forgetting", steps=2)
    monkeypatch.setattr(Forgetting, "transforms", (Summed(),))
    with pytest.raises(RunError, match="missing gradient_transforms/0/steps"):
        genkit.resume(result.path, 2, verbose=False)


def test_the_sample_of_the_documentation_clips_to_its_running_mean():
    transform = runpy.run_path(str(SAMPLE))["RunningClip"]()
    growing = Growing()
    found = moved(with_transforms(growing, transform), 3)
    norm = np.sqrt(sum(np.sum(g**2) for g in GRADIENTS))
    # Gradients of length 1, 10, 100: the second is clipped to 2, the third to 2 * (0.9 + 0.2).
    for array, gradient in zip(found, GRADIENTS, strict=True):
        np.testing.assert_allclose(array, (1 + 2 + 2.2) * gradient, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(float(transform.means["network"]), (0.99 + 0.22) * norm, rtol=1e-5)
