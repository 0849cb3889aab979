"""A small network a column, which foretells its code from any of the other columns'."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from genkit_tabular.models.among import among

_NEVER = -1e9


class Drawn(NamedTuple):
    """Codes drawn for a column.

    Args:
        codes: int32 of shape ``(n,)``.
        total: how probable what was asked for was, shape ``(n,)``.
    """

    codes: Any
    total: Any


class Conditionals(keras.layers.Layer):
    """The networks of all columns, computed together.

    Each code has an embedding. A column's network sees the embeddings of the columns that are
    known, zeros for the others, through two hidden layers, the second one residual, and straight.

    Args:
        counts: how often each code of each column is: what networks foretell at first.
        embedding: numbers of an embedding.
        hidden: units of a hidden layer of one column.
        dropout: share of the hidden units that is left out in training.
    """

    def __init__(
        self,
        counts: Sequence[np.ndarray],
        embedding: int,
        hidden: int,
        dropout: float,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        sizes = [len(each) for each in counts]
        self.sizes, self.columns = tuple(sizes), len(sizes)
        self.starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
        self.embedding, self.hidden, self.dropout = embedding, hidden, dropout
        self.noise = keras.layers.Dropout(dropout)
        codes, d, e, h = sum(sizes), self.columns, embedding, hidden
        width = (d * e) ** -0.5

        def draw(deviation: float) -> Any:
            return keras.initializers.RandomNormal(stddev=deviation)

        self.embeddings = self._weight("embeddings", (codes, e), draw(0.3))
        self.first = self._weight("first", (d * e, d, h), draw(2 * width))
        self.first_bias = self._weight("first_bias", (d, h), "zeros")
        self.second = self._weight("second", (d, h, h), draw(h**-0.5))
        self.second_bias = self._weight("second_bias", (d, h), "zeros")
        self.last = self._weight("last", (h, codes), "zeros")
        self.direct = self._weight("direct", (d * e, codes), "zeros")
        usual = [np.log((each + 0.1) / (each.sum() + 0.1 * len(each))) for each in counts]
        self.last_bias = self._weight("last_bias", (codes,), "zeros")
        self.last_bias.assign(np.concatenate(usual).astype(np.float32))
        self.built = True

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        return self.add_weight(shape=shape, initializer=initializer, name=name)

    def surprise(self, codes: Any, orders: Any, training: bool = False) -> Any:
        """Return the negative log likelihood of rows, each column after those before it.

        Args:
            codes: int32 of shape ``(n, columns)``.
            orders: numbers of shape ``(groups, columns)``, where ``groups`` divides ``n``: in the
                rows of a group a column sees those with smaller numbers.
            training: whether units are left out.

        Returns:
            nats, shape ``(n,)``.
        """
        d, e, h = self.columns, self.embedding, self.hidden
        groups = orders.shape[0]
        before = ops.cast(orders[:, :, None] < orders[:, None, :], self.first.dtype)
        kernel = self.first * ops.repeat(before, e, axis=1)[:, :, :, None]
        seen = ops.take(self.embeddings, codes + ops.convert_to_tensor(self.starts), axis=0)
        seen = ops.reshape(seen, (groups, -1, d * e))
        hidden = ops.matmul(seen, ops.reshape(kernel, (groups, d * e, d * h)))
        hidden = ops.reshape(hidden, (-1, d, h))
        hidden = ops.relu(hidden + self.first_bias)
        hidden = self.noise(hidden, training=training)
        more = ops.einsum("ndh,dhk->ndk", hidden, self.second) + self.second_bias
        hidden = hidden + ops.relu(more)
        # Straight from embeddings to codes: what hangs on one other column needs no hidden unit.
        seen_by = np.repeat(np.eye(d, dtype=np.float32), self.sizes, axis=1)
        kernel = self.direct * ops.repeat(
            ops.matmul(before, ops.convert_to_tensor(seen_by)), e, axis=1
        )
        direct = ops.reshape(ops.matmul(seen, kernel), (-1, sum(self.sizes)))
        total = 0.0
        for place, (start, size) in enumerate(zip(self.starts.tolist(), self.sizes, strict=True)):
            kernel, bias = self.last[:, start : start + size], self.last_bias[start : start + size]
            logits = hidden[:, place] @ kernel + direct[:, start : start + size] + bias
            chosen = ops.take_along_axis(logits, codes[:, place, None], axis=1)[:, 0]
            total += ops.logsumexp(logits, axis=1) - chosen
        return total

    def draw(self, column: Any, codes: Any, known: Any, share: Any, uniform: Any) -> Drawn:
        """Draw codes of a column whose place is a number of the compiled loop.

        Args:
            column: its place, an int32 scalar tensor.
            codes: of all columns, int32 of shape ``(n, columns)``.
            known: which of them count, bool of the same shape.
            share: how much of each code is asked for, shape ``(n, codes)``.
            uniform: 0 to 1, shape ``(n,)``.
        """
        d, e = self.columns, self.embedding
        seen = ops.take(self.embeddings, codes + ops.convert_to_tensor(self.starts), axis=0)
        seen = ops.reshape(seen * ops.cast(known[:, :, None], seen.dtype), (-1, d * e))
        hidden = seen @ ops.take(self.first, column, axis=1)
        hidden = ops.relu(hidden + ops.take(self.first_bias, column, axis=0))
        more = hidden @ ops.take(self.second, column, axis=0)
        hidden = hidden + ops.relu(more + ops.take(self.second_bias, column, axis=0))
        span = ops.arange(max(self.sizes), dtype="int32")
        there = span < ops.take(ops.convert_to_tensor(self.sizes, "int32"), column)
        places = ops.take(ops.convert_to_tensor(self.starts), column) + span
        places = ops.where(there, places, 0)
        logits = hidden @ ops.take(self.last, places, axis=1) + ops.take(self.last_bias, places)
        logits += seen @ ops.take(self.direct, places, axis=1)
        chances = _chances(ops.where(there[None], logits, _NEVER))
        wanted = chances * ops.take(share, places, axis=1) * ops.cast(there[None], chances.dtype)
        total = ops.sum(wanted, axis=1) / ops.sum(chances, axis=1)
        return Drawn(among(wanted, uniform), total)

    def embedded(self, column: int, codes: Any) -> Any:
        """Return the embeddings of a column's codes, shape ``(n, embedding)``.

        Args:
            column: its place.
            codes: int32 of shape ``(n,)``.
        """
        return ops.take(self.embeddings, codes + int(self.starts[column]), axis=0)

    def draw_next(self, column: int, seen: Sequence[Any], uniform: Any) -> Any:
        """Draw codes of a column by those before it, as ``draw`` does: int32 of shape ``(n,)``.

        Args:
            column: its place.
            seen: of each column before it what ``embedded`` returns.
            uniform: 0 to 1, shape ``(n,)``.
        """
        start, size, before = int(self.starts[column]), self.sizes[column], len(seen)
        own, rows = slice(start, start + size), slice(0, before * self.embedding)
        hidden, logits = self.first_bias[column][None], self.last_bias[own][None]
        if before:
            embedded = ops.concatenate(seen, axis=1)
            hidden = hidden + embedded @ self.first[rows, column]
            logits = logits + embedded @ self.direct[rows, own]
        hidden = ops.relu(hidden)
        hidden = hidden + ops.relu(hidden @ self.second[column] + self.second_bias[column])
        chances = _chances(logits + hidden @ self.last[:, own])
        return among(ops.broadcast_to(chances, (ops.shape(uniform)[0], size)), uniform)

    def put(self, state: dict[str, Any], column: Any, codes: Any, now: Any) -> dict[str, Any]:
        """Return a state with the codes of a column in those rows that it is drawn in now."""
        here = ops.arange(self.columns, dtype="int32") == column
        change = ops.logical_and(now[:, None], here[None])
        return {
            **state,
            "codes": ops.where(change, codes[:, None], state["codes"]),
            "known": ops.logical_or(state["known"], change),
        }

    def only_codes(self, first: Any, last: Any, asked: Any) -> tuple[Any, Any]:
        """Return which columns are asked to have one code, and that code, zero elsewhere."""
        allowed = ops.cast(last > first, "float32")
        of_column = np.zeros((sum(self.sizes), self.columns), np.float32)
        inside = np.zeros_like(of_column)
        for place, (start, size) in enumerate(zip(self.starts, self.sizes, strict=True)):
            of_column[start : start + size, place] = 1
            inside[start : start + size, place] = np.arange(size)
        known = ops.logical_and(asked, ops.matmul(allowed, ops.convert_to_tensor(of_column)) == 1)
        codes = ops.cast(ops.matmul(allowed, ops.convert_to_tensor(inside)), "int32")
        return known, ops.where(known, codes, 0)


def _chances(logits: Any) -> Any:
    """Return how probable codes are, the most probable of a row 1, shape like ``logits``."""
    # Not ops.softmax, which warns of a table whose columns have one code each.
    return ops.exp(logits - ops.max(logits, axis=1, keepdims=True))
