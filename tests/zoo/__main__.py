"""Train the models by their presets, measure them on test data, and write ``docs/zoo.md``,
and what of it comes with GenKit.

python -m tests.zoo --model vae,cgan --backend torch --write

A row that was interrupted goes on where it was; one that is done is not trained again.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from genkit.builtin.model_specs import MODELS
from genkit.builtin.zoo import preset_of
from genkit.runs.run import Run
from tests.benchmarks.page import machine
from tests.zoo import page

ROWS, PAGE = Path("docs/zoo.json"), Path("docs/zoo.md")
SHIPPED = Path("genkit/builtin/zoo.json")
_CPU = "cpu_seconds.json"  # in a run's folder


def main() -> None:
    """Parse, train, measure; keep the rows and write the page if asked to."""
    options = _options()
    for model in options.model.split(","):
        row = _row(model, options)
        print(json.dumps(row), flush=True)
        if options.write:
            kept = json.loads(ROWS.read_text(encoding="utf-8")) if ROWS.exists() else []
            rows = page.merge(kept, row)
            ROWS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
            PAGE.write_text(page.render(rows), encoding="utf-8")
            SHIPPED.write_text(page.shipped(rows), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.zoo", description=__doc__)
    everything = ",".join(spec.name for spec in MODELS)
    parser.add_argument("--model", default=everything, help="names between commas; all")
    parser.add_argument("--preset", default="default", help="default or reference")
    parser.add_argument("--backend", default="torch", help="jax, torch or tensorflow")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("zoo"), help="where the runs are; zoo")
    parser.add_argument("--write", action="store_true", help=f"renew the rows in {ROWS}")
    return parser.parse_args()


def _row(model: str, options: argparse.Namespace) -> dict[str, Any]:
    name = f"{model}-{options.preset}-{options.backend}-{options.seed}"
    path = options.folder / name
    _train(model, path, options)
    run = Run.open(path)
    return {
        "model": model,
        "data": run.plan.dataset,
        "backend": options.backend,
        "preset": options.preset,
        "recipe": preset_of(model, options.preset),
        "seed": options.seed,
        "steps": run.status()["step"],
        "seconds": round(run.metrics()[-1]["seconds"], 1),
        "cpu_seconds": json.loads((path / _CPU).read_text(encoding="utf-8")),
        "quality": _quality(path),
        "machine": machine(),
        "date": time.strftime("%Y-%m-%d"),
    }


def _train(model: str, path: Path, options: argparse.Namespace) -> None:
    """Train a row, or go on with it, and keep the processor's seconds of all its sittings."""
    before = _children_seconds()
    if not path.exists():
        command = ["run", model, "--preset", options.preset, "--backend", options.backend]
        command += ["--seed", str(options.seed), "--runs-dir", str(path.parent)]
        _call("genkit", *command, "--name", path.name)
    elif Run.open(path).status()["state"] != "done":
        _call("genkit", "resume", str(path))
    else:
        return
    earlier = json.loads((path / _CPU).read_text(encoding="utf-8")) if (path / _CPU).exists() else 0
    (path / _CPU).write_text(json.dumps(round(earlier + _children_seconds() - before, 1)))


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _quality(path: Path) -> dict[str, Any]:
    file = path / "quality.json"
    if not file.exists():
        _call("tests.zoo.quality", str(path))
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _call(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    main()
