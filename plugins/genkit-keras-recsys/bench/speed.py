"""Training throughput beside RecBole's: ``python -m bench.speed --recbole PYTHON``.

RecBole has an environment of its own, whose interpreter is given. Both train the same Mult-VAE and
the same SASRec (widths, batch, optimizer; full softmax) on ml-latest-small. Counted are examples,
and what is learned of them: users for Mult-VAE, next items for SASRec. RecBole's SASRec learns one
next item of each sequence it sees, ours one at every place of a window. Seconds of the processor,
over all threads, are counted too: they stay the same on a machine that others share.
"""

from __future__ import annotations

import argparse
import csv
import json
import lzma
import os
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from bench.process import answer

SPEED = Path(__file__).resolve().parents[3] / "docs/recommenders-speed.json"
STEPS = 12
WARM = 3
MODELS: dict[str, dict[str, Any]] = {
    "mult-vae": {"batch": 64, "settings": {"hidden_dim": 600, "latent_dim": 200}},
    "sasrec": {"batch": 32, "settings": {"dim": 64, "blocks": 2, "heads": 2, "length": 50}},
}


def ours(model: str) -> dict[str, Any]:
    """Train a few steps, and count what is learned from in a second."""
    import keras
    import numpy as np
    from genkit_recsys.data_settings import LatestSmallConfig
    from genkit_recsys.datasets import open_latest_small

    import genkit
    from genkit.plugins.registry import installed
    from genkit.plugins.specs import resolve

    class Clock(keras.callbacks.Callback):
        """Notes when each step ended."""

        def __init__(self) -> None:
            super().__init__()
            self.times: list[tuple[float, float]] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
            self.times.append((time.perf_counter(), time.process_time()))

    genkit.activate()
    asked = MODELS[model]
    source = open_latest_small(LatestSmallConfig.model_validate({"protocol": "leave-last-out"}))
    spec = installed().find("models", model).spec
    config = resolve(spec.config).model_validate(asked["settings"])
    made = resolve(spec.model)(config, source.schema)
    clock = Clock()
    made.fit(
        source, steps=STEPS + WARM, batch_size=asked["batch"], callbacks=[clock], verbose=False
    )
    examples = made.examples(source)
    if model == "sasrec":
        windows = examples.gather(np.arange(len(examples)))["window"]
        each = float(((windows[:, 1:] >= 0) & (windows[:, :-1] >= 0)).sum(axis=1).mean())
    else:
        each = 1.0
    seen = STEPS * asked["batch"]
    wall, cpu = np.subtract(clock.times[-1], clock.times[WARM - 1]).tolist()
    return {
        "backend": keras.config.backend(),
        "examples_a_second": seen / wall,
        "learned_a_second": seen * each / wall,
        "learned_a_cpu_second": seen * each / cpu,
    }


def write_atomic(folder: Path) -> None:
    """Write the ratings in RecBole's form."""
    home = folder / "mls"
    home.mkdir()
    packed = (files("genkit_recsys") / "ml_latest_small" / "ratings.csv.xz").read_bytes()
    rows = csv.reader(lzma.decompress(packed).decode().splitlines()[1:])
    types = ("user_id:token", "item_id:token", "rating:float", "timestamp:float")
    lines = ["\t".join(types), *("\t".join(row) for row in rows)]
    (home / "mls.inter").write_text("\n".join(lines) + "\n", encoding="utf-8")


def theirs(model: str, python: str, folder: Path) -> dict[str, Any]:
    """Have RecBole's own trainer train, in its environment."""
    script = Path(__file__).with_name("recbole_speed.py")
    asked = [json.dumps(MODELS[model]), str(STEPS), str(WARM)]
    return answer([python, str(script), model, str(folder), *asked], cwd=folder)


def main() -> None:
    """Measure each model with each trainer, and write docs/recommenders-speed.json."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument("--recbole", help="the interpreter of RecBole's environment")
    parser.add_argument("--one", choices=list(MODELS), help="ours alone, in this process")
    parser.add_argument("--backends", default="jax,torch,tensorflow")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(ours(asked.one)))
        return
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        write_atomic(Path(name))
        for model in MODELS:
            for backend in asked.backends.split(","):
                command = [sys.executable, "-m", "bench.speed", "--one", model]
                told = answer(command, env={**os.environ, "KERAS_BACKEND": backend})
                rows.append({"model": model, **told})
            if asked.recbole:
                rows.append({"model": model, **theirs(model, asked.recbole, Path(name))})
    SPEED.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
