"""A conditional generative adversarial network of tables."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from genkit.data import Batch, Source
from genkit.errors import UsageError
from genkit.layers import BatchNormalization, Dropout, LayerNormalization
from genkit.losses import gradient_penalty
from genkit_tabular.configs import CTGANConfig
from genkit_tabular.encoded import CODES, EncodedRows
from genkit_tabular.models.factored import FactoredModel, normal
from genkit_tabular.models.modes import one_hot

_COLUMN = "column"  # of each row, of which its condition is the value


class TableCTGAN(FactoredModel):
    """A generator that is told the value of one column, against a critic of several rows.

    Xu et al. 2019, "Modeling Tabular data using Conditional GAN": Gumbel softmax, WGAN-GP, PacGAN,
    training by sampling. Other than there, modes are runs of the columns' codes, positions in them
    are ranks, and generator and critic learn from the same latent numbers of a step.

    Args:
        config: see ``genkit info ctgan``.
        schema: of a table.
    """

    config: CTGANConfig

    def make(self) -> None:
        super().make()
        encoding, config = self.encoding, self.config
        # A condition is a value of a column whose codes are modes, one told from others by name.
        self.told = [
            place for place, each in enumerate(encoding.modes) if not each.ranked and each.size > 1
        ]
        self.told_width = sum(encoding.modes[place].size for place in self.told)
        self.latent = config.latent_dim + 2
        self.generator = _generator(config, config.latent_dim + self.told_width, encoding.width)
        self.critic = _critic(config, config.pac * (encoding.width + self.told_width))
        for name, network in (("critic", self.critic), ("generator", self.generator)):
            adam = keras.optimizers.Adam(config.learning_rate, beta_1=0.5, beta_2=0.9)
            self.add_optimizer(name, adam, network)

    def examples(self, source: Source) -> Source:
        rows = EncodedRows.of(source, self.learned)
        sizes = [self.sizes[place] for place in self.told]
        return RowsByValue(source, rows, self.told, sizes, balanced=self.config.by_sampling)

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        encoding = self.encoding
        return {
            "within": rng.random((n, len(encoding.ranked)), dtype=np.float32),
            "z": rng.standard_normal((n, self.config.latent_dim), dtype=np.float32),
            "gumbel": rng.random((n, encoding.one_hot), dtype=np.float32),
            "mix": rng.random((n, 1), dtype=np.float32),
        }

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        rows, pac = batch[CODES].shape[0], self.config.pac
        if rows < pac:
            raise UsageError(
                f"Expected batches of at least pac={pac} rows; received {rows}.",
                "Pass a larger --batch-size, or --set pac=1.",
            )
        if over := rows % pac:
            batch = {name: x[:-over] if len(x.shape) else x for name, x in batch.items()}
        _, logs = minimize("critic", self.critic_loss, batch)
        loss, more = minimize("generator", self.generator_loss, batch)
        return {"g_loss": loss, **logs, **more}

    def critic_loss(self, batch: Any) -> Any:
        """Return how far the critic is from telling generated from real rows; and the distance."""
        told = self._told(batch)
        _, fake = self._made(batch, told)
        real = self._packed(self.encoding.encode(batch[CODES], batch["within"]), told)
        fake = self._packed(fake, told)
        distance = ops.mean(self._score(real)) - ops.mean(self._score(fake))
        mix = ops.reshape(batch["mix"], (-1, self.config.pac))[:, :1]
        slope = gradient_penalty(self._score, real, fake, mix)
        return self.config.penalty * slope - distance, {"distance": distance}

    def generator_loss(self, batch: Any) -> Any:
        """Return how far rows are from passing as real and having what they are told."""
        told = self._told(batch)
        logits, fake = self._made(batch, told)
        missed, start = 0.0, 0
        for place in self.told:
            own = logits[:, self.encoding.columns[place]]
            part = told[:, start : (start := start + own.shape[1])]
            usual = ops.logsumexp(own, axis=1) * ops.sum(part, axis=1)
            missed += ops.mean(usual - ops.sum(own * part, axis=1))
        missed = ops.convert_to_tensor(missed, "float32")
        return missed - ops.mean(self._score(self._packed(fake, told))), {"missed": missed}

    def _told(self, batch: Any) -> Any:
        """Return conditions, one-hot over the values of all columns that have some."""
        parts = []
        for number, place in enumerate(self.told):
            size = self.encoding.modes[place].size
            own = one_hot(batch[CODES][:, place], size)
            parts.append(own * ops.cast(batch[_COLUMN] == number, "float32")[:, None])
        return ops.concatenate(parts, 1) if parts else batch["z"][:, :0]

    def _made(self, batch: Any, told: Any) -> tuple[Any, Any]:
        """Return logits of modes, and rows as numbers: nearly one-hot."""
        made = self.generator(ops.concatenate([batch["z"], told], 1), training=True)
        logits = made[:, : self.encoding.one_hot]
        noise = -ops.log(-ops.log(batch["gumbel"] * (1 - 2e-6) + 1e-6))
        soft = self.encoding.chances((logits + noise) / self.config.temperature)
        return logits, ops.concatenate([soft, ops.tanh(made[:, self.encoding.one_hot :])], 1)

    def _packed(self, rows: Any, told: Any) -> Any:
        both = ops.concatenate([rows, told], 1)
        return ops.reshape(both, (-1, self.config.pac * both.shape[1]))

    def _score(self, packed: Any) -> Any:
        return self.critic(packed, training=True)

    def rows(self, uniform: Any, shares: list[Any] | None) -> tuple[Any, Any, Any]:
        told = self._told_of(uniform[:, -2], uniform[:, -1], shares)
        z = normal(uniform[:, : self.config.latent_dim])
        made = self.generator(ops.concatenate([z, told], 1), training=False)
        one_hot = self.encoding.one_hot
        return self.encoding.chances(made[:, :one_hot]), ops.tanh(made[:, one_hot:]), 0.0

    def _told_of(self, column: Any, value: Any, shares: list[Any] | None) -> Any:
        """Return the conditions of generated rows: of the first column of which a value is asked.

        Where none is, a column at random, and a value as often as rows have it.
        """
        asked, open_rows = [], ops.ones_like(column)
        for place in self.told if shares else ():
            allowed = ops.cast(shares[place] > 0, "float32")
            single = ops.cast(ops.sum(allowed, 1) == 1, "float32") * open_rows
            asked.append(allowed * single[:, None])
            open_rows -= single
        drawn, chosen = [], ops.cast(column * len(self.told), "int32")
        for number, place in enumerate(self.told):
            counts = self.learned[place].codec.counts
            sums = (np.cumsum(counts)[:-1] / counts.sum()).astype(np.float32)
            first = ops.convert_to_tensor(np.append(np.float32(0), sums))
            last = ops.convert_to_tensor(np.append(sums, np.float32(2)))
            inside = ops.logical_and(value[:, None] >= first, value[:, None] < last)
            now = ops.cast(chosen == number, "float32") * open_rows
            drawn.append(ops.cast(inside, "float32") * now[:, None])
        if not drawn:
            return column[:, None][:, :0]
        told = ops.concatenate(drawn, 1)
        return told + ops.concatenate(asked, 1) if shares else told


class RowsByValue(Source):
    """Codes of rows, and of each the column whose value the generator is told.

    Args:
        source: the rows.
        rows: the same, encoded.
        told: places of the columns whose values may be told.
        sizes: how many codes those have.
        balanced: whether rows are drawn by their values, by the logarithm of how many have one
            (section 4.3 of the paper); else they stay as they come.
    """

    def __init__(
        self,
        source: Source,
        rows: EncodedRows,
        told: list[int],
        sizes: list[int],
        *,
        balanced: bool,
    ) -> None:
        self._source, self._rows, self._columns = source, rows, len(told)
        self.schema = rows.schema
        self._balanced = balanced and bool(told)
        if not self._balanced:
            return
        counts, sums, orders = [], [], []
        for number, (place, size) in enumerate(zip(told, sizes, strict=True)):
            own = rows.codes[:, place]
            counts.append(np.bincount(own, minlength=size))
            weights = np.log1p(counts[-1])
            sums.append(number + np.cumsum(weights) / weights.sum())
            orders.append(np.argsort(own, kind="stable"))
        self._counts, self._sums = np.concatenate(counts), np.concatenate(sums)
        self._first = np.cumsum(self._counts) - self._counts
        self._order = np.concatenate(orders)

    def __len__(self) -> int:
        return len(self._rows)

    def gather(self, indices: np.ndarray) -> Batch:
        """Return the codes of rows."""
        return self._rows.gather(indices)

    def draw(self, indices: np.ndarray, rng: np.random.Generator) -> Batch:
        """Draw a column for each row; and, if balanced, a row that has a drawn value of it."""
        columns = rng.integers(0, max(1, self._columns), len(indices))
        drawn = {_COLUMN: columns.astype(np.int32)}
        if not self._balanced:
            return drawn
        luck = rng.random((2, len(indices)))
        at = np.searchsorted(self._sums, columns + luck[0], side="right")
        at = np.minimum(at, len(self._sums) - 1)
        rows = self._order[self._first[at] + (luck[1] * self._counts[at]).astype(np.int64)]
        return {**drawn, **self._rows.gather(rows)}

    def fingerprint(self) -> str:
        """Return that of the rows."""
        return self._source.fingerprint()


def _generator(config: CTGANConfig, size: int, out: int) -> Any:
    """Build the generator: two layers, each behind its own input."""
    x = start = keras.Input((size,))
    for _ in range(2):
        more = layers.Dense(config.hidden)(x)
        batch = config.normalisation == "batch"
        more = (BatchNormalization(momentum=0.9) if batch else LayerNormalization())(more)
        x = layers.Concatenate()([layers.Activation("relu")(more), x])
    return keras.Model(start, layers.Dense(out)(x), name="generator")


def _critic(config: CTGANConfig, size: int) -> Any:
    """Build the critic: ``pac`` rows to one score."""
    hidden = []
    for _ in range(2):
        hidden += [layers.Dense(config.hidden), layers.LeakyReLU(0.2), Dropout(config.dropout)]
    return keras.Sequential([keras.Input((size,)), *hidden, layers.Dense(1)], name="critic")
