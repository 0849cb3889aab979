"""Which items make up a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from genkit.data.noise import permutation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.data.source import Batch


class Sampler(Protocol):
    """Chooses the items of each batch.

    It is called with the number of a batch, from 0 on, and gives the indices of its items, and
    arrays by name to put beside them in the batch. All must follow from the number, so that
    training can resume.

    Attributes:
        batches_per_epoch: how many batches count as one pass over the data; at least 1.
    """

    batches_per_epoch: int

    def __call__(self, number: int) -> tuple[NDArray[np.intp], Batch]:
        """Return the indices of a batch's items, and arrays to put beside them."""
        ...


class Shuffled:
    """Each epoch goes through the data in a new order; what is left over at its end is dropped.

    Args:
        length: number of items.
        batch_size: items in a batch, at most ``length``.
        seed: from 0 to 2^31 - 1.
    """

    def __init__(self, length: int, batch_size: int, seed: int) -> None:
        self.batches_per_epoch = length // batch_size
        self._length, self._batch_size, self._seed = length, batch_size, seed
        self._order: tuple[int, NDArray[np.intp]] | None = None

    def __call__(self, number: int) -> tuple[NDArray[np.intp], Batch]:
        """Return the indices of a batch's items, and nothing beside them."""
        epoch, place = divmod(number, self.batches_per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = (epoch, permutation(self._seed, epoch, self._length))
        start = place * self._batch_size
        return self._order[1][start : start + self._batch_size], {}


class InOrder:
    """One pass through the data as it stands; the last batch has what is left.

    Args:
        length: number of items.
        batch_size: items in a batch.
    """

    def __init__(self, length: int, batch_size: int) -> None:
        self.batches_per_epoch = -(-length // batch_size)
        self._length, self._batch_size = length, batch_size

    def __call__(self, number: int) -> tuple[NDArray[np.intp], Batch]:
        """Return the indices of a batch's items, and nothing beside them."""
        start = number * self._batch_size
        return np.arange(start, min(start + self._batch_size, self._length)), {}
