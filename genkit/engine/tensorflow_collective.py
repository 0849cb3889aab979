"""TensorFlow: sums over workers as operations of the graph of a step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import tensorflow as tf

from genkit.engine.collective import Collective

_GROUP = 1
_PATIENCE = 86400.0  # seconds; whoever stands still is found by the heartbeat


class TensorFlowCollective(Collective):
    """Workers that form a cluster; a strategy starts it, and is used for nothing else.

    Args:
        rank: which worker this is.
        size: how many there are.
        exchange: see ``Collective``.
        addresses: ``host:port`` of each worker.
    """

    apart = True
    unreachable = (tf.errors.UnavailableError, tf.errors.AbortedError)

    def __init__(
        self, rank: int, size: int, exchange: Callable[[Any], list[Any]], addresses: list[str]
    ) -> None:
        super().__init__(rank, size, exchange)
        cluster = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec({"worker": addresses}), task_type="worker", task_id=rank
        )
        self._started = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=cluster)
        # Every worker compiles the same steps in the same order, so their sums have equal numbers.
        self._numbers = count(1)

    def _summed(self, flat: Any) -> Any:
        @tf.custom_gradient
        def total(x: Any) -> Any:
            # What depends on the sum depends on each worker's part.
            return self.total(x), self._summed

        return total(flat)

    def _gathered(self, flat: Any) -> Any:
        start, n = self.rank * flat.shape[0], flat.shape[0]

        @tf.custom_gradient
        def parts(x: Any) -> Any:
            return self.collected(x), lambda gradient: self._summed(gradient)[start : start + n]

        return parts(flat)

    def reduced(self, flat: Any) -> Any:
        return tf.raw_ops.CollectiveReduceV2(
            input=flat, merge_op="Add", final_op="Id", **self._next_call()
        )

    def collected(self, flat: Any) -> Any:
        return tf.raw_ops.CollectiveGatherV2(input=flat, **self._next_call())

    def _next_call(self) -> dict[str, Any]:
        return {
            "group_size": self.size,
            "group_key": _GROUP,
            "instance_key": next(self._numbers),
            "ordering_token": [],
            "timeout_seconds": _PATIENCE,
        }
