"""What is not a ratio of two steps: the loader, memory over time, and starting times."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.benchmarks import many_plugins

_RUNS = 9
_STARTS = 3
_BATCHES = 50


def measure(backends: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Return one row after the other: what, backend, value, unit."""
    for name in ("list", "run --help"):
        yield _row(f"genkit {name}", "-", _command_seconds(name.split()), "s")
    with tempfile.TemporaryDirectory() as site:
        many_plugins.install(Path(site))
        path = os.pathsep.join([site, os.environ.get("PYTHONPATH", "")])
        what = f"genkit list, {many_plugins.PLUGINS} plugins, {len(many_plugins.BROKEN)} broken"
        yield _row(what, "-", _command_seconds(["list"], {"PYTHONPATH": path}), "s")
    yield _row("noise of a generated row, in blocks", "-", _noise_microseconds(), "µs")
    for backend in backends:
        yield from _in_process(backend, _LOADER)
        yield from _in_process(backend, _GROWTH)
    if "jax" in backends:
        yield from _second_start()


def _row(what: str, backend: str, value: float, unit: str) -> dict[str, Any]:
    return {"what": what, "backend": backend, "value": round(value, 4), "unit": unit}


def _command_seconds(arguments: list[str], more: Mapping[str, str] | None = None) -> float:
    def once() -> float:
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "genkit", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **(more or {})},
        )
        return time.perf_counter() - started

    once()
    return statistics.median(once() for _ in range(_RUNS))


def _noise_microseconds() -> float:
    """Return what drawing the noise of a row of ten numbers costs, of 131,072 in blocks."""
    from genkit.data import noise_for_samples

    def noise(rng: Any, n: int) -> dict[str, Any]:
        return {"z": rng.standard_normal((n, 10), dtype="float32")}

    rows, block, began = 1 << 17, 1 << 12, time.process_time()
    for start in range(0, rows, block):
        noise_for_samples(noise, 0, range(start, start + block), block)
    return 1e6 * (time.process_time() - began) / rows


def _in_process(backend: str, code: str) -> Iterator[dict[str, Any]]:
    """Run code that prints rows in a process with this backend."""
    done = subprocess.run(
        [sys.executable, "-c", code, backend], check=True, capture_output=True, text=True
    )
    yield from json.loads(done.stdout.splitlines()[-1])


# How long a step waits for its batch, while it computes as a DCGAN does.
_LOADER = f"""
import json, statistics, sys, time
from genkit.plan.activation import activate
activate(sys.argv[1])
from genkit.data import Loader
from tests.benchmarks.cases import CASES, images
from tests.benchmarks.others import _row, gated_steps

case = CASES["dcgan"]
model = case.build()
waits, steps = gated_steps(model, images(), case.batch_size, {_BATCHES})
share = statistics.median(waits) / statistics.median(steps)
print(json.dumps([_row("waiting for a batch, share of a DCGAN step", sys.argv[1], share, "")]))
"""

_GROWTH = """
import json, sys
from genkit.plan.activation import activate
activate(sys.argv[1])
from tests.benchmarks.cases import CASES, images
from tests.benchmarks.others import _row, resident_at

case = CASES["vae"]
early, late = resident_at(case.build(), images(), case.batch_size, (200, 2000))
print(json.dumps([
    _row("VAE: resident memory at step 200", sys.argv[1], early, "MiB"),
    _row("VAE: growth to step 2,000", sys.argv[1], late / early - 1, ""),
]))
"""


def gated_steps(
    model: Any, source: Any, batch_size: int, steps: int
) -> tuple[list[float], list[float]]:
    """Train a few steps; give the seconds each waited for its batch, and took in all."""
    from genkit.data import Loader

    waits: list[float] = []
    took: list[float] = []
    give = Loader.__next__

    def timed(loader: Any) -> Any:
        started = time.perf_counter()
        batch = give(loader)
        waits.append(time.perf_counter() - started)
        took.append(started)
        return batch

    Loader.__next__ = timed  # type: ignore[method-assign]
    model.fit(source, steps=steps, batch_size=batch_size, verbose=False)
    return waits[2:], [b - a for a, b in pairwise(took[1:])]


def resident_at(model: Any, source: Any, batch_size: int, at: tuple[int, ...]) -> list[float]:
    """Train; give the MiB of memory the process holds at each of these steps."""
    import keras

    found: list[float] = []

    class Watch(keras.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.step = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.step += 1
            if self.step in at:
                found.append(_resident_mb())

    model.fit(source, steps=max(at), batch_size=batch_size, callbacks=[Watch()], verbose=False)
    return found


def _resident_mb() -> float:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _second_start() -> Iterator[dict[str, Any]]:
    """Start the same plan twice on JAX, with an empty cache for what was compiled at first."""
    pairs = []
    for _ in range(_STARTS):
        with tempfile.TemporaryDirectory() as folder:
            pairs.append([_to_first_step(Path(folder), name) for name in ("first", "second")])
    yield _row(
        "genkit run dcgan: time to the first step",
        "jax",
        statistics.median(p[0] for p in pairs),
        "s",
    )
    share = statistics.median(second / first for first, second in pairs)
    yield _row("the same at the second start, share", "jax", share, "")


def _to_first_step(folder: Path, name: str) -> float:
    """Return the seconds from a command's start to the first line in its log."""
    command = [sys.executable, "-m", "genkit", "run", "dcgan", "--backend", "jax", "--steps", "1"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--sample-every", "1000000", "--runs-dir", str(folder), "--name", name],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**environment, "XDG_CACHE_HOME": str(folder / "cache")},
    )
    log = folder / name / "metrics.jsonl"
    while not log.exists() and process.poll() is None:
        time.sleep(0.005)
    seconds = time.perf_counter() - started
    if process.wait() != 0:
        raise RuntimeError(f"{' '.join(command)} failed")
    return seconds
