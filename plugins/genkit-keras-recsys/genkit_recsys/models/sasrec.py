"""SASRec: the next item by self-attention over the newest items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

import genkit
from genkit.data import Source
from genkit.layers import Dropout
from genkit_recsys.histories import Histories
from genkit_recsys.model_settings import SASRecConfig
from genkit_recsys.models.recommender import Recommender, histories_of, weight


class SASRec(Recommender):
    """A causal transformer over the newest items of a history.

    Kang and McAuley 2018, "Self-Attentive Sequential Recommendation": the sum of an item's and a
    place's vector goes through blocks of causal self-attention and a pointwise network, each
    normalised before and added to what came in (section III); the score of item ``i`` after place
    ``t`` is ``F_t . M_i`` with the item's own vector (equation 7).

    The loss at every place is the cross-entropy of the next item: over all items (Klenitskiy and
    Vasilev 2023, "Turning Dross Into Gold Loss"), or over it and items drawn for the batch.
    """

    config: SASRecConfig
    rows: ClassVar = {"items/embeddings": (0, "items")}

    def __init__(self, config: SASRecConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        if config.dim % config.heads:
            raise genkit.GenkitError(
                f"Expected dim to be a multiple of heads; received {config.dim} and {config.heads}."
            )
        start = keras.initializers.RandomNormal(0, config.dim**-0.5)
        self.items = keras.layers.Embedding(self.n_items, config.dim, embeddings_initializer=start)
        self.items.build()
        self.network = _network(config)
        self.add_optimizer(
            "network", keras.optimizers.Adam(config.learning_rate), self.items, self.network
        )

    def examples(self, source: Source) -> Source:
        return Windows(source, self.history_field, self.config.length)

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        if self.config.loss == "full":
            return {}
        share = -(-self.config.negatives // n)  # the batch shares its negatives
        return {"negatives": rng.random((n, share), dtype="float32")}

    def loss(self, batch: dict[str, Any]) -> Any:
        """Return the mean cross-entropy of the next item over all places that have one."""
        window = batch["window"]  # (batch, length + 1), -1 where there is nothing
        states = self._states(window[:, :-1], training=True)  # (batch, length, dim)
        following = window[:, 1:]
        there = ops.cast(following >= 0, "float32") * ops.cast(window[:, :-1] >= 0, "float32")
        following = ops.maximum(following, 0)
        right = ops.sum(states * self.items(following), axis=-1)
        if self.config.loss == "full":
            logits = ops.matmul(states, ops.transpose(self.items.embeddings))
            normaliser = ops.logsumexp(logits, axis=-1)
        else:
            drawn = ops.cast(ops.reshape(batch["negatives"], (-1,)) * self.n_items, "int32")
            others = ops.matmul(states, ops.transpose(self.items(drawn)))
            same = ops.cast(following[:, :, None] == drawn[None, None, :], "float32")
            # Drawn with the chance 1 / items each, they stand for all the others.
            others = others - 1e9 * same + np.log(self.n_items / drawn.shape[0])
            normaliser = ops.logaddexp(right, ops.logsumexp(others, axis=-1))
        return ops.sum((normaliser - right) * there) / ops.maximum(ops.sum(there), 1.0)

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, _ = minimize("network", self.loss, batch)
        return {"loss": loss}

    def last_state(self, window: Any) -> Any:
        """Return the state after the newest item, shape ``(batch, dim)``."""
        return self._states(window, training=False)[:, -1]

    def score_histories(self, histories: Histories, users: np.ndarray) -> np.ndarray:
        return self.vectors_of(histories, users) @ self.item_vectors.T

    @property
    def item_vectors(self) -> NDArray[np.float32]:
        """The vectors of all items; scores are products with them."""
        return weight(self.items.embeddings)

    def vectors_of(self, histories: Histories, users: np.ndarray) -> NDArray[np.float32]:  # noqa: ARG002
        """Return the state of each user after the newest item."""
        return self.map_items("last_state", window=histories.last(self.config.length))

    def _states(self, window: Any, *, training: bool) -> Any:
        there = window >= 0
        vectors = self.items(ops.maximum(window, 0)) * np.float32(self.config.dim**0.5)
        shown = ops.cast(there, vectors.dtype)[:, :, None]
        return self.network([vectors * shown, there], training=training)


def _network(config: SASRecConfig) -> keras.Model:
    """Build the blocks: vectors ``(length, dim)`` and which places are filled in, states out."""
    layers = keras.layers
    vectors = keras.Input((config.length, config.dim))
    there = keras.Input((config.length,), dtype="bool")
    x = Places(config.length)(vectors)
    x = Dropout(config.dropout)(x)
    for _ in range(config.blocks):
        normal = layers.LayerNormalization(epsilon=1e-6)(x)
        attended = CausalAttention(config.heads)([normal, there])
        x = x + Dropout(config.dropout)(attended)
        normal = layers.LayerNormalization(epsilon=1e-6)(x)
        inner = layers.Dense(config.dim, "relu")(normal)
        x = x + Dropout(config.dropout)(layers.Dense(config.dim)(inner))
    return keras.Model([vectors, there], layers.LayerNormalization(epsilon=1e-6)(x))


class Places(keras.layers.Layer):
    """Adds a learned vector for each place; the newest item always has the last.

    Args:
        length: how many places.
    """

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the vectors."""
        self.vectors = self.add_weight(
            shape=(self._length, shape[-1]), initializer="random_normal", name="vectors"
        )

    def call(self, x: Any) -> Any:
        """Add them to ``x`` of shape ``(batch, length, dim)``."""
        return x + self.vectors


