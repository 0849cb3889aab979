"""One process of a measurement: ``python -m bench.worker JOB``, a JSON object.

``exact``, ``train`` and ``train-nanogpt`` print one JSON object at their end. ``steps`` and
``write`` do a round each time a line comes, and print its seconds: see ``bench.turns``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.setting import BATCH, CONTEXT, STEPS

BLOCK = 256  # context of generation
_ROUND = 20  # steps


def exact(job: dict[str, Any]) -> dict[str, Any]:
    """Train both from the same weights on the same windows, on PyTorch; tell what is between."""
    from bench.nanogpt import give

    nano, model, draw = _nanogpt(job), _gpt("nanogpt-cpu"), _drawn(0)
    import genkit
    from genkit.models.training.stepping import CompiledStep

    give(nano.weights(), model.network)
    trainer = genkit.Trainer()
    trainer.open_engine(model)
    step = CompiledStep(trainer, model, 0)
    apart = []
    for number in range(job["steps"]):
        window = draw()
        ours = step(number, {"window": window.astype(np.int32)}, total=STEPS)
        apart.append(abs(trainer.engine.fetch(ours)["loss"] - nano.step(window, number)))
    return {"largest": max(apart), "last": apart[-1]}


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Train a preset to its end; the loss of the last tenth, all windows."""
    import genkit

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter(), time.process_time()
        run = genkit.train(
            "gpt", preset=job["preset"], seed=job["seed"], runs_dir=folder, verbose=False,
            sample_every=STEPS,
        )  # fmt: skip
        took = [now - then for now, then in zip(_now(), began, strict=True)]
        model = genkit.load(run)
        windows = _windows("validation")
        losses = [
            np.asarray(model.surprise(windows[start : start + 256])).mean(axis=1)
            for start in range(0, len(windows), 256)
        ]
    return {"loss": float(np.concatenate(losses).mean()), "wall": took[0], "cpu": took[1]}


def train_nanogpt(job: dict[str, Any]) -> dict[str, Any]:
    """Train nanoGPT's setting to its end; the loss of the same windows."""
    nano, draw = _nanogpt(job), _drawn(job["seed"])
    began = _now()
    for number in range(STEPS):
        nano.step(draw(), number)
    took = [now - then for now, then in zip(_now(), began, strict=True)]
    return {"loss": nano.loss(_windows("validation")), "wall": took[0], "cpu": took[1]}


def steps(job: dict[str, Any]) -> None:
    """Do steps of training, some a round, through the whole of each one's loop."""
    if job["who"] == "nanogpt":
        nano, draw = _nanogpt(job), _drawn(0)

        def several() -> None:
            for _ in range(_ROUND):
                nano.step(draw(), STEPS // 2)

        _rounds(several)
        return
    import keras

    class Turns(keras.callbacks.Callback):
        """Waits for its turn after each round."""

        def __init__(self) -> None:
            super().__init__()
            self._began: tuple[float, float] | None = None

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if (batch + 1) % _ROUND:
                return
            float(logs["loss"])  # the step has ended
            if self._began is not None:
                _tell(self._began)
            if not sys.stdin.readline():
                os._exit(0)
            self._began = _now()

    model, source = _gpt(job["preset"]), _source("train")
    model.fit(source, steps=10**6, batch_size=BATCH, callbacks=[Turns()], verbose=False)


def write(job: dict[str, Any]) -> None:
    """Generate one text a round, of as many tokens as fit into the context."""
    if job["who"] == "nanogpt":
        nano = _nanogpt(job, context=BLOCK)
        _rounds(lambda: nano.write(BLOCK - 1))
        return
    model = _gpt("nanogpt-cpu", context=BLOCK)
    model.generation_batch = 1
    _rounds(lambda: model.generate(1, length=BLOCK - 1))


def _rounds(act: Callable[[], Any]) -> None:
    act()  # compiles
    while sys.stdin.readline():
        began = _now()
        act()
        _tell(began)


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _tell(began: tuple[float, float]) -> None:
    wall, cpu = (now - then for now, then in zip(_now(), began, strict=True))
    print(json.dumps({"wall": wall, "cpu": cpu}), flush=True)


def _nanogpt(job: dict[str, Any], **more: Any) -> Any:
    from bench.nanogpt import NanoGPT

    return NanoGPT(Path(job["nanogpt"]), job.get("seed", 0), **more)


def _source(split: str) -> Any:
    from genkit_language.configs import TokensConfig
    from genkit_language.data import open_tinyshakespeare

    return open_tinyshakespeare(TokensConfig.model_validate({"split": split}))


def _windows(split: str) -> np.ndarray:
    """Return all windows of a split that follow one on another, ``(n, CONTEXT + 1)``."""
    from genkit_language.data import Windows

    windows = Windows(_source(split), CONTEXT)
    return np.asarray(windows.gather(np.arange(len(windows)))["window"])


def _drawn(seed: int) -> Callable[[], np.ndarray]:
    """Return what draws batches of windows at any place, as nanoGPT's loader does."""
    numbers, rng = np.asarray(_source("train").tokens.numbers), np.random.default_rng(seed)
    places = np.arange(CONTEXT + 1)

    def draw() -> np.ndarray:
        starts = rng.integers(0, len(numbers) - CONTEXT, BATCH)
        return np.asarray(numbers[starts[:, None] + places])

    return draw


def _gpt(preset: str, **settings: Any) -> Any:
    from genkit_language.configs import GPTConfig
    from genkit_language.gpt import GPT
    from genkit_language.plugin import genkit_models

    import genkit

    genkit.activate()
    (spec,) = genkit_models()
    source = _source("train")
    model = GPT(GPTConfig(**{**spec.presets[preset].get("config", {}), **settings}), source.schema)
    model.bind(source.schema, source.assets, spec)
    return model


JOBS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "exact": exact,
    "train": train,
    "train-nanogpt": train_nanogpt,
    "steps": steps,
    "write": write,
}

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    if asked.get("cpus"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked["cpus"]])
    if (told := JOBS[asked["do"]](asked)) is not None:
        print(json.dumps(told))
