"""Measure the models of tables on Adult and write docs/tables.md: ``nox -s tabular-bench``.

``python -m bench FILE [--peers PYTHON] [--mostlyai PYTHON] [--seeds 3]`` does it in an environment
with the plugin. FILE is the Adult census table, Parquet, the 16,281 rows of UCI's ``adult.test``
first. PYTHON is that of another environment, with ``ctgan==0.12.1 pyarrow``; and of one with
``mostlyai-engine==2.7.3 pyarrow``, without torchvision if that is of another torch's version. Each
training is a process of its own, on one thread; what is measured is kept, and not measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.page import page

_HERE = Path(__file__).parent
_KEPT, _PAGE = _HERE / "adult.jsonl", _HERE.parents[2] / "docs/tables.md"
_MODELS = (
    "tab-marginals", "tab-copula", "tab-cart", "tab-smote", "tab-mixture", "tab-ar", "tvae",
    "ctgan", "tab-ddpm",
)  # fmt: skip
_PEERS = (("tvae", 60), ("tvae", 300), ("ctgan", 60), ("ctgan", 300))
_MOSTLYAI = (("mostlyai", 5), ("mostlyai", 20))
_ONE_THREAD = {"OMP_NUM_THREADS": "1"}
_HOURS = 2


def main() -> None:
    """Measure what isn't there yet, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="without it the page alone is written")
    parser.add_argument("--peers", type=Path, help="the Python that has ctgan")
    parser.add_argument("--mostlyai", type=Path, help="the Python that has mostlyai's engine")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=_MODELS)
    asked = parser.parse_args()
    rows = _kept()
    if asked.file is not None:
        for row in _measured(asked, {(row["who"], row["seed"]) for row in rows}):
            rows.append(row)
            with _KEPT.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    _PAGE.write_text(page(rows), encoding="utf-8")


def _kept() -> list[dict[str, Any]]:
    if not _KEPT.exists():
        return []
    return [json.loads(line) for line in _KEPT.read_text(encoding="utf-8").splitlines()]


def _measured(asked: argparse.Namespace, known: set[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    for seed in range(asked.seeds):
        for model in asked.models:
            if (model, seed) not in known:
                found = _run("-m", "bench.adult", str(asked.file), model, "--seeds", str(seed))
                yield {"who": model, "seed": seed, **found}
        for model, epochs in _PEERS if asked.peers else ():
            who = f"ctgan 0.12.1, {model.upper()}, {epochs} epochs"
            if (who, seed) not in known:
                yield {"who": who, "seed": seed, **_peer(asked, asked.peers, model, epochs, seed)}
        for model, epochs in _MOSTLYAI if asked.mostlyai else ():
            who = f"mostlyai-engine 2.7.3, {epochs} epochs"
            if (who, seed) not in known:
                told = _peer(asked, asked.mostlyai, model, epochs, seed)
                yield {"who": who, "seed": seed, **told}


def _peer(
    asked: argparse.Namespace, python: Path, model: str, epochs: int, seed: int
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "rows")
        command = [str(asked.file), model, "--epochs", str(epochs), "--seed", str(seed)]
        told = _run(str(_HERE / "peers.py"), *command, "--out", str(out), python=python.absolute())
        if "failed" in told:
            return told
        figures = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
        rows = str(out.with_suffix(".parquet"))
        return {**_run("-m", "bench.adult", str(asked.file), "--rows", rows), **figures}


def _run(*command: str, python: Path = Path(sys.executable)) -> dict[str, Any]:
    """Run a process to its end; return what its last line says, or why there is none."""
    try:
        done = subprocess.run(
            [str(python), *command],
            env={**os.environ, **_ONE_THREAD},
            capture_output=True,
            text=True,
            timeout=3600 * _HOURS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"it did not end in {_HOURS} hours"}
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    if done.returncode:
        return {"failed": lines[-1] if lines else f"exit code {done.returncode}"}
    found: dict[str, Any] = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return found


if __name__ == "__main__":
    main()
