"""Measure ``gpt`` beside nanoGPT: ``python -m bench --nanogpt FOLDER``; ``nox -s language-bench``.

FOLDER is a clone of github.com/karpathy/nanoGPT. Results are kept in ``docs/language.json`` as
they come: what is there is not done again. ``docs/language.md`` is written from it. Take a quiet
machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.page import page
from bench.turns import in_turn
from genkit.plan.precision import cpu_name

ROOT = Path(__file__).resolve().parents[3]
RESULTS, PAGE = ROOT / "docs/language.json", ROOT / "docs/language.md"
BACKENDS = ("torch", "tensorflow", "jax")
SEEDS = (0, 1, 2)
_EXACT_STEPS = 60


class Results:
    """What was measured, by name.

    Args:
        file: where it is kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.found: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}

    def of(self, name: str, measure: Any) -> None:
        """Measure and keep what isn't there yet."""
        if name in self.found:
            return
        print(name, file=sys.stderr, flush=True)
        self.found[name] = measure()
        self._file.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    """Name what is measured on."""
    names = ("keras", "torch", "jax", "tensorflow")
    return f"{os.cpu_count()} cores of {cpu_name()}, " + ", ".join(
        f"{name} {version(name)}" for name in names
    )


def once(job: dict[str, Any], backend: str) -> dict[str, Any]:
    """Do a job in a process of its own, and return what it tells in its last line."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.worker", json.dumps(job)],
        cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )  # fmt: skip
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    """Measure what is missing, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--nanogpt", help="a clone of nanoGPT; else the page alone is written")
    parser.add_argument("--rounds", type=int, default=9, help="of each speed, in turn")
    parser.add_argument("--only", default="", help="names that begin so")
    asked = parser.parse_args()
    results = Results(RESULTS)
    if asked.nanogpt:
        results.of("machine", machine)
        for name, measure in measurements(str(Path(asked.nanogpt).resolve()), asked.rounds).items():
            if name.startswith(asked.only):
                results.of(name, measure)
    PAGE.write_text(page(results.found), encoding="utf-8")


def measurements(nanogpt: str, rounds: int) -> dict[str, Any]:
    """Return what is measured, by name, in order."""
    base = {"nanogpt": nanogpt}
    found: dict[str, Any] = {
        "exact": lambda: once({"do": "exact", "steps": _EXACT_STEPS, **base}, "torch")
    }
    for kind in ("steps", "write"):
        for cpus in (1, 2):
            job = {"do": kind, "cpus": cpus, **base}
            presets = ("nanogpt-cpu", "default") if kind == "steps" else ("nanogpt-cpu",)
            jobs = {"nanoGPT": ({**job, "who": "nanogpt"}, "torch")}
            for preset in presets:
                for backend in BACKENDS:
                    jobs[f"{preset} {backend}"] = (
                        {**job, "who": "gpt", "preset": preset}, backend,
                    )  # fmt: skip
            found[f"{kind}-{cpus}"] = lambda jobs=jobs: in_turn(jobs, rounds)
    for seed in SEEDS:
        job = {"seed": seed, **base}
        found[f"loss-nanogpt-{seed}"] = lambda job=job: once(
            {"do": "train-nanogpt", **job}, "torch"
        )
        for preset in ("nanogpt-cpu", "default"):
            found[f"loss-{preset}-{seed}"] = lambda job=job, preset=preset: once(
                {"do": "train", "preset": preset, **job}, "jax"
            )
    return found


if __name__ == "__main__":
    main()
