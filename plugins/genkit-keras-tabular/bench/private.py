"""Adult with a guarantee: ``python -m bench.private FILE [MODEL ...] [--noise 1 2]``, JSON lines.

``python -m bench.private --clinic FILE`` does so with Cleveland's heart disease, as the recipe.

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
from genkit_tabular.features import Judged

import genkit
from bench.adult import judged, sources
from bench.recipes import RECIPES, parted, rows_of
from bench.recipes import judged as recipe_judged

_RANGES = {
    "age": (16, 100), "fnlwgt": (0, 1_500_000), "educational-num": (1, 16),
    "capital-gain": (0, 99_999), "capital-loss": (0, 5000), "hours-per-week": (1, 99),
}  # fmt: skip
# What a clinic knows of its own form, without a look at a patient's.
_FORM = {
    "age": (0, 110), "sex": (0, 1), "cp": (1, 4), "trestbps": (60, 240), "chol": (80, 600),
    "fbs": (0, 1), "restecg": (0, 2), "thalach": (50, 220), "exang": (0, 1), "oldpeak": (0, 8),
    "slope": (1, 3), "ca": (0, 3), "thal": (3, 7),
}  # fmt: skip
_CLINIC = {
    name: {"kind": "number", "range": list(ends), "digits": int(name == "oldpeak"),
           "missing": 0.1 if name in ("ca", "thal") else 0}
    for name, ends in _FORM.items()
} | {"sick": {"kind": "boolean"}}  # fmt: skip
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


def clinic(file: Path, noise: float, epsilon: float, seed: int) -> dict[str, Any]:
    """Train on 227 patients within a budget, and judge the rows as the recipe does."""
    recipe = RECIPES["heart-disease"]
    whole = recipe.read(file)
    train, test = parted(recipe, whole, seed)
    known, _ = parted(recipe, whole, seed, _CLINIC)
    judge = Judged.of(train.schema, train.assets)
    with tempfile.TemporaryDirectory() as runs:
        result = genkit.train(
            "tab-ar",
            dataset=known,
            preset="private",
            batch_size=32,
            steps=400,
            seed=seed,
            validate_every=None,
            trainer="dp",
            trainer_config={"noise_multiplier": noise, "max_epsilon": epsilon},
            runs_dir=runs,
            verbose=False,
        )
        said = json.loads((result.path / "statement.json").read_text(encoding="utf-8"))
        model = genkit.load(result)
    return {
        "model": "tab-ar, private",
        "seed": seed,
        "steps": result.outcome.steps,
        "guarantee": said["facts"]["guarantee"],
        "at most found": said["facts"]["what an attack can find"],
        **recipe_judged(recipe, judge, model, train, rows_of(judge, test), seed),
    }


def main() -> None:
    """Measure the models that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--clinic", action="store_true")
    parser.add_argument("--epsilon", type=float, default=3.0, help="of the clinic")
    parser.add_argument("models", nargs="*", default=["tab-ar"])
    parser.add_argument("--noise", nargs="+", type=float, default=[1.0])
    parser.add_argument("--steps", type=int, default=2000)
    asked = parser.parse_args()
    genkit.activate()
    if asked.clinic:
        for seed in range(3):
            found = clinic(asked.file, asked.noise[0], asked.epsilon, seed)
            print(json.dumps(found), flush=True)
        return
    for name in asked.models:
        for noise in asked.noise:
            print(json.dumps(measured(asked.file, name, noise, asked.steps)), flush=True)


if __name__ == "__main__":
    main()
