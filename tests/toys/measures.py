"""A table of numbers with labels, a model that generates rows by label, and what learns labels."""

import json

import numpy as np
from keras import ops

import genkit
from genkit.data import ArraySource, rows_per_class

CLASSES = ("iris", "lily", "rose")
COLUMNS = 3


def open_measures(config):
    """Open the table: three numbers a row, about a centre that the label has."""
    rng = np.random.default_rng(config.split == "test")
    label = rng.permutation(np.repeat(np.arange(len(CLASSES), dtype="int32"), 60))
    row = np.eye(COLUMNS)[label] * 3 + rng.normal(size=(len(label), COLUMNS))
    schema = genkit.Schema(
        {
            "row": genkit.Field((COLUMNS,), "float32", "vector"),
            "label": genkit.Field((), "int32", "label", classes=CLASSES),
        }
    )
    wanted = np.arange(len(label))
    if config.per_class is not None:
        wanted = rows_per_class(
            label, len(CLASSES), config.per_class, config.subset_seed, config.subset
        )
    return ArraySource({"row": row[wanted].astype("float32"), "label": label[wanted]}, schema)


class Bells(genkit.Model):
    """A normal distribution a class: its mean and deviation are all that it learns."""

    conditional = True

    def __init__(self, config, schema):
        super().__init__(config, schema)
        shape = (len(self.classes()), *schema["row"].shape)
        self.means = self.add_weight(shape=shape, initializer="zeros", name="means")
        self.deviations = self.add_weight(shape=shape, initializer="ones", name="deviations")

    def solve(self, source):
        """Take mean and deviation of each class."""
        items = source.gather(np.arange(len(source)))
        of = [items["row"][items["label"] == number] for number in range(len(self.classes()))]
        self.means.assign(np.stack([rows.mean(0) for rows in of]))
        self.deviations.assign(np.stack([rows.std(0) for rows in of]))
        return {"mean_deviation": float(np.mean([rows.std() for rows in of]))}

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, self.means.shape[1]), dtype="float32")}

    def decode(self, z, label):
        mean, deviation = (ops.take(each, label, 0) for each in (self.means, self.deviations))
        return mean + deviation * z


class Centroids(genkit.Learner):
    """Names the class whose mean row is nearest; a mixed table is a file of JSON lines."""

    corruptions = {"shift": "a tenth added to every number"}  # noqa: RUF012

    def train(self, source, classical, *, steps, seed, callbacks=()):
        items, rng = source.gather(np.arange(len(source))), np.random.default_rng(seed)
        rows = items["row"]
        if "jitter" in classical:
            rows = rows + rng.normal(scale=0.1, size=rows.shape)
        means = [rows[items[self.label] == number].mean(0) for number in range(len(CLASSES))]
        return np.stack(means), 0

    def accuracy(self, trained, source, corruption=""):
        items = source.gather(np.arange(len(source)))
        rows = items["row"] + 0.1 * (corruption == "shift")
        distances = np.square(rows[:, None] - trained).sum(-1)
        return float(np.mean(distances.argmin(1) == items[self.label]))

    def write(self, folder, parts):
        with (folder / "rows.jsonl").open("w") as file:
            for origin, source, facts in parts:
                items = source.gather(np.arange(len(source)))
                for row, label, each in zip(items["row"], items[self.label], facts, strict=True):
                    line = {"origin": origin, "row": row.tolist(), "label": CLASSES[label], **each}
                    file.write(json.dumps(line) + "\n")
