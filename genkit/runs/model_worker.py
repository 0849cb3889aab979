"""A process of ``genkit.runs.model_workers``: loads a model, then generates its share of requests.

It reads an order and then requests from its standard input, and writes batches to its standard
output, pickled: both ends are this program. It ends when the one that asked does.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from genkit.errors import GenkitError
from genkit.plan import activation
from genkit.runs.model_workers import CHUNK

if TYPE_CHECKING:
    from genkit.models.model import Model


def main() -> None:
    """Serve until the standard input ends."""
    activation.start_lean()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the matter of the one that asked
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a model prints is for people
    with suppress(BrokenPipeError, EOFError):
        try:
            _serve(sys.stdin.buffer, out)
        except GenkitError as error:
            _send(out, ("error", (error.message, error.hint)))


def _serve(orders: BinaryIO, out: BinaryIO) -> None:
    order = pickle.load(orders)  # noqa: S301 - from the process that started this one
    from genkit.runs.loading import load

    model = load(order["path"], order["backend"], order["checkpoint"])
    model.generation_batch = order["batch"]
    while True:
        request = pickle.load(orders)  # noqa: S301
        for items in _share(model, **request):
            _send(out, ("items", items))


def _share(model: Model, asked: dict[str, Any], rank: int, count: int) -> Iterator[dict[str, Any]]:
    """Generate every ``count``-th chunk of batches, from number ``rank`` on."""
    import numpy as np

    n, begin, batch = asked["n"], asked.pop("begin"), model.generation_batch
    if isinstance(asked["label"], list):  # is looked at again for each chunk
        asked["label"] = np.asarray(asked["label"])
    for start in range(begin + rank * CHUNK * batch, n, count * CHUNK * batch):
        yield from islice(model.generate_items(**asked, begin=start), CHUNK)


def _send(out: BinaryIO, what: Any) -> None:
    pickle.dump(what, out, protocol=5)
    out.flush()


if __name__ == "__main__":
    main()
