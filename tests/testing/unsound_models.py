"""Toy models and trainers, each with one defect; and settings in the wrong place."""

import keras
import numpy as np
from keras import ops

import genkit
from genkit.errors import DataError
from genkit.plan.fitting import Position
from genkit.testing.toys import ToyModel


class HeavyConfig(genkit.Config):
    """Settings whose module imports Keras."""


class NotAModel:
    pass


class Refusing(ToyModel):
    def __init__(self, config, schema):
        raise DataError("I take nothing.")


class GrayOnly(ToyModel):
    def __init__(self, config, schema):
        if schema["image"].shape[-1] == 3:
            raise ValueError("gray only")
        super().__init__(config, schema)


class Surprised(ToyModel):
    def __init__(self, config, schema):
        for size in schema["image"].shape:
            int(size)
        super().__init__(config, schema)


class Infinite(ToyModel):
    def training_step(self, batch, minimize):
        losses = super().training_step(batch, minimize)
        return {"loss": losses["loss"] / 0.0}


class Blind(ToyModel):
    def validation_step(self, batch):
        return {"loss": super().validation_step(batch)["loss"] / 0.0}


class OneSided(ToyModel):
    def training_step(self, batch, minimize):
        loss, _ = minimize("encoder", self.loss, batch)
        return {"loss": loss}


class Meddling(ToyModel):
    def training_step(self, batch, minimize):
        self.decoder.weights[-1].assign_add(ops.ones_like(self.decoder.weights[-1]))
        return super().training_step(batch, minimize)


class Capricious(ToyModel):
    def noise(self, rng, n):
        return {"z": np.random.standard_normal((n, 4)).astype("float32")}  # noqa: NPY002


class Drawing(ToyModel):
    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.seeds = keras.random.SeedGenerator(3)

    def loss(self, batch):
        drawn = keras.random.normal(ops.shape(batch["z"]), seed=self.seeds)
        return super().loss({**batch, "z": drawn})


class Hoarding(ToyModel):
    """Keeps a number a step, while the collector finds less and less to look at beside it.

    A tuple of what holds no references is left alone from then on: of tuples in tuples one level
    each time.
    """

    def __init__(self, config, schema):
        super().__init__(config, schema)
        nested = [(number,) for number in range(200)]
        for _ in range(500):
            nested = [(each,) for each in nested]
        self.__dict__.update(hoard=[], nested=nested)

    def schedule(self, step):
        self.__dict__["hoard"].append(float(step))
        return {}


class Looking(ToyModel):
    """Computes what Keras on PyTorch must look at a tensor for."""

    def loss(self, batch):
        first, _ = ops.split(batch["z"], [2], axis=1)
        return super().loss(batch) + 0.0 * ops.mean(first)


class Garish(ToyModel):
    def decode(self, z):
        return 3.0 * super().decode(z) + 300.0


class Stubborn(ToyModel):
    def decode(self, z):
        return super().decode(0.0 * z)


class Deaf(ToyModel):
    conditional = True

    def decode(self, z, label):
        return super().decode(z)


class Credulous(ToyModel):
    def generate_items(self, n, seed=0, label=None, *, given=None, **options):
        return super().generate_items(n, seed, label, **options)


class Gregarious(ToyModel):
    conditions = (genkit.Condition("image"),)

    def decode(self, z, image, image_missing):
        return super().decode(z + ops.mean(ops.cast(image, "float32")))


class Recompiling(ToyModel):
    conditions = (genkit.Condition("image"),)

    def encode_condition(self, name, values):
        size = int(values[0].sum()) % 97 if values else 0
        return np.zeros((len(values), 1 + size), "float32")

    def decode(self, z, image, image_missing):
        return super().decode(z + 0.0 * ops.mean(image, 1, keepdims=True))


class Distorting(ToyModel):
    def reconstruct(self, items, label=None):
        return super().reconstruct(items, label)[:, :4]


class Sociable(ToyModel):
    def to_latent(self, items, label=None):
        latent = super().to_latent(items)
        return latent - ops.mean(latent, axis=0, keepdims=True)


class Straying(ToyModel):
    def interpolate(self, first, second, steps=8, label=None):
        return super().interpolate(first, second, steps, label)[:, ::-1]


