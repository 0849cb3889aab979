"""Numbers that a training step keeps: a mean path length, an augmentation's probability, counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import keras

from genkit.errors import UsageError

_AGGREGATIONS = {"mean": "mean", "first": "only_first_replica"}  # Keras' own words


class Running:
    """The part of ``genkit.Model`` that keeps running numbers."""

    running_numbers: dict[str, Any]
    """Those that were declared with ``add_state``, by name: Keras variables."""

    def add_state(
        self,
        name: str,
        shape: Sequence[int] = (),
        *,
        initial: float = 0.0,
        merge: Literal["mean", "first"] = "mean",
    ) -> Any:
        """Declare a number, or an array of them, that training steps keep from one to the next.

        A step reads it like a tensor and sets it with ``assign``. It is part of the compiled step,
        of checkpoints and of the exported model, and no optimizer changes it.

        Args:
            name: unlike any other's.
            shape: of the array; one number when left out.
            initial: what each number is at first.
            merge: what it becomes where several workers train together: the mean of theirs, or
                that of the first, for what is alike in all or means nothing when averaged.

        Returns:
            a ``keras.Variable``, float32 under any policy.

        Raises:
            UsageError: the name is used twice, or there is no such way to merge.

        Example:
            def __init__(self, config, schema):
                ...
                self.path_length = self.add_state("path_length")

            def training_step(self, batch, minimize):
                loss, logs = minimize("generator", self.generator_loss, batch)
                self.path_length.assign(0.99 * self.path_length + 0.01 * logs["length"])
                return {"loss": loss, "path_length": self.path_length.value}
        """
        if name in self.running_numbers:
            raise UsageError(f"The state {name!r} is added twice.")
        if merge not in _AGGREGATIONS:
            raise UsageError(f"Expected merge to be 'mean' or 'first'; received {merge!r}.")
        variable = self.add_weight(  # type: ignore[attr-defined]
            name=name,
            shape=tuple(shape),
            initializer=keras.initializers.Constant(initial),
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation=_AGGREGATIONS[merge],
        )
        self.running_numbers[name] = variable
        return variable
