"""A table of numbers with labels, a model that generates rows by label, and what learns labels."""

import json

import numpy as np
from keras import ops

import genkit
from genkit.data import ArraySource, rows_per_class

CLASSES = ("iris", "lily", "rose")
COLUMNS = ("stem", "leaf", "bloom")


def open_measures(config):
    """Open the table: three numbers a row, about a centre that the label has."""
    rng = np.random.default_rng(config.split == "test")
    label = rng.permutation(np.repeat(np.arange(len(CLASSES), dtype="int32"), 60))
    rows = np.eye(len(COLUMNS))[label] * 3 + rng.normal(size=(len(label), len(COLUMNS)))
    fields = {name: genkit.Field((), "float32", "number") for name in COLUMNS}
    fields["label"] = genkit.Field((), "int32", "label", classes=CLASSES)
    wanted = np.arange(len(label))
    if config.per_class is not None:
        wanted = rows_per_class(
            label, len(CLASSES), config.per_class, config.subset_seed, config.subset
        )
    arrays = dict(zip(COLUMNS, rows[wanted].T.astype("float32"), strict=True))
    return ArraySource({**arrays, "label": label[wanted]}, genkit.Schema(fields))


def columns_of(schema):
    """Name the columns of numbers."""
    return [name for name, field in schema.fields.items() if field.modality == "number"]


def rows_of(items, columns=COLUMNS):
    """Put the columns of items side by side, float32 of shape ``(n, columns)``."""
    return np.stack([items[name] for name in columns], axis=1).astype("float32")


class Bells(genkit.Model):
    """A normal distribution a class: its mean and deviation are all that it learns."""

    conditional = True

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.columns = columns_of(schema)
        shape = (len(self.classes()), len(self.columns))
        self.means = self.add_weight(shape=shape, initializer="zeros", name="means")
        self.deviations = self.add_weight(shape=shape, initializer="ones", name="deviations")

    def solve(self, source):
        """Take mean and deviation of each class."""
        items = source.gather(np.arange(len(source)))
        rows = rows_of(items, self.columns)
        of = [rows[items["label"] == number] for number in range(len(self.classes()))]
        self.means.assign(np.stack([each.mean(0) for each in of]))
        self.deviations.assign(np.stack([each.std(0) for each in of]))
        return {"mean_deviation": float(np.mean([each.std() for each in of]))}

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, self.means.shape[1]), dtype="float32")}

    def decode(self, z, label):
        mean, deviation = (ops.take(each, label, 0) for each in (self.means, self.deviations))
        return dict(zip(self.columns, ops.unstack(mean + deviation * z, axis=1), strict=True))


class Centroids(genkit.Learner):
    """Names the class whose mean row is nearest; a mixed table is a file of JSON lines."""

    corruptions = {"shift": "a tenth added to every number"}  # noqa: RUF012

    def train(self, source, classical, *, steps, seed, callbacks=()):
        items, rng = source.gather(np.arange(len(source))), np.random.default_rng(seed)
        rows = rows_of(items)
        if "jitter" in classical:
            rows = rows + rng.normal(scale=0.1, size=rows.shape)
        means = [rows[items[self.label] == number].mean(0) for number in range(len(CLASSES))]
        return np.stack(means), 0

    def scores(self, trained, source, corruption=""):
        items = source.gather(np.arange(len(source)))
        rows = rows_of(items) + 0.1 * (corruption == "shift")
        distances = np.square(rows[:, None] - trained).sum(-1)
        return (float(np.mean(distances.argmin(1) == items[self.label])),)

    def write(self, folder, parts):
        with (folder / "rows.jsonl").open("w") as file:
            for origin, source, facts in parts:
                items = source.gather(np.arange(len(source)))
                for row, label, each in zip(rows_of(items), items[self.label], facts, strict=True):
                    line = {"origin": origin, "row": row.tolist(), "label": CLASSES[label], **each}
                    file.write(json.dumps(line) + "\n")
