"""Tune, train and measure all recommenders: ``python -m bench --write``; ``nox -s recsys-bench``.

Results are kept in ``docs/recommenders.json`` as they come, a line for each training: what is there
is not done again. ``docs/recommenders.md`` is written from it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from bench.page import page
from bench.process import answer
from bench.quality import QUALITY
from bench.speed import SPEED
from bench.trials import TRIALS

ROOT = Path(__file__).resolve().parents[3]
RESULTS, PAGE = ROOT / "docs/recommenders.json", ROOT / "docs/recommenders.md"
TUNED_BY = "ndcg@10"
# A model of sequences asks for what comes next: that is the second protocol.
PROTOCOLS = {
    "ratio": tuple(model for model in TRIALS if model != "sasrec"),
    "leave-last-out": ("popularity", "item-knn", "ease", "mult-vae", "sasrec"),
}


class Results:
    """The trainings that were done, by what was asked.

    Args:
        file: where they are kept.
        backend: what they train on.
    """

    def __init__(self, file: Path, backend: str) -> None:
        self._file, self._backend = file, backend
        self.rows: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []

    def of(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a job; do it where it is missing."""
        for row in self.rows:
            if row["job"] == job and row["backend"] == self._backend:
                return row
        print(json.dumps(job), file=sys.stderr, flush=True)
        told = answer(
            [sys.executable, "-m", "bench.worker", json.dumps(job)],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "KERAS_BACKEND": self._backend},
        )
        row = {"job": job, "backend": self._backend, "cpus": os.cpu_count(), **told}
        self.rows.append(row)
        self._file.write_text(json.dumps(self.rows, indent=1) + "\n")
        return row


def measure_model(
    results: Results, job: dict[str, Any], trials: list[dict[str, Any]], seeds: int
) -> None:
    """Tune a model on the validation split, and train the best settings with each seed."""
    best = trials[0]
    if len(trials) > 1:
        tried = [
            results.of({**job, "settings": settings, "seed": 0, "split": "validation"})
            for settings in trials
        ]
        best = max(tried, key=lambda row: row["values"][TUNED_BY])["job"]["settings"]
    for seed in range(seeds):
        results.of({**job, "settings": best, "seed": seed, "split": "test"})


def write_page(rows: list[dict[str, Any]]) -> None:
    """Write the page from the rows, and from what was measured of RecBole."""
    quality, speed = (
        json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
        for file in (QUALITY, SPEED)
    )
    PAGE.write_text(page(rows, quality, speed), encoding="utf-8")


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--datasets", default="ml-latest-small", help="names, parted by commas")
    parser.add_argument("--models", default="", help="names, parted by commas; all without it")
    parser.add_argument("--seeds", type=int, default=3, help="of the final trainings")
    parser.add_argument("--trials", type=int, default=9, help="settings tried, at most")
    parser.add_argument("--backend", default="jax")
    parser.add_argument("--write", action="store_true", help="write docs/recommenders.md")
    asked = parser.parse_args()
    results = Results(RESULTS, asked.backend)
    chosen = asked.models.split(",") if asked.models else list(TRIALS)
    for dataset in asked.datasets.split(","):
        for protocol, models in PROTOCOLS.items():
            for model in models:
                if model in chosen:
                    job = {"model": model, "dataset": dataset, "data": {"protocol": protocol}}
                    measure_model(results, job, TRIALS[model][: asked.trials], asked.seeds)
                    if asked.write:
                        write_page(results.rows)


if __name__ == "__main__":
    main()
