"""How far two workers are from one process, and how fast: the table of docs/explanation/workers.md.

python -m tests.workers.measure --backend jax [--steps 20] [MODEL ...]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from genkit.runs import checkpoints
from genkit.runs.run import Run

MODELS = ("vae", "dcgan", "vq-vae")


def train(folder: Path, model: str, backend: str, steps: int, workers: int) -> Path:
    """Train a model on small digits, and return the run."""
    name = f"{model}-{workers}"
    command = [
        sys.executable, "-m", "genkit", "run", model, "--dataset", "digits", "--backend", backend,
        "--steps", str(steps), "--batch-size", "64", "--name", name, "--runs-dir", str(folder),
        "--sample-every", "1000000", "--workers", str(workers),
    ]  # fmt: skip
    environment = os.environ if workers > 1 else {**os.environ, "OMP_WAIT_POLICY": "passive"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    return folder / name


def weights(run: Path) -> dict[str, np.ndarray]:
    """Return the last checkpoint's weights, as float64."""
    last = checkpoints.last(run / "checkpoints")
    return {key: x.astype("f8") for key, x in load_file(last / "model.safetensors").items()}


def milliseconds(run: Path) -> float:
    """Return the median time of a step, without the first ten, after which samples are drawn."""
    seconds = [row["seconds"] for row in Run.open(run).metrics()]
    return float(np.median(np.diff(seconds[10:])) * 1000)


def main() -> None:
    """Print a row of the table for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--backend", required=True)
    parser.add_argument("--steps", type=int, default=20)
    asked = parser.parse_args()
    print("| backend | model | weights apart | update apart | 1 process | 2 workers |")
    print("| --- | --- | --- | --- | --- | --- |")
    for model in asked.models:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            one, two = (train(folder, model, asked.backend, asked.steps, size) for size in (1, 2))
            mine, theirs = weights(one), weights(two)
            most = max(np.abs(theirs[key] - mine[key]).max() for key in mine)
            begun = load_file(one / "checkpoints" / "00000000" / "model.safetensors")
            apart = np.sqrt(sum(np.sum((theirs[key] - mine[key]) ** 2) for key in mine))
            come = np.sqrt(sum(np.sum((mine[key] - begun[key]) ** 2) for key in mine))
            times = [f"{milliseconds(run):.0f} ms" for run in (one, two)]
            told = [asked.backend, model, f"{most:.1e}", f"{apart / come:.1e}", *times]
            print(f"| {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
