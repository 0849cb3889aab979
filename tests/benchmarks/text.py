"""Tokens a second on PyTorch: the loop of a text model recorded, against the same loop run eagerly.

``python -m tests.benchmarks.text --rounds 5`` takes the toy model of text (4 layers, 128 wide,
context 64), one text at a time, with its key-value cache both times. The two take turns in one
process: their ratio counts, of seconds of the processor, which neighbours disturb least.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"


def writer(layers: int, width: int, context: int) -> Any:
    """Build the toy model, whose texts end at the context alone."""
    import genkit
    from tests.toys.sayings import open_sayings
    from tests.toys.settings import ToyData, WriterConfig
    from tests.toys.writer import Writer

    genkit.activate("torch")
    source = open_sayings(ToyData())
    config = WriterConfig(layers=layers, width=width, context=context)
    model = Writer(config, source.schema)
    model.bind(source.schema, source.assets)
    model.generation_batch = 1
    bias = model.network.head.bias
    bias.assign([-1e4] + [0.0] * (model.size - 1))  # no text comes to an end before
    return model


@contextmanager
def eagerly() -> Iterator[None]:
    """Let everything inside the block run without a recording, as Keras runs it."""
    from genkit.engine.torch_graph import Recorded

    recorded = Recorded.__call__
    Recorded.__call__ = lambda self, inputs: self._fn(inputs)  # type: ignore[method-assign]
    try:
        yield
    finally:
        Recorded.__call__ = recorded  # type: ignore[method-assign]


def seconds_of(model: Any) -> tuple[float, float, str]:
    """Generate a text; return seconds of the processor and of the clock, and the text."""
    cpu, wall = time.process_time(), time.perf_counter()
    (text,) = model.generate(1, seed=1)
    return time.process_time() - cpu, time.perf_counter() - wall, text


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("rounds", 5), ("layers", 4), ("width", 128), ("context", 64)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    model = writer(asked.layers, asked.width, asked.context)
    _, first, text = seconds_of(model)  # records
    assert len(text) == asked.context
    rounds = []
    for _ in range(asked.rounds):
        *recorded, again = seconds_of(model)
        with eagerly():
            *eager, same = seconds_of(model)
        assert again == same == text, "the recording and the eager loop write the same"
        rounds.append((*recorded, *eager))
    columns = [statistics.median(column) for column in zip(*rounds, strict=True)]
    ratios = [statistics.median(r[place + 2] / r[place] for r in rounds) for place in (0, 1)]
    print(
        json.dumps(
            {
                "layers": asked.layers,
                "width": asked.width,
                "context": asked.context,
                "rounds": asked.rounds,
                "seconds_to_record": round(first, 2),
                "tokens_a_cpu_second": round(asked.context / columns[0]),
                "tokens_a_cpu_second_eagerly": round(asked.context / columns[2]),
                "ratio_cpu": round(ratios[0], 1),
                "ratio_wall": round(ratios[1], 1),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
