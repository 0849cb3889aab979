"""What workers that train together put in common: sums of tensors, and what they agree on.

Each worker is a process with a device of its own and learns from its part of each batch. On PyTorch
and TensorFlow a compiled step sees that part alone, so what stands for the whole batch must be
summed: gradients, losses, statistics. On JAX the step is one program over all workers, in which a
mean is one of the whole batch already: there is nothing to sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from keras import ops

_FEW = 1 << 12  # numbers of all workers together that take as long to send as one


class Collective:
    """The workers of a training, as one of them sees them; by default it is the only one.

    Args:
        rank: which worker this is, from 0 on.
        size: how many there are.
        exchange: hands a value, of what JSON can hold, to all workers and returns those of all.
    """

    apart = False
    """Whether a compiled step sees this worker's part of a batch alone."""

    unreachable: tuple[type[Exception], ...] = ()
    """What the framework raises in a step when another worker can't be reached any more."""

    def __init__(
        self, rank: int = 0, size: int = 1, exchange: Callable[[Any], list[Any]] | None = None
    ) -> None:
        self.rank, self.size, self._exchange = rank, size, exchange

    def sum(self, tensors: Sequence[Any]) -> list[Any]:
        """Return the sums over workers of tensors, inside a step, in one call.

        Sums can be differentiated, and each worker gets the same bits.
        """
        if not self.apart or not tensors:
            return list(tensors)
        # One bucket: a call takes about as long for a few numbers as for thousands.
        flat = ops.concatenate([ops.cast(ops.reshape(x, (-1,)), "float32") for x in tensors])
        total, found, start = self._summed(flat), [], 0
        for x in tensors:
            end = start + math.prod(x.shape)
            found.append(ops.cast(ops.reshape(total[start:end], x.shape), x.dtype))
            start = end
        return found

    def mean(self, tensors: Sequence[Any]) -> list[Any]:
        """Return the means over workers of float tensors, as ``sum`` does."""
        if not self.apart:
            return list(tensors)
        return [total / self.size for total in self.sum(tensors)]

    def gather(self, x: Any) -> Any:
        """Return the parts of a tensor, inside a step, as those of the whole batch.

        Args:
            x: float32 of shape ``(part, ...)``.

        Returns:
            shape ``(size * part, ...)``, in the order of the workers.
        """
        if not self.apart:
            return x
        flat = self._gathered(ops.reshape(x, (-1,)))
        return ops.reshape(flat, (self.size * int(x.shape[0]), *x.shape[1:]))

    def agree(self, value: Any) -> list[Any]:
        """Return what all workers hand over here, by rank; each waits for the others.

        Args:
            value: what JSON can hold; handed over between steps, not inside one.
        """
        return [value] if self._exchange is None else self._exchange(value)

    def close(self) -> None:
        """Leave the others, when all have ended."""

    def _summed(self, flat: Any) -> Any:
        """Return the sum over workers of a float32 tensor of shape ``(n,)``, differentiable."""
        raise NotImplementedError

    def _gathered(self, flat: Any) -> Any:
        """Return the parts of all workers, as ``collected`` does, differentiable."""
        raise NotImplementedError

    def total(self, flat: Any) -> Any:
        """Return the sum over workers of a float32 tensor of shape ``(n,)``.

        A ring of workers sums in two rounds and collects in one: few numbers are summed here.
        """
        if self.size * flat.shape[0] > _FEW:
            return self.reduced(flat)
        return ops.sum(ops.reshape(self.collected(flat), (self.size, -1)), axis=0)

    def reduced(self, flat: Any) -> Any:
        """Return the framework's own sum over workers."""
        raise NotImplementedError

    def collected(self, flat: Any) -> Any:
        """Return the tensors of shape ``(n,)`` of all workers, as one of ``(size * n,)``."""
        raise NotImplementedError


ALONE = Collective()
_joined = [ALONE]
_inside: ContextVar[Collective] = ContextVar("collective of a step", default=ALONE)


def join(collective: Collective) -> None:
    """Make this process one of several workers: engines that are made from now on know it."""
    _joined[0] = collective


def of_this_process() -> Collective:
    """Return the workers that this process is one of."""
    return _joined[0]


def workers() -> Collective:
    """Return the workers that do the training step which is compiled now; elsewhere one alone.

    A layer that needs what stands for the whole batch asks here: in validation and generation each
    process has the whole of what it works on.
    """
    return _inside.get()


@contextmanager
def in_step(collective: Collective) -> Iterator[None]:
    """Let ``workers`` know, inside the block, who does a training step together."""
    token = _inside.set(collective)
    try:
        yield
    finally:
        _inside.reset(token)
