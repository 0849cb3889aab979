"""A table of mixed columns, and a model that makes its rows, encoded."""

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit.data import ColumnSource, Source, vocabulary_of, with_vocabulary

JOBS = tuple(f"job {number:05d}" for number in range(2000))


def open_people(config):
    """Open the table: values may be missing, keys are beyond 2^53, one column is constant."""
    rng = np.random.default_rng(config.split == "test")
    n = 200 if config.limit is None else min(200, config.limit)
    ages, job = rng.integers(17, 90, 200)[:n], rng.integers(0, len(JOBS), 200)[:n]
    joined = np.datetime64("1990-01-01") + rng.integers(0, 12_000, 200)[:n]
    joined[rng.random(200)[:n] < 0.2] = np.datetime64("NaT")
    field, assets = with_vocabulary("job", genkit.Field((), "int32", "category"), JOBS)
    schema = genkit.Schema(
        {
            "age": genkit.Field((), "int64", "number", (17, 89), missing=True),
            "job": field,
            "joined": genkit.Field((), "datetime64[D]", "date", missing=True),
            "key": genkit.Field((), "int64", "id", (2**53, 2**53 + 400)),
            "planet": genkit.Field((), "int32", "number", (3, 3)),
        }
    )
    columns = {
        "age": np.ma.MaskedArray(ages, rng.random(200)[:n] < 0.1),
        "job": job.astype("int32"),
        "joined": joined.astype("datetime64[D]"),
        "key": 2**53 + 2 * np.arange(n) + (config.split == "test"),
        "planet": np.full(n, 3, np.int32),
    }
    return ColumnSource(columns, schema, assets)


def scale_of(field):
    """Return how far a column's values reach: days, where the schema doesn't say."""
    return field.range[1] - field.range[0] if field.range else 20_000


class EncodedRows(Source):
    """Rows as networks compute with them: a number a column, and whether it is missing."""

    def __init__(self, source, names):
        self._source, self._names = source, names
        self.schema = genkit.Schema({"row": genkit.Field((2 * len(names),), "float32", "vector")})

    def __len__(self):
        return len(self._source)

    def gather(self, indices):
        """Return the encoded rows at these indices."""
        batch, schema, columns = self._source.gather(indices), self._source.schema, []
        for name in self._names:
            field, values = schema[name], batch[name]
            numbers = values.astype("int64") if values.dtype.kind == "M" else values
            low = (field.range or (0, 1))[0]
            columns.append(((numbers - low) / (scale_of(field) or 1)).astype("float32"))
            columns.append(batch.get(f"{name}_missing", np.zeros(len(values))).astype("float32"))
        return {"row": np.stack(columns, 1)}

    def fingerprint(self):
        return self._source.fingerprint()


class Rows(genkit.Model):
    """Squeezes rows through a narrow layer; the job of each row may be asked for."""

    conditions = (genkit.Condition("job"),)
    generation_batch = noise_block = 1024

    def __init__(self, config, schema):
        super().__init__(config, schema)
        kinds = ("number", "category", "date", "id")
        self.names = [n for n, f in schema.fields.items() if f.modality in kinds and not f.shape]
        size = 2 * len(self.names)
        self.encoder = keras.Sequential([keras.Input((size,)), layers.Dense(config.width, "tanh")])
        self.decoder = keras.Sequential([keras.Input((config.width + 2,)), layers.Dense(size)])
        optimizer = keras.optimizers.Adam(0.01)
        self.add_optimizer("network", optimizer, self.encoder, self.decoder)

    def examples(self, source):
        return EncodedRows(source, self.names)

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, self.config.width), dtype="float32")}

    def training_noise(self, rng, n):
        return {"known": (rng.random(n) < 0.5).astype("float32")}

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.error, batch)[0]}

    def error(self, batch):
        """Return the mean square error of what comes out; the job is known of every other row."""
        rows = batch["row"]
        job = rows[:, 2 * self.names.index("job")]
        made = self.rows(self.encoder(rows), job, batch["known"])
        return ops.mean(ops.square(made - rows))

    def rows(self, latent, job, known):
        """Return encoded rows; ``job`` counts where it is known."""
        return self.decoder(ops.concatenate([latent, ops.stack([job * known, known], 1)], 1))

    def decode(self, z, job, job_missing):
        known = 1 - ops.cast(job_missing, "float32")
        made = self.rows(ops.tanh(z), ops.cast(job, "float32") / (len(JOBS) - 1), known)
        columns = {}
        for place, name in enumerate(self.names):
            share, missing = ops.clip(made[:, 2 * place], 0, 1), made[:, 2 * place + 1] > 0.5
            columns[name] = ops.cast(ops.round(share * scale_of(self.schema[name])), "int32")
            if self.schema[name].missing:
                columns[f"{name}_missing"] = missing
        return {**columns, "job": ops.where(job_missing, columns["job"], job)}

    def present(self, items):
        shown = {}
        for name, numbers in items.items():
            field = self.schema[name]
            whole = numbers.astype("int64") + int((field.range or (0,))[0])
            shown[name] = whole.astype(field.dtype)
        names = np.array(vocabulary_of(self.schema, "job", self.assets), object)
        return {**shown, "job": names[shown["job"]]}
