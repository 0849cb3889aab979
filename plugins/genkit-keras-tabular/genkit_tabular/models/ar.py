"""Any-order autoregression over the codes of a table's columns."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

import genkit
from genkit.errors import DataError
from genkit_tabular.codec import PLACES
from genkit_tabular.configs import ARConfig
from genkit_tabular.encoded import CODES
from genkit_tabular.models.among import among, uniform_of
from genkit_tabular.models.conditionals import Conditionals
from genkit_tabular.models.conditioned import DRAWS
from genkit_tabular.models.likely_rows import LikelyRows

_GROUPS = 4  # of a batch's rows, each learned in an order of its own
_CANDIDATES = 16
_UNROLLED = 48  # columns: what is drawn of more is compiled as a loop
_MOST_WEIGHTS = 1 << 28
_GOLDEN = 0.6180339887498949


class TableAR(LikelyRows):
    """Each column has a small network that foretells its code from any others.

    Tiwald et al. 2025, "TabularARGN: A Flexible and Efficient Auto-Regressive Framework for
    Generating High-Fidelity Synthetic Data": columns are cut into codes, and the columns' order is
    drawn anew for each batch, so that any columns may be given. What is asked for comes first: a
    value at once; ranges are drawn in turn, in ``_CANDIDATES`` ways that are weighed by how
    probable the later ranges are after the earlier ones. One range, and any number of values, is
    exact.

    Args:
        config: see ``genkit info tab-ar``.
        schema: of a table.
    """

    config: ARConfig

    def __init__(self, config: ARConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.network: Any = None

    def make(self) -> None:
        config = self.config
        weights = len(self.learned) ** 2 * config.embedding * config.hidden
        if weights > _MOST_WEIGHTS:
            raise DataError(
                f"Expected fewer columns for tab-ar: its first layer grows with their square, and "
                f"{len(self.learned):,} need {weights:,} weights; at most {_MOST_WEIGHTS:,} do.",
                "Leave columns out, take --set hidden=16 --set embedding=4, or tab-cart.",
            )
        counts = [each.codec.counts for each in self.learned]
        self.network = Conditionals(
            counts, config.embedding, config.hidden, config.dropout, name="network"
        )
        adam = keras.optimizers.Adam(config.learning_rate)
        self.add_optimizer("network", adam, self.network)

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        orders = rng.random((n, len(self.learned)), dtype=np.float32)
        groups = math.gcd(n, _GROUPS)
        orders[: round(groups * self.config.in_order)] = np.arange(len(self.learned))
        return {"orders": orders}

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        loss, _ = minimize("network", self.loss, batch)
        return {"loss": loss}

    def loss(self, batch: Any) -> Any:
        """Return the mean negative log likelihood of rows, in nats."""
        codes = batch[CODES]
        orders = batch["orders"][: math.gcd(codes.shape[0], _GROUPS)]
        return ops.mean(self.network.surprise(codes, orders, training=True))

    def row_log_likelihood(self, codes: Any) -> Any:
        """Return the log likelihood of each row's codes, in nats, shape ``(n,)``."""
        order = ops.arange(len(self.learned), dtype="float32")
        return -self.network.surprise(codes, order[None])

    def decode(self, **inputs: Any) -> dict[str, Any]:
        draws, columns = inputs[DRAWS], len(self.learned)
        place, code = draws[:, :columns], uniform_of(draws[:, columns : 2 * columns])
        if not self.is_asked(inputs) and columns <= _UNROLLED:
            return self.outputs(self._free(code), place)
        first, last, asked = self.asked(inputs)
        known, codes = self.network.only_codes(first, last, asked)
        ranges = ops.logical_and(asked, ops.logical_not(known))
        share = ops.cast(last - first, "float32") / float(PLACES)
        codes = self._ranges(codes, known, ranges, share, draws)
        codes = self._rest(codes, ops.logical_or(known, asked), share, code)
        return self.outputs(codes, self.places_within(codes, first, last, place))

    def _free(self, uniform: Any) -> Any:
        """Draw all columns of rows of which nothing is asked: each by those before it alone.

        The loop of ``_rest`` draws each as if it were as large as the largest, with all others to
        look at, and takes five times as long; but what is compiled here grows with the columns.
        """
        seen, codes = [], []
        for column in range(len(self.learned)):
            codes.append(self.network.draw_next(column, seen, uniform[:, column]))
            seen.append(self.network.embedded(column, codes[-1]))
        return ops.stack(codes, 1)

    def _ranges(self, codes: Any, known: Any, ranges: Any, share: Any, draws: Any) -> Any:
        """Draw the columns of which a range is asked, several ways, and choose one of them."""
        columns = len(self.learned)
        n = codes.shape[0]
        several = lambda x: ops.repeat(x, _CANDIDATES, axis=0)  # noqa: E731
        turns = ops.arange(n * _CANDIDATES, dtype="int32") % _CANDIDATES
        steps = np.floor(np.arange(1, columns + 1) * _GOLDEN % 1 * 2**24).astype(np.int32)
        draws, choice = draws[:, columns : 2 * columns], draws[:, -1]
        moved = several(draws) // 128 + turns[:, None] * ops.convert_to_tensor(steps)
        moved = ops.cast(moved % 2**24, "float32") / 2**24
        any_range = ops.any(ranges, axis=0)
        places = ops.arange(columns, dtype="int32")
        in_turn = ops.argsort(ops.where(any_range, places, places + columns))
        in_turn = ops.cast(in_turn, "int32")
        shares, active = several(share), several(ranges)

        def draw(step: Any, state: Any) -> Any:
            column = ops.take(in_turn, step)
            drawn = self.network.draw(
                column, state["codes"], state["known"], shares, ops.take(moved, column, axis=1)
            )
            now = ops.take(active, column, axis=1)
            return {
                **self.network.put(state, column, drawn.codes, now),
                "weight": state["weight"] + ops.where(now, ops.log(drawn.total + 1e-30), 0.0),
            }

        state = {
            "codes": several(codes),
            "known": several(known),
            "weight": ops.zeros((n * _CANDIDATES,), "float32"),
        }
        state = genkit.loop(draw, state, ops.sum(ops.cast(any_range, "int32")))
        weights = ops.softmax(ops.reshape(state["weight"], (n, _CANDIDATES)), axis=1)
        chosen = among(weights, uniform_of(choice))
        made = ops.reshape(state["codes"], (n, _CANDIDATES, columns))
        return ops.take_along_axis(made, chosen[:, None, None], axis=1)[:, 0]

    def _rest(self, codes: Any, known: Any, share: Any, uniform: Any) -> Any:
        """Draw the columns that aren't known yet, in their order."""

        def draw(column: Any, state: Any) -> Any:
            luck = ops.take(uniform, column, axis=1)
            drawn = self.network.draw(column, state["codes"], state["known"], share, luck)
            now = ops.logical_not(ops.take(state["known"], column, axis=1))
            return self.network.put(state, column, drawn.codes, now)

        return genkit.loop(draw, {"codes": codes, "known": known}, len(self.learned))["codes"]
