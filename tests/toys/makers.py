"""The smallest models that generate sound, text, rows and clips: by rules, not by learning."""

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit.data import ArraySource
from tests.toys.sayings import ALPHABET

HERE = "tests.toys.makers"
SIDE, FRAMES = 16, 12


def open_reels(config):
    """Open clips of a dot that moves: the field ``clip``, 12 frames a second."""
    rng = np.random.default_rng(0)
    clips = np.zeros((20, FRAMES, SIDE, SIDE, 1), np.uint8)
    for clip in clips:
        place, way = rng.integers(0, SIDE, 2), rng.integers(-2, 3, 2)
        for number, frame in enumerate(clip):
            frame[tuple((place + way * number) % SIDE)] = 255
    field = genkit.Field(clips.shape[1:], "uint8", "video", (0, 255), rate=12)
    return ArraySource({"clip": clips}, genkit.Schema({"clip": field}))


class Maker(genkit.Model):
    """Generates by a rule; what it trains is one layer that nothing asks."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.network = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        self.add_optimizer("network", keras.optimizers.Adam(0.01), self.network)

    def noise(self, rng, n):
        return {"z": rng.random((n, 2)).astype("float32")}

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.error, batch["z"])[0]}

    def error(self, z):
        return ops.mean(ops.square(self.network(z)))

    def generate_items(self, n, seed=0, label=None, *, given=None, begin=0, **options):
        for start in range(begin, n, 64):
            places = range(start, min(start + 64, n))
            rngs = [np.random.default_rng((seed, place)) for place in places]
            yield self.items([self.item(rng) for rng in rngs])

    def items(self, made):
        """Return what was made as arrays by field."""
        held = np.empty(len(made), object)
        for place, item in enumerate(made):
            held[place] = item
        return {self.generated_field(): held}


class Hum(Maker):
    def item(self, rng):
        time = np.arange(rng.integers(2000, 6000)) / 8000
        fading = np.exp(-3 * time)
        return (np.sin(2 * np.pi * rng.uniform(200, 800) * time) * fading).astype("float32")


class Babble(Maker):
    def item(self, rng):
        return " ".join(rng.choice(ALPHABET[2:], rng.integers(1, 9)))


class Reel(Maker):
    def item(self, rng):
        clip = np.zeros((FRAMES, SIDE, SIDE, 1), np.float32)
        place = rng.integers(0, SIDE, 2)
        for number, frame in enumerate(clip):
            frame[tuple((place + number) % SIDE)] = 255
        return clip

    def items(self, made):
        return {"clip": np.stack(made)}


class Crowd(Maker):
    def examples(self, source):
        numbers = source.gather(np.arange(len(source)))["planet"].astype("float32")[:, None]
        field = genkit.Field((1,), "float32", "vector")
        return ArraySource({"row": numbers}, genkit.Schema({"row": field}))

    def item(self, rng):
        return rng.integers(17, 90), rng.integers(0, 2000), rng.integers(0, 12000), rng.random()

    def items(self, made):
        age, job, day, gone = (np.array(column) for column in zip(*made, strict=True))
        return {
            "age": np.ma.MaskedArray(age, gone < 0.2),
            "job": job.astype("int32"),
            "joined": np.datetime64("1990-01-01") + day,
            "planet": np.full(len(made), 3, np.int32),
        }


class NoShouting(genkit.Reviewer):
    """Refuses text with the letter t."""

    def review(self, items):
        return ["has a t" if "t" in text else "" for text in items]


@genkit.hookimpl
def genkit_datasets():
    yield genkit.DatasetSpec(
        name="reels",
        summary="Clips of a moving dot",
        source=f"{HERE}:open_reels",
        config="tests.toys.settings:ToyData",
        modality="video",
        licence="made by the program",
    )


@genkit.hookimpl
def genkit_models():
    for data, model, accepts, generates in (
        ("beeps", "Hum", ("audio",), ()),
        ("sayings", "Babble", ("text",), ()),
        ("reels", "Reel", ("video",), ()),
        ("people", "Crowd", ("number",), ("number", "category", "date")),
    ):
        yield genkit.ModelSpec(
            name=model.lower(),
            summary=f"Makes {data} by a rule",
            model=f"{HERE}:{model}",
            config="tests.toys.settings:ToyModel",
            accepts=accepts,
            generates=generates,
            presets={"default": {"dataset": data, "steps": 4, "batch_size": 16}},
        )


@genkit.hookimpl
def genkit_reviewers():
    yield genkit.ReviewerSpec(
        name="no-t",
        summary="Refuses text with a t",
        reviewer=f"{HERE}:NoShouting",
        modality="text",
    )
