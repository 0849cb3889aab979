"""Make a stopped and a finished run with this version of GenKit, and what they must give later.

KERAS_BACKEND=torch OMP_NUM_THREADS=1 PYTHONPATH=. \\
    python tests/old_files/make.py vae-torch tests/old_files/COMMIT
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np

# Between them: averaged weights, callbacks with state, a schedule, the best checkpoint, labels. The
# learning rates are large, so that few steps make samples that differ.
CASES = {
    "dcgan-jax": {
        "config": {"width": 2, "latent_dim": 4, "generator_average": 0.5, "learning_rate": 0.02},
        "callbacks": {"csv-logger": {}},
    },
    "vae-torch": {
        "config": {
            "width": 4,
            "latent_dim": 4,
            "hidden": 8,
            "kl_warmup_steps": 20,
            "learning_rate": 0.02,
        },
        "callbacks": {"reduce-lr-on-plateau": {"monitor": "loss", "patience": 1}},
        "keep_best": "loss",
    },
    "cgan-tensorflow": {"config": {"width": 2, "latent_dim": 4, "learning_rate": 0.02}},
}
# An epoch has 7 steps: the stop is in the middle of the first, the end in the middle of the second.
STOP, STEPS, MORE_STEPS = 5, 12, 3
COMMON = {"dataset": "digits", "batch_size": 200, "seed": 7, "steps": STEPS,
          "checkpoint_every": 4, "sample_every": 100, "keep": 1}  # fmt: skip


def main(case: str, folder: Path) -> None:
    """Make the two runs of a case in a new folder."""
    import keras

    from genkit.plan.plan import make_plan
    from genkit.plugins.registry import installed
    from genkit.workflows.train import execute

    class StopAfter(keras.callbacks.Callback):
        """Stop training after some steps, as Ctrl-C does."""

        def on_train_batch_end(self, batch, logs=None):
            if batch + 1 == STOP:
                os.kill(os.getpid(), signal.SIGINT)

        def get_state(self):
            return {}

    model, backend = case.split("-")
    plan = make_plan(installed(), {**COMMON, **CASES[case], "model": model, "backend": backend})
    execute(plan, folder / case, "stopped", [StopAfter()], verbose=False)
    execute(plan, folder / case, "finished", verbose=False)
    folder = folder / case
    expected, arrays = {"machine": machine()}, {}
    for name, more_steps in (("stopped", None), ("finished", MORE_STEPS)):
        arrays[name] = samples_of(folder / name)
        arrays[f"{name} resumed"], weights = resume(folder / name, more_steps)
        expected[f"{name} resumed weights"] = digest(weights)
    if plan.keep_best:
        arrays["stopped best"] = samples_of(folder / "stopped", checkpoint="best")
    expected |= {f"{name} samples": digest({name: array}) for name, array in arrays.items()}
    for picture in [*folder.glob("*/samples/*"), *folder.glob("*/report.html")]:
        picture.unlink()
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    np.savez(folder / "expected.npz", **arrays)


def samples_of(path: Path, checkpoint: str | None = None) -> np.ndarray:
    """Return 16 samples that a run or an exported model generates on this process's backend."""
    import genkit
    from genkit.plan.activation import choose_backend

    return genkit.load(path, choose_backend(), checkpoint).generate(16, seed=0)


def resume(path: Path, more_steps: int | None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Resume a copy of a run; return samples and weights it ends with."""
    from safetensors.numpy import load_file

    import genkit

    with tempfile.TemporaryDirectory() as place:
        copy = shutil.copytree(path, Path(place) / path.name)
        result = genkit.resume(copy, more_steps, verbose=False)
        checkpoint = copy / f"checkpoints/{result.outcome.steps:08d}"
        return samples_of(copy), load_file(checkpoint / "model.safetensors")


def machine() -> dict[str, object]:
    """Describe what bits depend on: processor, threads and versions."""
    from importlib.metadata import version

    from genkit import engine
    from genkit.plan.activation import active_backend, backend_version
    from genkit.plan.precision import cpu_flags, cpu_name

    name = active_backend()
    return {
        "processor": cpu_name(),
        "processor flags": hashlib.sha256(" ".join(sorted(cpu_flags())).encode()).hexdigest(),
        "device": engine.device(),
        "versions": {
            "keras": version("keras"),
            "numpy": version("numpy"),
            name: backend_version(name),
        },
    }


def digest(arrays: dict[str, np.ndarray]) -> str:
    """Hash arrays with their names, formats and shapes."""
    sha = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha.update(f"{name} {array.dtype} {array.shape}\n".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