class CausalAttention(keras.layers.Layer):
    """Scaled dot-product attention of each place to the filled places up to it.

    Vaswani et al. 2017, "Attention Is All You Need", equation 1.

    Args:
        heads: how many; a divisor of the dimension.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self._heads = heads

    def build(self, shape: list[tuple[int, ...]]) -> None:
        """Make the projections."""
        dim = shape[0][-1]
        self.project = keras.layers.Dense(3 * dim)
        self.project.build(shape[0])
        self.join = keras.layers.Dense(dim)
        self.join.build(shape[0])

    def call(self, inputs: list[Any]) -> Any:
        """Attend: ``x`` of shape ``(batch, length, dim)``, filled places ``(batch, length)``."""
        x, there = inputs
        length, dim = x.shape[1], x.shape[2]
        size = dim // self._heads
        parts = ops.reshape(self.project(x), (-1, length, 3, self._heads, size))
        q, k, v = (ops.transpose(parts[:, :, i], (0, 2, 1, 3)) for i in range(3))
        weights = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * np.float32(size**-0.5)
        causal = np.tril(np.ones((length, length), bool))
        open_to = ops.logical_and(causal[None], there[:, None, :])  # (batch, length, length)
        weights = ops.where(open_to[:, None], weights, np.float32(-1e9))
        attended = ops.matmul(ops.softmax(weights, axis=-1), v)
        return self.join(ops.reshape(ops.transpose(attended, (0, 2, 1, 3)), (-1, length, dim)))


class Windows(Source):
    """A training example for each stretch of a history: ``length + 1`` items at a random place.

    A history of ``n`` items counts for ``n / length`` examples, rounded up.

    Args:
        source: users with their histories.
        history: name of its field of interactions.
        length: of what the model sees.
    """

    def __init__(self, source: Source, history: str, length: int) -> None:
        self._source, self._length = source, length
        self._histories = histories_of(source, history)
        counts = -(-self._histories.lengths // length)
        self._rows = np.repeat(np.arange(len(counts)), counts)
        self.schema = genkit.Schema({"window": genkit.Field((length + 1,), "int32", "window")})

    def __len__(self) -> int:
        return len(self._rows)

    def gather(self, indices: NDArray[np.integer]) -> dict[str, np.ndarray]:
        """Return the newest window of the users at these indices."""
        return {"window": self._histories.take(self._rows[indices]).last(self._length + 1)}

    def draw(self, indices: NDArray[np.integer], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw where each window ends."""
        rows = self._rows[indices]
        lengths = self._histories.lengths[rows]
        shortest = np.minimum(lengths, self._length + 1)
        ends = shortest + (rng.random(len(rows)) * (lengths - shortest + 1)).astype(np.int64)
        starts = self._histories.starts[rows]
        places = (starts + ends)[:, None] + np.arange(-self._length - 1, 0)
        there = places >= starts[:, None]
        items = np.append(self._histories.items, np.int32(-1))
        window = items[np.where(there, places, len(self._histories.items))]
        return {"window": window.astype(np.int32)}

    def fingerprint(self) -> str:
        """Return the fingerprint of what they are made of."""
        return self._source.fingerprint()
