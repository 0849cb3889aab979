"""Random streams on the host: identical on every backend and machine.

Each stream is Philox, a counter-based generator (Salmon et al., "Parallel random numbers: as easy
as 1, 2, 3", 2011), under the key (seed, purpose), starting at the counter (step or index) x 2^128.
Streams of different keys or counters are independent, and none can run into its neighbour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator, Philox
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

from genkit.errors import GenkitError, UsageError

NoiseFn: TypeAlias = Callable[[Generator, int], dict[str, NDArray[Any]]]

_TRAINING, _SAMPLES, _AUGMENTATION, _ORDER, _BLOCKS = 1, 2, 3, 4, 5
_SEED_LIMIT = 1 << 31


def training_rng(seed: int, step: int) -> Generator:
    """Return the stream for the noise of one training batch."""
    return _stream(seed, _TRAINING, step)


def sample_rng(seed: int, index: int) -> Generator:
    """Return the stream for one generated sample."""
    return _stream(seed, _SAMPLES, index)


def augmentation_rng(seed: int, step: int) -> Generator:
    """Return the stream for the random transforms of one training batch."""
    return _stream(seed, _AUGMENTATION, step)


def permutation(seed: int, epoch: int, length: int) -> NDArray[np.intp]:
    """Return the order of one epoch: the numbers from 0 to ``length - 1``, each once."""
    # Raw words and a stable sort: numpy promises both for all versions, `permutation` it doesn't.
    words = _stream(seed, _ORDER, epoch).bit_generator.random_raw(length)
    return np.argsort(words, kind="stable")


def noise_for_step(noise_fn: NoiseFn, seed: int, step: int, n: int) -> dict[str, NDArray[Any]]:
    """Draw the noise of a training batch of ``n`` items.

    Raises:
        GenkitError: the model's ``noise`` gave something else than arrays of ``n`` rows.
    """
    return _drawn(noise_fn, training_rng(seed, step), n)


def noise_for_samples(
    noise_fn: NoiseFn, seed: int, indices: Iterable[int], block: int = 1
) -> dict[str, NDArray[Any]]:
    """Draw the noise of generated samples; sample ``i`` depends only on (seed, i).

    Args:
        noise_fn: the model's ``noise``.
        seed: 0 to 2**31 - 1.
        indices: of the samples, rising where ``block`` is above 1.
        block: how many samples share a stream: a block is drawn at once, whichever of its samples
            are asked for. Other blocks give other noise.

    Raises:
        UsageError: no indices.
        GenkitError: the model's ``noise`` gave something else than arrays of one row, or of a
            block's rows.
    """
    if block == 1:
        draws = [_drawn(noise_fn, sample_rng(seed, int(index)), 1) for index in indices]
    else:
        draws = _rows_of_blocks(noise_fn, seed, np.fromiter(indices, np.int64), block)
    if not draws:
        raise UsageError("Expected at least one sample to draw noise for; received none.")
    return {name: np.concatenate([draw[name] for draw in draws]) for name in draws[0]}


def _rows_of_blocks(
    noise_fn: NoiseFn, seed: int, indices: NDArray[np.int64], block: int
) -> list[dict[str, NDArray[Any]]]:
    draws = []
    for number in np.unique(indices // block):
        drawn = _drawn(noise_fn, _stream(seed, _BLOCKS, int(number)), block)
        rows = indices[indices // block == number] % block
        draws.append({name: array[rows] for name, array in drawn.items()})
    return draws


def check_seed(seed: int) -> int:
    """Return the seed if every backend can take it.

    Raises:
        UsageError: it isn't an integer from 0 to 2^31 - 1.
    """
    is_integer = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not is_integer or not 0 <= seed < _SEED_LIMIT:
        raise UsageError(f"Expected a seed from 0 to {_SEED_LIMIT - 1}; received {seed!r}.")
    return int(seed)


class _Key(ISeedSequence):
    """Hands Philox its key as it is; its own way there reads the system's entropy first."""

    def __init__(self, *words: int) -> None:
        self._words = np.array(words, np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:  # noqa: ARG002
        return self._words


def _stream(seed: int, purpose: int, position: int) -> Generator:
    if position < 0:
        raise UsageError(f"Expected a step or index of 0 or more; received {position}.")
    key: Any = _Key(check_seed(seed), purpose)
    return Generator(Philox(key, counter=np.array([0, 0, position, 0], np.uint64)))


def _single(array: NDArray[Any]) -> NDArray[Any]:
    # Backends differ in what they make of 64-bit floats: an error, a copy, or slow arithmetic.
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _drawn(noise_fn: NoiseFn, rng: Generator, n: int) -> dict[str, NDArray[Any]]:
    drawn = noise_fn(rng, n)
    if not isinstance(drawn, dict):
        raise GenkitError(
            f"Expected a dict of arrays from the model's noise(rng, n); "
            f"received {type(drawn).__name__}."
        )
    arrays = {name: _single(np.asarray(array)) for name, array in drawn.items()}
    for name, array in arrays.items():
        if array.shape[:1] != (n,):
            raise GenkitError(
                f"Expected {n} rows of noise {name!r}; received the shape {array.shape}.",
                "The model's noise(rng, n) must give arrays whose first axis is n.",
            )
    return arrays
