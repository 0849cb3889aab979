"""One side of a comparison, in a process of its own: it works when told to and says how long.

The process speaks one JSON object a line: first ``{"ready": ...}``, then for each line it reads
``{"ms": milliseconds a step, "peak_mb": ...}``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

GENKIT = "genkit"
_BATCH = 64


@dataclass(frozen=True)
class Contender:
    """Who competes.

    Args:
        case: name of a case.
        side: ``genkit``, or a variant of the hand-written baseline.
        backend: jax, torch or tensorflow.
        precision: float32, bfloat16 or float16.
    """

    case: str
    side: str
    backend: str
    precision: str

    def __str__(self) -> str:
        return f"{self.side} {self.backend} {self.precision}"


class Running:
    """A contender's process, from its start to its first finished measurement and on."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        started = time.perf_counter()
        command = [sys.executable, "-m", __name__, *vars(contender).values()]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read()
        self.first_step_s = time.perf_counter() - started
        self.peak_mb = 0.0

    def measure(self) -> float:
        """Let it work once; give the milliseconds a step."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._read()
        self.peak_mb = answer["peak_mb"]
        return float(answer["ms"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.contender} ended with exit code {self._process.wait()}.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def peak_mb() -> float:
    """Return the most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _Gate:
    """Lets work through when the other side of the pipe asks for it, and tells how long it took."""

    def __init__(self, answers: Any, synchronize: Any) -> None:
        self._answers, self._synchronize = answers, synchronize
        self._started: float | None = None

    def first_is_done(self) -> None:
        """Report that the first step is over, and wait for the word to go on."""
        self._synchronize()
        self._say({"ready": True})
        self._wait()

    def is_done(self, count: int) -> None:
        """Report the time since the word, per item of ``count``, and wait for the next word."""
        self._synchronize()
        ms = (time.perf_counter() - self._started) * 1e3 / count
        self._say({"ms": ms, "peak_mb": peak_mb()})
        self._wait()

    def _say(self, answer: dict[str, Any]) -> None:
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def _wait(self) -> None:
        if not sys.stdin.readline():
            os._exit(0)
        self._started = time.perf_counter()


def _train_genkit(case: Any, model: Any, backend: str, answers: Any) -> None:
    """Train as ``genkit run`` does: loader, log, callbacks; but no checkpoint but the first."""
    import keras

    from genkit import Trainer
    from genkit.data import as_source
    from genkit.plan.plan import Plan
    from genkit.runs.run import Run
    from tests.benchmarks.cases import images

    class Gated(keras.callbacks.Callback):
        gate: _Gate
        steps = -1
        may_lag = True  # as what shows progress

        def on_train_begin(self, logs: Any = None) -> None:
            self.gate = _Gate(answers, trainer.engine.synchronize)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.steps += 1
            if self.steps == 0:
                self.gate.first_is_done()
            elif self.steps % case.steps == 0:
                self.gate.is_done(case.steps)

    plan = Plan(
        model="",
        preset="",
        dataset="",
        trainer="",
        backend=backend,
        distributions={},
        config={},
        data={},
        batch_size=case.batch_size,
        steps=10**9,
        checkpoint_every=10**9,
        sample_every=10**9,
    )
    trainer = Trainer()
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder, "benchmark"), plan, {})
        trainer.fit(model, as_source(images()), run, [Gated()])


def _generate_genkit(case: Any, model: Any, answers: Any) -> None:
    gate = _Gate(answers, lambda: None)
    next(model.generate_batches(_BATCH))
    gate.first_is_done()
    while True:
        count = sum(len(batch) for batch in model.generate_batches(case.samples))
        gate.is_done(count)


def _train_native(case: Any, native: Any, batches: Iterator[Any], answers: Any) -> None:
    gate = _Gate(answers, native.synchronize)
    native.step(next(batches))
    gate.first_is_done()
    while True:
        for _ in range(case.steps):
            native.step(next(batches))
        gate.is_done(case.steps)


def _generate_native(case: Any, native: Any, answers: Any) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    gate = _Gate(answers, native.synchronize)

    def images() -> Any:
        return native.decode(rng.standard_normal((_BATCH, 100), dtype=np.float32))

    images()
    gate.first_is_done()
    while True:
        for _ in range(-(-case.samples // _BATCH)):
            images()
        gate.is_done(case.samples)


def main() -> None:
    """Be the contender that the command line names."""
    parser = argparse.ArgumentParser()
    for name in ("case", "side", "backend", "precision"):
        parser.add_argument(name)
    contender = Contender(**vars(parser.parse_args()))
    # Frameworks greet on standard output too: only answers may go there.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    from genkit.plan.activation import activate

    activate(contender.backend)
    from genkit.engine.state import ModelState
    from genkit.plan.precision import computing_in
    from tests.benchmarks.cases import CASES, feed

    case = CASES[contender.case]
    with computing_in(contender.precision):
        model = case.build()
    if contender.side == GENKIT and case.samples:
        _generate_genkit(case, model, answers)
    elif contender.side == GENKIT:
        _train_genkit(case, model, contender.backend, answers)
    else:
        module = importlib.import_module(f"tests.benchmarks.native.{contender.backend}")
        weights, _ = ModelState(model).read()
        native = module.make(contender.case, contender.precision, contender.side, weights)
        if case.samples:
            _generate_native(case, native, answers)
        else:
            _train_native(case, native, feed(case, model), answers)


if __name__ == "__main__":
    main()
