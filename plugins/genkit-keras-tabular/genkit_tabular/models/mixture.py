"""A mixture of independent columns: any condition, however many, is exact."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

import genkit
from genkit_tabular.codec import PLACES
from genkit_tabular.configs import MixtureConfig
from genkit_tabular.encoded import CODES
from genkit_tabular.models.among import among, sums_along, uniform_of
from genkit_tabular.models.conditioned import DRAWS
from genkit_tabular.models.likely_rows import LikelyRows

_LEAST = 1e-25
"""What is asked is at least as probable in a component, so that one that has it can be drawn."""


class TableMixture(LikelyRows):
    """Draws a component, and each column by that component's frequencies, whatever the others have.

    A thousand components with frequencies of their own learn the rows by heart: fitted by EM they
    tell held-out rows far worse than these. So each component is a point of a few numbers, and the
    frequencies of all codes are a softmax, column by column, of what is linear in the point.

    As columns are independent in a component, what is asked of several is a product, and what is
    not asked drops out: the component is drawn by how probable all that is asked is in it.

    Args:
        config: see ``genkit info tab-mixture``.
        schema: of a table.
    """

    config: MixtureConfig

    def __init__(self, config: MixtureConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.network: Any = None

    def make(self) -> None:
        counts = [each.codec.counts for each in self.learned]
        self.network = Components(counts, self.config.components, self.config.rank, name="network")
        adam = keras.optimizers.Adam(self.config.learning_rate)
        self.add_optimizer("network", adam, self.network)

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        loss, _ = minimize("network", self.loss, batch)
        return {"loss": loss}

    def loss(self, batch: Any) -> Any:
        """Return the mean negative log likelihood of rows, in nats."""
        return -ops.mean(self.row_log_likelihood(batch[CODES]))

    def row_log_likelihood(self, codes: Any) -> Any:
        # Not ops.one_hot, which looks at its numbers on PyTorch: such a step can't be recorded.
        column = np.repeat(np.arange(len(self.sizes), dtype=np.int32), self.sizes)
        inside = np.concatenate([np.arange(size, dtype=np.int32) for size in self.sizes])
        own = ops.take(codes, ops.convert_to_tensor(column), axis=1)
        hot = ops.cast(own == ops.convert_to_tensor(inside), "float32")
        weights, shares = self.network.logarithms()
        return ops.logsumexp(hot @ ops.transpose(shares) + weights, axis=1)

    def decode(self, **inputs: Any) -> dict[str, Any]:
        columns, draws, parts = len(self.learned), inputs[DRAWS], parts_of(self.sizes)
        weights, shares = self.network.logarithms()
        uniform = uniform_of(draws[:, columns:])
        places, luck, shares = draws[:, :columns], uniform[:, -1], ops.exp(shares) + _LEAST
        if not self.is_asked(inputs):
            ends = sums_along(ops.exp(weights - ops.max(weights))[None])[0]
            component = _passed(ends[None], luck)
            sums = ops.concatenate([sums_along(shares[:, part]) for part in parts], 1)
            sums = ops.take(sums, component, axis=0)
            codes = [_passed(sums[:, part], uniform[:, each]) for each, part in enumerate(parts)]
            return self.outputs(ops.stack(codes, 1), places)
        first, last, _ = self.asked(inputs)
        asked = ops.cast(last - first, "float32") / float(PLACES)
        likely = ops.zeros((ops.shape(draws)[0], 1), "float32") + weights
        for part, each in zip(parts, self.learned, strict=True):
            if each.name in inputs:
                chance = asked[:, part] @ ops.transpose(shares[:, part])
                likely += ops.log(chance)
        wanted = ops.take(shares, among(ops.softmax(likely, axis=1), luck), axis=0) * asked
        codes = [among(wanted[:, part], uniform[:, each]) for each, part in enumerate(parts)]
        codes = ops.stack(codes, axis=1)
        return self.outputs(codes, self.places_within(codes, first, last, places))


class Components(keras.layers.Layer):
    """The components of a mixture: how often each is, and the frequencies of all codes in each.

    Args:
        counts: how often each code of each column is: what all components have at first, about.
        components: how many there are.
        rank: numbers of a component's point.
    """

    def __init__(
        self, counts: list[NDArray[np.int64]], components: int, rank: int, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.sizes = [len(each) for each in counts]
        codes, normal = sum(self.sizes), keras.initializers.RandomNormal
        self.often = self._weight("often", (components,), "zeros")
        self.points = self._weight("points", (components, rank), normal(stddev=1.0))
        self.codes = self._weight("codes", (rank, codes), normal(stddev=0.5 * rank**-0.5))
        self.bias = self._weight("bias", (codes,), "zeros")
        usual = [np.log((each + 0.1) / (each.sum() + 0.1 * len(each))) for each in counts]
        self.bias.assign(np.concatenate(usual).astype(np.float32))
        self.built = True

    def _weight(self, name: str, shape: tuple[int, ...], initializer: Any) -> Any:
        return self.add_weight(shape=shape, initializer=initializer, name=name)

    def logarithms(self) -> tuple[Any, Any]:
        """Return the logarithms of how often the components are, and of the codes in each.

        Returns:
            shape ``(components,)``, and ``(components, codes)``.
        """
        logits = self.points @ self.codes + self.bias
        columns = [logits[:, part] for part in parts_of(self.sizes)]
        shares = [each - ops.logsumexp(each, axis=1, keepdims=True) for each in columns]
        return self.often - ops.logsumexp(self.often), ops.concatenate(shares, 1)


def parts_of(sizes: list[int]) -> list[slice]:
    """Return where each column has its codes among those of all."""
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]


def _passed(sums: Any, uniform: Any) -> Any:
    """Return the first places whose sums pass a share of the last: int32 of shape ``(n,)``.

    Args:
        sums: rising, of shape ``(n, places)`` or ``(1, places)``.
        uniform: 0 to 1, shape ``(n,)``.
    """
    below = sums <= (uniform * sums[:, -1])[:, None]
    return ops.minimum(ops.sum(ops.cast(below, "int32"), axis=1), sums.shape[1] - 1)
