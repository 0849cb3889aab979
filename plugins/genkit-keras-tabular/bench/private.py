"""Adult with a guarantee: ``python -m bench.private FILE [MODEL ...] [--noise 1 2]``, JSON lines.

FILE is the Adult census table, as for ``bench.adult``. Ranges and names are those of the codebook
that UCI has beside it, not of the rows. A line tells epsilon, and what the rows are worth.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import genkit
from bench.adult import judged, sources

_RANGES = {
    "age": (16, 100), "fnlwgt": (0, 1_500_000), "educational-num": (1, 16),
    "capital-gain": (0, 99_999), "capital-loss": (0, 5000), "hours-per-week": (1, 99),
}  # fmt: skip
_GAPS = ("workclass", "occupation", "native-country")
_TEST = 16_281


def described(file: Path, folder: Path) -> dict[str, Any]:
    """Write the rows to learn from, the test rows and the codebook; return the settings."""
    table = pq.read_table(file)
    pq.write_table(table.slice(_TEST), folder / "train.parquet")
    pq.write_table(table.slice(0, _TEST), folder / "test.parquet")
    lines = ['target = "income"']
    for name in table.column_names:
        lines.append(f'[columns."{name}"]')
        if name in _RANGES:
            lines += ['kind = "number"', f"range = {list(_RANGES[name])}"]
            continue
        names = sorted(set(table.column(name).to_pylist()) - {"?", None})
        lines += ['kind = "category"', f"order = {json.dumps(names)}"]
        lines += ["missing = 0.1"] if name in _GAPS else []
    (folder / "table.toml").write_text("\n".join(lines), encoding="utf-8")
    paths = {"path": "train.parquet", "test": "test.parquet", "describe": "table.toml"}
    return {**{key: str(folder / name) for key, name in paths.items()}, "described": True}


def measured(file: Path, name: str, noise: float, steps: int) -> dict[str, Any]:
    """Train a model with so much noise and judge its rows."""
    train, test = sources(file)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        began = time.process_time()
        result = genkit.train(
            name,
            dataset="table",
            data=described(file, folder),
            preset="private",
            steps=steps,
            trainer="dp",
            trainer_config={"noise_multiplier": noise, "max_epsilon": 100.0},
            runs_dir=folder / "runs",
            verbose=False,
        )
        fitted = time.process_time() - began
        said = json.loads((result.path / "statement.json").read_text(encoding="utf-8"))
        made = list(genkit.load(result).generate_items(len(train), 0))
    rows = {key: np.ma.concatenate([np.ma.asarray(b[key]) for b in made]) for key in made[0]}
    return {
        "model": name,
        "noise": noise,
        "steps": result.outcome.steps,
        "guarantee": said["facts"]["guarantee"],
        "fit_cpu_seconds": round(fitted, 1),
        **judged(rows, train, test, 0),
    }


def main() -> None:
    """Measure the models that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("models", nargs="*", default=["tab-ar"])
    parser.add_argument("--noise", nargs="+", type=float, default=[1.0])
    parser.add_argument("--steps", type=int, default=2000)
    asked = parser.parse_args()
    genkit.activate()
    for name in asked.models:
        for noise in asked.noise:
            print(json.dumps(measured(asked.file, name, noise, asked.steps)), flush=True)


if __name__ == "__main__":
    main()
