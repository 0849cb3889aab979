"""Data sets, metrics and callbacks, each but the first of its kind with one defect."""

import itertools
import uuid
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

import genkit
from genkit.data import ArraySource, Transform
from genkit.evaluation import mean_interval
from genkit.testing import KnownAnswer
from genkit.testing.fakes import toy_schema, toy_source


def open_sound(config):
    return toy_source(items=config.items, seed=config.split == "test")


def open_list(config):
    return [1, 2, 3]


open_secretive = open_sound


def open_wordy(config):
    classes = tuple(str(number) for number in range(1001))
    schema = toy_schema().replace(label=genkit.Field((), "int32", "label", classes=classes))
    return toy_source(schema)


def open_choosy(config):
    source = open_sound(config)
    first = np.arange(3 * (config.per_class or config.items // 3))
    return ArraySource(source.gather(first), source.schema)


def open_beyond(config):
    schema = toy_schema(("image",))
    low = schema.replace(image=genkit.Field((8, 8, 1), "uint8", "image", (0, 9)))
    return ArraySource({"image": toy_source(schema).arrays["image"]}, low)


def open_unseeded(config):
    return toy_source(seed=int(np.random.default_rng().integers(1 << 30)))


class Restless(ArraySource):
    def fingerprint(self):
        return uuid.uuid4().hex


def open_restless(config):
    sound = open_sound(config)
    return Restless(sound.arrays, sound.schema)


class Dice(Transform):
    """An augmentation that draws from a generator of its own."""

    random = True

    def __call__(self, images, field, rng=None):
        return images + np.random.default_rng().integers(0, 9, images.shape).astype(images.dtype)

    def output(self, field):
        return field


def open_diced(config):
    source = open_sound(config)
    source.augment = (Dice(),)
    return source


def open_leaking(config):
    return toy_source(items=config.items)


class Brightness(genkit.Metric):
    """A sound metric: the mean of each item's mean."""

    streams = ("generated",)

    def __init__(self, context):
        super().__init__(context)
        self.means = []

    def update(self, stream, batch):
        self.means.extend(batch.items.mean(axis=(1, 2, 3)).tolist())

    def compute(self):
        yield self.context.figure("brightness", mean_interval(np.array(self.means)), "max")


def known():
    images = np.full((6, 8, 8, 1), 3, np.uint8)
    images[::2] = 5
    yield KnownAnswer(toy_schema(("image",)), {"generated": images}, {"brightness": 4.0})


class Speechless(Brightness):
    @classmethod
    def unfit(cls, context):
        return context.model.conditional


class Inverted(Brightness):
    def compute(self):
        for figure in super().compute():
            yield self.context.figure("brightness", (figure.value, figure.high, figure.low), "max")


class Wrong(Brightness):
    def compute(self):
        for figure in super().compute():
            yield self.context.figure("brightness", (figure.value + 1,) * 3, "max")


class Dicing(Brightness):
    def update(self, stream, batch):
        super().update(stream, batch)
        self.means[-1] += float(np.random.default_rng().random())


class Careless(Brightness):
    """Takes the mean of the batches' means."""

    def update(self, stream, batch):
        self.means.append(float(batch.items.mean()))


class Forgetting(Brightness):
    """Says that it can be merged, and takes up nothing."""

    def state(self):
        return {"means": np.array(self.means)}

    def merge(self, state):
        self.means = list(state["means"])


class Hoarder(Brightness):
    def update(self, stream, batch):
        super().update(stream, batch)
        self.__dict__.setdefault("items", []).append(batch.items)


class Mean(genkit.Extractor):
    """A sound extractor: the mean of each half of an image, which is its view too."""

    space = "means"

    def features(self, items):
        halves = items.reshape(len(items), 2, -1).mean(axis=2)
        return halves.astype(np.float32)

    def view(self, items):
        return np.round(self.features(items)).astype(np.uint8)


class Wide(Mean):
    width = 3


class Social(Mean):
    def features(self, items):
        found = super().features(items)
        return found - found.mean(axis=0)


class Drifting(Mean):
    made = itertools.count()

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.number = next(self.made)

    def features(self, items):
        return super().features(items) + np.float32(self.number)


class Nearsighted(Mean):
    def view(self, items):
        return np.zeros((len(items), 4), np.uint8)


class Counting(keras.callbacks.Callback):
    """A sound callback: counts, and writes the count."""

    def __init__(self, path="count.txt"):
        super().__init__()
        self.path = path
        self.count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1

    def on_train_end(self, logs=None):
        Path(self.path).write_text(str(self.count))


class Raising(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise ValueError("no")


class Littering(Counting):
    def on_train_end(self, logs=None):
        Path("litter.txt").write_text("here")


class Losing(Counting):
    def get_state(self):
        return {"count": self.count}

    def set_state(self, state):
        pass


class Doubling(Transform):
    """A sound transform."""

    def output(self, field):
        return replace(field, dtype="float32", range=(2 * field.range[0], 2 * field.range[1]))

    def __call__(self, images, field, rng=None):
        return 2 * images.astype("float32")

    def undo(self, items, field):
        return (items / 2).astype(field.dtype)


class Growing(Doubling):
    """Says nothing of what it does to the field."""

    def output(self, field):
        return field


class Leaving(Doubling):
    """Gives back what it made."""

    def undo(self, items, field):
        return items.astype(field.dtype)


class Framing(genkit.Renderer):
    """A sound renderer: numbers as they are."""

    formats = ("npy",)

    def write(self, item, file):
        np.save(file, item)

    def read(self, file):
        return np.load(file)

    def html(self, items, alt, columns=None):
        return f"<p>{len(items)}</p>"


class Fading(Framing):
    """Writes what is half as bright."""

    def write(self, item, file):
        np.save(file, item // 2)


class Flattening(Framing):
    """Has no shape for what was refused."""

    def blank(self):
        return np.zeros(())
