"""The loader: batches in a new order each epoch, from any step on, made in the background."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Self

from genkit.data.framework_free import import_grain
from genkit.data.noise import NoiseFn, augmentation_rng, check_seed, noise_for_step
from genkit.data.pipeline import augmented
from genkit.data.sampling import InOrder, Sampler, Shuffled
from genkit.data.varying import in_buckets, of_one_shape
from genkit.errors import DataError, GenkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from genkit.data.source import Batch, Source
    from genkit.plugins.schema import Schema

_PREFETCH = 2
WHOLE = (0, 1)
"""The first of one part."""


class Loader:
    """An endless iterator over the batches of a source.

    Each epoch goes through the data in a new order, unless another sampler chooses the items.
    Everything about a batch follows from the seed and its number, so that a loader with
    ``start_step=s`` goes on exactly as one that had run there from 0.

    Args:
        source: where items come from. What networks can't compute with stays behind: text and
            dates; a trainer refuses a model that needs it. A field of varying length is padded to
            a bucket, see ``genkit.data.bucket``, and comes with its ``<field>_length``; one with
            missing values with ``<field>_missing``.
        batch_size: items in a batch.
        seed: from 0 to 2^31 - 1.
        noise: ``model.training_noise``; what it draws is merged into each batch.
        batches_per_step: how many batches a step consumes. With more than one, a step's data is
            a tuple of that many dicts, each with its own noise, all padded to one bucket.
        start_step: the step to begin with.
        sampler: chooses the items of each batch; ``genkit.data.Shuffled`` when left out.
        part: which part of each batch it gives, from 0 on, and of how many that are as long; the
            parts are those of the batches that a loader without this gives.

    Raises:
        DataError: a batch larger than the data.
        UsageError: a number out of range, or a batch that the parts don't divide.

    Example:
        >>> import numpy as np
        >>> from genkit.data import as_source
        >>> source = as_source(np.arange(48, dtype="uint8").reshape(12, 2, 2, 1))
        >>> with Loader(source, batch_size=4, seed=0) as loader:
        ...     next(loader)["image"].shape
        (4, 2, 2, 1)
    """

    def __init__(
        self,
        source: Source,
        *,
        batch_size: int,
        seed: int,
        noise: NoiseFn | None = None,
        batches_per_step: int = 1,
        start_step: int = 0,
        sampler: Sampler | None = None,
        part: tuple[int, int] = WHOLE,
    ) -> None:
        check_sizes(source, batch_size, batches_per_step, start_step)
        check_divides(batch_size, part[1])
        self.source = source
        self.batch_size = batch_size
        self.seed = check_seed(seed)
        self.batches_per_step = batches_per_step
        self.part = part
        self._step = start_step
        sampler = sampler or Shuffled(len(source), batch_size, self.seed)
        self._batches_per_epoch = sampler.batches_per_epoch
        self._batches: Any = _prefetched(
            _BatchMaker(source, sampler, self.seed, noise, part=part),
            self._batches_per_epoch,
            start=start_step * batches_per_step,
        )
        # A loader that is forgotten ends its thread too.
        self._finalizer = weakref.finalize(self, self._batches.close)

    @property
    def step(self) -> int:
        """The step whose data comes next: pass it as ``start_step`` to go on from here."""
        return self._step

    @property
    def steps_per_epoch(self) -> int:
        """Full steps that fit into one pass over the data; at least 1."""
        return max(1, self._batches_per_epoch // self.batches_per_step)

    def epoch_of(self, step: int) -> int:
        """Count the passes over the data that were complete when this step began."""
        return step * self.batches_per_step // self._batches_per_epoch

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        if self._batches is None:
            raise GenkitError("Expected an open loader; this one is closed.")
        try:
            batches = tuple(next(self._batches) for _ in range(self.batches_per_step))
        except BaseException:
            self.close()
            raise
        self._step += 1
        return batches[0] if len(batches) == 1 else of_one_shape(batches, self.source.schema)

    def close(self) -> None:
        """Stop the background thread; the loader gives no more batches."""
        self._finalizer()
        self._batches = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _BatchMaker:
    """Makes any batch of the endless sequence, given its number."""

    def __init__(
        self,
        source: Source,
        sampler: Sampler,
        seed: int,
        noise: NoiseFn | None,
        *,
        augment: bool = True,
        part: tuple[int, int] = WHOLE,
    ) -> None:
        self._source, self._sampler, self._seed = source, sampler, seed
        self._noise, self._augment, self._part = noise, augment, part
        self._fields = _batch_names(source.schema)
        # Where items bear on one another, through a length or a draw, all of them are read.
        varies = any(field.varies for field in source.schema.fields.values())
        self._reads_all = part == WHOLE or varies or (augment and bool(source.augment))

    def __call__(self, number: int, number_in_epoch: int) -> Batch:  # noqa: ARG002 - grain's form
        indices, extra = self._sampler(number)
        rng = augmentation_rng(self._seed, number)
        batch = self._fields_of(indices if self._reads_all else indices[self._rows(indices)], rng)
        if self._reads_all:
            batch = self._cut(batch, indices)
        batch |= self._cut({**self._source.draw(indices, rng), **extra}, indices)
        if self._noise is None:
            return batch
        noise = noise_for_step(self._noise, self._seed, number, len(indices))
        if clash := sorted(batch.keys() & noise.keys()):
            raise GenkitError(
                f"Expected noise under names that the data doesn't have; both have {clash}.",
                "Rename it in the model's noise(rng, n).",
            )
        return batch | self._cut(noise, indices)

    def _fields_of(self, indices: NDArray[np.intp], rng: Generator) -> Batch:
        """Return the fields of some items as a batch has them."""
        gathered = self._source.gather(indices)
        batch = {name: gathered[name] for name in self._fields}
        if self._augment:
            batch = augmented(self._source, batch, rng)
        return in_buckets(batch, self._source.schema)

    def _rows(self, indices: NDArray[np.intp]) -> slice:
        """Return where the part stands among the items of a batch."""
        place, parts = self._part
        length = len(indices) // parts
        return slice(place * length, (place + 1) * length)

    def _cut(self, batch: Batch, indices: NDArray[np.intp]) -> Batch:
        """Return the part of what was made for all items of a batch."""
        if self._part == WHOLE:
            return batch
        for name, array in batch.items():
            if array.shape[:1] != indices.shape:
                raise UsageError(
                    f"Expected {len(indices)} rows of {name!r}, one an item, to divide among "
                    f"workers; received the shape {array.shape}.",
                    "Train with one worker.",
                )
        return {name: array[self._rows(indices)] for name, array in batch.items()}


def _batch_names(schema: Schema) -> list[str]:
    """Name the arrays of a batch: fields that networks can compute with, and what comes beside."""
    fields = [name for name, field in schema.fields.items() if field.computable]
    return [*fields, *(each for name in fields for each in schema.companions(name).values())]


def _prefetched(maker: _BatchMaker, batches_per_epoch: int, start: int) -> Any:
    grain = import_grain()
    numbers = grain.MapDataset.range(batches_per_epoch).repeat()
    dataset = numbers.map_with_index(maker).to_iter_dataset(
        # One thread: batches are made in order, and noise() need not be thread-safe.
        grain.ReadOptions(num_threads=1, prefetch_buffer_size=_PREFETCH)
    )
    batches = iter(dataset)
    batches.set_state({"next_index": start})
    return batches


def in_order(
    source: Source, *, batch_size: int, seed: int, noise: NoiseFn | None = None
) -> Iterator[tuple[int, Batch]]:
    """Go once through all items in their order, without augmentation; the same batches each time.

    Args:
        source: where items come from.
        batch_size: items in a batch; the last one may have fewer.
        seed: of the noise, from 0 to 2^31 - 1.
        noise: as for ``Loader``.

    Yields:
        how many items a batch has, and the batch.
    """
    sampler = InOrder(len(source), batch_size)
    make = _BatchMaker(source, sampler, check_seed(seed), noise, augment=False)
    for number in range(sampler.batches_per_epoch):
        yield min(batch_size, len(source) - number * batch_size), make(number, number)


def check_sizes(
    source: Source, batch_size: int, batches_per_step: int = 1, start_step: int = 0
) -> None:
    """Refuse sizes that no batch can be made with.

    Raises:
        DataError: a batch larger than the data.
        UsageError: a number out of range.
    """
    if batch_size < 1 or batches_per_step < 1 or start_step < 0:
        raise UsageError(
            "Expected a batch_size and batches_per_step of 1 or more and a start_step of 0 or "
            f"more; received {batch_size}, {batches_per_step} and {start_step}."
        )
    if batch_size > len(source):
        raise DataError(
            f"Expected a batch no larger than the data, {len(source)} items; "
            f"received a batch size of {batch_size}.",
            f"Pass --batch-size {len(source)} or less.",
        )


def check_divides(batch_size: int, parts: int) -> None:
    """Refuse a batch that can't be divided into parts that are as long.

    Raises:
        UsageError: with the batch sizes next to it that can.
    """
    if batch_size % parts:
        less = batch_size // parts * parts
        near = f"{less} or {less + parts}" if less else f"{parts}"
        raise UsageError(
            f"Expected a batch that {parts} workers can divide; received a batch size of "
            f"{batch_size}.",
            f"Pass --batch-size {near}, or another number of workers.",
        )
