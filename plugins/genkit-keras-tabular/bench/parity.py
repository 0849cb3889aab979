"""The same rows on three backends: ``python -m bench.parity FILE [MODEL ...]``, JSON lines out.

FILE is the Adult census table. A model learns from its rows on the backend in KERAS_BACKEND; each
backend then loads it and makes as many rows from one seed. Told is the share of cells that differ
from those of the first backend, in the worst column and in all.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import genkit

_BACKENDS = ("jax", "torch", "tensorflow")
_ROWS = 32_561


def made_on(backend: str, run: str, folder: Path) -> dict[str, np.ndarray]:
    """Return the rows that a backend makes of a run, in a process of its own."""
    file = folder / f"{backend}.npz"
    subprocess.run(
        [sys.executable, "-m", "bench.parity", "--generate", run, str(file)],
        env={**os.environ, "KERAS_BACKEND": backend},
        check=True,
    )
    with np.load(file) as arrays:
        return dict(arrays)


def generate(run: str, file: str) -> None:
    """Write rows as arrays of numbers and of text; what is missing is a text of its own."""
    made = list(genkit.load(run).generate_items(_ROWS, 0))
    rows = {key: np.ma.concatenate([np.ma.asarray(b[key]) for b in made]) for key in made[0]}
    np.savez(file, **{key: each.astype("U").filled("missing") for key, each in rows.items()})


def main() -> None:
    """Compare the models that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("models", nargs="*", default=["tab-ar"])
    parser.add_argument("--generate", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    genkit.activate()
    if asked.generate:
        generate(str(asked.file), asked.models[0])
        return
    from bench.adult import sources

    train, _ = sources(asked.file)
    for name in asked.models:
        with tempfile.TemporaryDirectory() as folder:
            result = genkit.train(name, dataset=train, runs_dir=folder, verbose=False)
            rows = {each: made_on(each, str(result.path), Path(folder)) for each in _BACKENDS}
        first = rows.pop(_BACKENDS[0])
        for backend, found in rows.items():
            apart = {key: float(np.mean(found[key] != first[key])) for key in first}
            worst = max(apart, key=apart.__getitem__)
            told = {
                "model": name,
                "backend": backend,
                "cells": round(np.mean([*apart.values()]), 6),
            }
            print(
                json.dumps({**told, "worst": worst, "its cells": round(apart[worst], 6)}),
                flush=True,
            )


if __name__ == "__main__":
    main()
