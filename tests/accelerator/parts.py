"""What is measured on a device, each part in a process of its own.

python -m tests.accelerator.parts PART BACKEND STEPS

prints one JSON object as its last line.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Without dropout and its like, whose numbers each device draws for itself.
MODELS: dict[str, dict[str, Any]] = {
    "gan": {"dropout": 0.0},
    "dcgan": {"dropout": 0.0},
    "cgan": {"dropout": 0.0},
    "vae": {},
    "vq-vae": {},
    "flow-matching": {},
}
OF_PLUGINS: dict[str, dict[str, Any]] = {  # where their plugins are installed
    "mult-vae": {"config": {"dropout": 0.0}},
    "gpt": {},
    "stylegan2": {"dataset": "digits"},
    "tab-ar": {},
}
_WARM = 10  # steps before a step's time is told
_IMAGES = 10_000


def training(backend: str, steps: int) -> dict[str, Any]:
    """Train each model for some steps from one seed; return losses, times and memory.

    Of each model: ``losses`` by name, a number a step; ``first_step_s``, compiling included;
    ``step_ms``, of the steps after the tenth; ``memory_mb``, the most that the device has held in
    the process so far, None where the backend doesn't tell.
    """
    import genkit
    from genkit.engine import device

    known = {row["name"] for row in genkit.list_models() if not row["missing"]}
    models = {model: {"config": config} for model, config in MODELS.items()}
    models |= {model: asked for model, asked in OF_PLUGINS.items() if model in known}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for model, asked in models.items():
            settings = {**asked, "steps": steps, "seed": 7, "backend": backend}
            quiet = {"sample_every": 10**6, "checkpoint_every": 10**6, "verbose": False}
            run = genkit.train(
                model, **settings, **quiet, precision="float32", runs_dir=folder, name=model
            )
            columns = run.history
            seconds = columns["seconds"]
            warm = min(_WARM, steps - 1)
            found[model] = {
                "losses": {
                    name: [float(value) for value in column]
                    for name, column in columns.items()
                    if name not in ("step", "epoch", "seconds")
                },
                "first_step_s": round(float(seconds[0]), 2),
                "step_ms": round(1e3 * float(seconds[-1] - seconds[warm - 1]) / (steps - warm), 3),
                "memory_mb": _memory(backend),
            }
    return {"device": device(), "models": found}


def generation(backend: str, steps: int) -> dict[str, Any]:
    """Return the images that ``dcgan`` generates a second: 10,000 of them, after a few."""
    import genkit

    with tempfile.TemporaryDirectory() as folder:
        run = genkit.train(
            "dcgan", steps=min(steps, 10), backend=backend, runs_dir=folder, verbose=False
        )
        model = genkit.load(run.path)
    n = _IMAGES if steps > _WARM else 64
    model.generate(64)
    began = time.perf_counter()
    made = sum(len(each) for each in model.generate_batches(n))
    return {"images": made, "per_second": round(made / (time.perf_counter() - began), 1)}


def bits(backend: str, steps: int) -> dict[str, Any]:
    """Train three times from one seed, the third killed half way and resumed; compare weights."""
    digests = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first", "again"):
            _genkit(folder, "run", "dcgan", *_bounds(backend, steps), "--name", name)
            digests[name] = _digest(Path(folder, "runs", name))
        _kill_half_way(folder, backend, steps)
        _genkit(folder, "resume", "runs/killed")
        digests["killed"] = _digest(Path(folder, "runs/killed"))
    return {
        "digests": digests,
        "repeats": digests["first"] == digests["again"],
        "resumes": digests["first"] == digests["killed"],
    }


def _bounds(backend: str, steps: int) -> tuple[str, ...]:
    every = max(1, steps // 10)
    return (
        *("--backend", backend, "--dataset", "digits", "--seed", "7", "--steps", str(steps)),
        *("--checkpoint-every", str(every), "--sample-every", "1000000"),
    )


def _genkit(folder: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "genkit", *arguments]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=_environment())


def _kill_half_way(folder: str, backend: str, steps: int) -> None:
    command = [sys.executable, "-m", "genkit", "run", "dcgan", *_bounds(backend, steps)]
    with subprocess.Popen(
        [*command, "--name", "killed"], cwd=folder, stdout=subprocess.DEVNULL, env=_environment()
    ) as process:
        half = steps // 2
        checkpoints = Path(folder, "runs/killed/checkpoints")
        while process.poll() is None:
            reached = [int(each.name) for each in checkpoints.glob("[0-9]*[0-9]")]
            if reached and max(reached) >= half:
                process.send_signal(signal.SIGKILL)
                return
            time.sleep(0.01)
    raise RuntimeError("the run ended before it could be killed")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def _digest(run: Path) -> str:
    digest = hashlib.sha256((run / "model/weights.safetensors").read_bytes()).hexdigest()[:12]
    shutil.rmtree(run)
    return digest


def _memory(backend: str) -> float | None:
    """Return the most MiB that the first GPU has held for this process; None if nobody says."""
    held = None
    if backend == "torch":
        import torch

        held = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
    elif backend == "jax":
        import jax

        held = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    else:
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            held = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return None if held is None else round(held / 2**20, 1)


PARTS = {"training": training, "generation": generation, "bits": bits}


def main() -> None:
    """Do the part that the command line names, and print what it found."""
    part, backend, steps = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # frameworks greet on standard output too
    from genkit.plan.activation import activate

    activate(backend)
    print(json.dumps(PARTS[part](backend, int(steps))), file=answers, flush=True)


if __name__ == "__main__":
    main()
