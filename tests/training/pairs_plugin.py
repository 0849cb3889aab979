"""A plugin whose data brings assets and draws, and whose model trains on pairs of items."""

import keras
import numpy as np

import genkit
from genkit.data import Source
from genkit.plugins.specs import Field, Schema


class PairsConfig(genkit.Config):
    """No settings."""


class WordsConfig(genkit.Config):
    """Settings of the words."""

    count: int = 6


class Words(Source):
    """Numbered words: the field ``number``; the asset ``ids`` names them backwards."""

    def __init__(self, config):
        count = config.count
        self.schema = Schema({"number": Field((count,), "float32", "number")})
        self.assets = {"ids": np.arange(count)[::-1].copy()}

    def __len__(self):
        return self.schema["number"].shape[0]

    def gather(self, indices):
        return {"number": np.eye(len(self), dtype="float32")[indices]}

    def fingerprint(self):
        return f"{len(self)} words"


class Pairs(Source):
    """Two examples of each word, each with a partner that is drawn."""

    def __init__(self, source):
        self.source, self.schema = source, source.schema

    def __len__(self):
        return 2 * len(self.source)

    def gather(self, indices):
        return self.source.gather(indices // 2)

    def draw(self, indices, rng):
        return {"partner": rng.random((len(indices), 1), dtype="float32")}

    def fingerprint(self):
        return self.source.fingerprint()


class PairModel(genkit.Model):
    """One weight for each word, with rows that follow the ids when training starts from a run."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        size = schema["number"].shape[0]
        self.network = keras.Sequential([keras.Input((size,)), keras.layers.Dense(1)])
        self.add_optimizer("network", keras.optimizers.SGD(0.1), self.network)

    def examples(self, source):
        return Pairs(source)

    def adopt(self, name, ours, theirs, assets):
        if not name.endswith("kernel"):
            return theirs
        rows = {int(word): row for word, row in zip(assets["ids"], theirs, strict=True)}
        return np.stack([rows.get(int(w), ours[i]) for i, w in enumerate(self.assets["ids"])])

    def loss(self, batch):
        return keras.ops.mean(keras.ops.square(self.network(batch["number"]) - batch["partner"]))

    def training_step(self, batch, minimize):
        loss, _ = minimize("network", self.loss, batch)
        return {"loss": loss}


@genkit.hookimpl
def genkit_datasets():
    yield genkit.DatasetSpec(
        name="words",
        summary="Numbered words",
        source=f"{__name__}:Words",
        config=f"{__name__}:WordsConfig",
        modality="number",
    )


@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(
        name="pairs",
        summary="Learns from pairs",
        model=f"{__name__}:PairModel",
        config=f"{__name__}:PairsConfig",
        accepts=("number",),
        capabilities=("pair",),
        presets={"default": {"dataset": "words"}},
    )