class Forgetful(ToyModel):
    """Keeps something that matters in an attribute."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.calls = 0

    def schedule(self, step):
        self.calls += 1
        return {"weight": float(self.calls)}

    def loss(self, batch):
        return super().loss(batch) * batch["weight"]

    def decode(self, z):
        return super().decode(z) / (1.0 + self.calls)


class Partial(ToyModel):
    """Does something else on each backend."""

    factor = {"jax": 1.0, "torch": 2.0, "tensorflow": 3.0}  # noqa: RUF012

    def loss(self, batch):
        return super().loss(batch) * self.factor[keras.config.backend()]

    def decode(self, z):
        return super().decode(z) / self.factor[keras.config.backend()]


class LazyTrainer(genkit.Trainer):
    def minimize(self, name, fn, *inputs):
        result, gradients = self.gradients(name, fn, *inputs)
        if name == "encoder":
            self.engine.apply(name, gradients)
        return result


class MeddlingTrainer(genkit.Trainer):
    def minimize(self, name, fn, *inputs):
        other = self.engine.model.owned_variables("decoder")[-1]
        other.assign(other + 1.0)
        return super().minimize(name, fn, *inputs)


class CapriciousTrainer(genkit.Trainer):
    def transform_gradients(self, name, gradients):
        return [gradient * float(np.random.random()) for gradient in gradients]  # noqa: NPY002


class InfiniteTrainer(genkit.Trainer):
    def minimize(self, name, fn, *inputs):
        loss, logs = super().minimize(name, fn, *inputs)
        return loss / 0.0, logs


class HoardingTrainer(genkit.Trainer):
    def fit(self, model, source, run, callbacks=()):
        hoard = []

        class Hoard(keras.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                hoard.append(object())

        return super().fit(model, source, run, [*callbacks, Hoard()])


class AmnesiacTrainer(genkit.Trainer):
    def fit(self, model, source, run, callbacks=()):
        run.restore = lambda state: Position()
        return super().fit(model, source, run, callbacks)


class Momentum(genkit.GradientTransform):
    def build(self, model):
        self.sums = {
            name: [keras.Variable("zeros", shape=v.shape) for v in model.owned_variables(name)]
            for name in model.optimizers
        }

    def transform(self, engine, name, gradients):
        for total, gradient in zip(self.sums[name], gradients, strict=True):
            total.assign(0.9 * total + 0.1 * gradient)
        return [total.value for total in self.sums[name]]


class Hidden(Momentum):
    """Keeps its state where nobody finds it."""

    def build(self, model):
        super().build(model)
        self.sums = Hiding(self.sums)


class Hiding:
    def __init__(self, sums):
        self.get = sums.__getitem__

    def __getitem__(self, name):
        return self.get(name)


class MomentumTrainer(genkit.Trainer):
    transforms = (Momentum(),)


class HidingTrainer(genkit.Trainer):
    transforms = (Hidden(),)


class LookingTrainer(genkit.Trainer):
    def transform_gradients(self, name, gradients):
        return [gradient * (2.0 if bool(ops.max(gradient) > 0) else 1.0) for gradient in gradients]


class CredulousTrainer(genkit.Trainer):
    def check(self, model, source, settings):
        pass


class Revising(ToyModel):
    """Hands rows of an image back, and changes them afterwards."""

    def first_state(self, **noise):
        image = self.decode(**noise)
        return {"image": image, "length": ops.zeros((image.shape[0],), "int32")}

    def next_state(self, state):
        return {"image": state["image"] * 0.9, "length": state["length"] + 1}

    def ended(self, state):
        return state["length"] >= state["image"].shape[1]

    def result(self, state):
        return {"image": state["image"], "image_length": state["length"]}


class Swelling(Revising):
    """Has a state of another size for each item."""

    def noise(self, rng, n):
        sizes = rng.integers(1, 500)
        return {**super().noise(rng, n), "more": rng.random((n, sizes), dtype="float32")}

    def first_state(self, more, **noise):
        return {**super().first_state(**noise), "more": more}

    def next_state(self, state):
        return {**super().next_state(state), "more": state["more"]}
