"""JAX: workers whose devices run one program over the whole batch.

Between steps each worker's variables are its own, arrays of its device alone, as without others:
whatever looks at the model or changes it needs to know nothing of workers. A step takes them as the
replicas of one array that all share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from genkit.engine.collective import Collective
from genkit.engine.jax_inside import gloo_at

_WORKERS = "workers"
_PATIENCE = 20  # seconds until one whose others are gone ends without them


class JaxCollective(Collective):
    """Workers whose devices form a mesh of one axis.

    Args:
        rank: which worker this is.
        size: how many there are.
        exchange: see ``Collective``.
        addresses: ``host:port`` of each worker.

    Attributes:
        replicated: where each worker has the same.
    """

    def __init__(
        self, rank: int, size: int, exchange: Callable[[Any], list[Any]], addresses: list[str]
    ) -> None:
        super().__init__(rank, size, exchange)
        jax.distributed.initialize(addresses[0], size, rank, shutdown_timeout_seconds=_PATIENCE)
        with gloo_at(addresses[rank].rpartition(":")[0]):
            # Explicit axes, which a mesh has by default, are refused by convolutions.
            mesh = jax.make_mesh((size,), (_WORKERS,), axis_types=(AxisType.Auto,))
        self.replicated = NamedSharding(mesh, PartitionSpec())
        self._divided = NamedSharding(mesh, PartitionSpec(_WORKERS))
        self._known: dict[int, tuple[Any, Any]] = {}

    def close(self) -> None:
        jax.distributed.shutdown()

    def shared(self, arrays: Sequence[Any]) -> list[Any]:
        """Return arrays that each worker has the same of as those of all."""
        found = []
        for x in arrays:
            own, whole = self._known.get(id(x), (None, None))
            if own is not x:  # somebody has set it since the last step
                own = jax.device_put(x, jax.local_devices()[0])
                whole = jax.make_array_from_single_device_arrays(x.shape, self.replicated, [own])
            found.append(whole)
        return found

    def own(self, arrays: Sequence[Any]) -> list[Any]:
        """Return this worker's replicas of arrays that all share."""
        found = [x.addressable_data(0) for x in arrays]
        self._known = {id(x): (x, whole) for x, whole in zip(found, arrays, strict=True)}
        return found

    def whole(self, batch: Any) -> Any:
        """Return a batch of which each worker has a part as that of all; scalars are alike."""
        return jax.tree.map(self._whole, batch)

    def _whole(self, x: Any) -> Any:
        x = np.asarray(x)
        place = self._divided if x.ndim else self.replicated
        return jax.make_array_from_process_local_data(place, x)
