"""`VectorQuantizer`: each vector becomes the nearest entry of a codebook that follows the data."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from genkit.engine import workers
from genkit.layers.one_hot import one_hot


@keras.saving.register_keras_serializable(package="genkit")
class VectorQuantizer(keras.layers.Layer):
    """Replaces each vector by the nearest one of a codebook, and moves the codebook.

    With the codebook's vectors `e_j`, code and output of a vector `z` are

        k = argmin_j ||z - e_j||,    y = e_k

    and the gradient of `y` is handed to `z` as it is (the straight-through estimator). In training
    each `e_j` then moves to the average of the vectors that took it, by moving averages instead of
    gradients: with `n_j` vectors in the batch that took it and their sum `s_j`,

        N_j = decay * N_j + (1 - decay) * n_j
        m_j = decay * m_j + (1 - decay) * s_j
        e_j = m_j / (N_j + epsilon) * (sum N + size * epsilon) / sum N

    A code whose count `N_j` falls below `revival_threshold` is dead: it would stay where no vector
    comes. It begins anew on a vector of the batch, with a count of 1. New codes begin with a count
    of 1 too, so with a threshold of 1 those that the first batch doesn't take move onto its
    vectors at once.

    Args:
        size: how many vectors the codebook has.
        decay: how much of the averages stays at each step, from 0 to below 1.
        epsilon: smooths the counts, so that no division is by zero.
        revival_threshold: vectors a step, averaged, below which a code is dead; 0 revives none.
        dtype: float32 under any policy: what is nearest must not depend on the precision.

    Input shape:
        `(batch, ..., dimension)`, float.

    Output shape:
        a pair: vectors as the input, and their codes, int32 of shape `(batch, ...)`.

    Reference:
        van den Oord et al. 2017, "Neural Discrete Representation Learning",
        https://arxiv.org/abs/1711.00937, equations 1 and 2; appendix A.1 for the averages.
        Dhariwal et al. 2020, "Jukebox: A Generative Model for Music",
        https://arxiv.org/abs/2005.00341, section 3.1 for the dead codes ("random restarts").
    """

    def __init__(
        self,
        size: int,
        decay: float = 0.99,
        epsilon: float = 1e-5,
        revival_threshold: float = 1.0,
        dtype: Any = "float32",
        **arguments: Any,
    ) -> None:
        super().__init__(dtype=dtype, **arguments)
        if size < 1 or not 0 <= decay < 1:
            raise ValueError(
                f"Expected a size of 1 or more and a decay in [0, 1); received {size}, {decay}."
            )
        self.size, self.decay, self.epsilon = size, decay, epsilon
        self.revival_threshold = revival_threshold

    def build(self, input_shape: Any) -> None:
        """Create the codebook and its averages."""
        shape = (self.size, input_shape[-1])
        # One initializer gives the same values twice: sums of counts of 1.
        initial = keras.initializers.RandomUniform(-1.0 / self.size, 1.0 / self.size)
        running: dict[str, Any] = {"trainable": False, "aggregation": "mean"}
        self.codebook = self.add_weight(
            name="codebook", shape=shape, initializer=initial, **running
        )
        self.counts = self.add_weight(
            name="counts", shape=(self.size,), initializer="ones", **running
        )
        self.sums = self.add_weight(name="sums", shape=shape, initializer=initial, **running)

    def call(self, inputs: Any, lottery: Any = None, training: bool = False) -> tuple[Any, Any]:
        """Quantise `inputs`, and in training move the codebook.

        Args:
            inputs: shape `(batch, ..., dimension)`.
            lottery: a random number for each vector, float32 of shape `(batch, ...)`: the vectors
                with the smallest ones are those that dead codes begin anew on. Without it none
                does.
            training: whether the codebook moves.
        """
        codes = self.encode(inputs)
        nearest = self.decode(codes)
        if training and self.trainable:
            self._move_codebook(inputs, codes, lottery)
        return inputs + ops.stop_gradient(nearest - inputs), codes

    def encode(self, inputs: Any) -> Any:
        """Return the codes of vectors of shape `(batch, ..., dimension)`: int32 `(batch, ...)`."""
        codebook = ops.convert_to_tensor(self.codebook)
        # ||z - e||^2 without ||z||^2, which is the same for all codes.
        distances = ops.sum(ops.square(codebook), axis=-1) - 2.0 * ops.matmul(
            ops.stop_gradient(inputs), ops.transpose(codebook)
        )
        return ops.cast(ops.argmin(distances, axis=-1), "int32")

    def decode(self, codes: Any) -> Any:
        """Return the vectors of codes of shape `(batch, ...)`: `(batch, ..., dimension)`."""
        return ops.take(ops.convert_to_tensor(self.codebook), codes, axis=0)

    def _move_codebook(self, inputs: Any, codes: Any, lottery: Any) -> None:
        vectors = ops.reshape(ops.stop_gradient(inputs), (-1, inputs.shape[-1]))
        taken = one_hot(ops.reshape(codes, (-1,)), self.size)  # (vectors, size)
        took = [ops.sum(taken, axis=0), ops.matmul(ops.transpose(taken), vectors)]
        new_counts, new_sums = workers().sum(took)
        counts = self._averaged(self.counts, new_counts)
        sums = self._averaged(self.sums, new_sums)
        if lottery is not None and self.revival_threshold > 0:
            dead = counts < self.revival_threshold
            counts = ops.where(dead, 1.0, counts)
            sums = ops.where(dead[:, None], self._winners(vectors, lottery), sums)
        self.counts.assign(counts)
        self.sums.assign(sums)
        total = ops.sum(counts)
        smoothed = (counts + self.epsilon) * total / (total + self.size * self.epsilon)
        self.codebook.assign(sums / smoothed[:, None])

    def _averaged(self, average: Any, value: Any) -> Any:
        return ops.convert_to_tensor(average) * self.decay + value * (1.0 - self.decay)

    def _winners(self, vectors: Any, lottery: Any) -> Any:
        """Return a vector for each code, all different if the batch has enough."""
        across, own = workers(), int(vectors.shape[0])
        order = ops.argsort(across.gather(ops.reshape(lottery, (-1,))))
        places = ops.arange(self.size, dtype="int32") % order.shape[0]
        winners = ops.take(order, places)
        if not across.apart:
            return ops.take(vectors, winners, axis=0)
        # Each worker has the vectors of its part: the others' are zero in its share of the sum.
        mine = ops.cast(winners, "int32") - across.rank * own
        here = ops.cast((mine >= 0) & (mine < own), vectors.dtype)
        found = ops.take(vectors, ops.clip(mine, 0, own - 1), axis=0)
        return across.sum([found * here[:, None]])[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments to make the layer again."""
        return {
            **super().get_config(),
            "size": self.size,
            "decay": self.decay,
            "epsilon": self.epsilon,
            "revival_threshold": self.revival_threshold,
        }
