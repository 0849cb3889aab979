"""Quality beside RecBole's: ``python -m bench.quality --recbole PYTHON``.

RecBole has an environment of its own, whose interpreter is given. It trains its models with its own
settings on the splits of ``python -m bench``, 8:1:1 at random of each user's events on
ml-latest-small, and ranks all items. Models without chance are trained by ours with RecBole's
settings too. Results are kept in ``docs/recommenders-recbole.json`` as they come; what is there is
not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from genkit_recsys.data_settings import LatestSmallConfig
from genkit_recsys.datasets import open_latest_small

from bench.page import BESIDE
from bench.process import answer
from bench.recbole_quality import MODELS, PARTS

QUALITY = Path(__file__).resolve().parents[3] / "docs/recommenders-recbole.json"
# RecBole's own settings of models that draw nothing.
SAME: dict[str, dict[str, float]] = {
    "ease": {"l2": 250.0},
    "item-knn": {"neighbours": 100, "shrink": 0.0},
}


def write_split(folder: Path, seed: int) -> None:
    """Write a seed's split in RecBole's form, a file a part."""
    home = folder / "mls"
    home.mkdir()
    for part in PARTS:
        asked = {"protocol": "ratio", "split": part, "split_seed": seed}
        source = open_latest_small(LatestSmallConfig.model_validate(asked))
        (users, items), histories = source.ids, source.histories
        who = np.repeat(source.users, histories.lengths)
        rows = (f"{users[u]}\t{items[i]}" for u, i in zip(who, histories.items, strict=True))
        text = "\n".join(["user_id:token\titem_id:token", *rows]) + "\n"
        (home / f"mls.{part}.inter").write_text(text, encoding="utf-8")


def theirs(python: str, model: str, folder: Path, seed: int) -> dict[str, Any]:
    """Have RecBole train and measure, in its environment."""
    script = str(Path(__file__).with_name("recbole_quality.py"))
    return answer([python, script, model, str(folder), str(seed)], cwd=folder)


def ours(model: str, seed: int) -> dict[str, Any]:
    """Train with RecBole's settings, and measure."""
    job = {
        "model": model,
        "dataset": "ml-latest-small",
        "data": {"protocol": "ratio"},
        "settings": SAME[model],
        "seed": seed,
        "split": "test",
    }
    found = answer([sys.executable, "-m", "bench.worker", json.dumps(job)])
    return {"values": {name: found["values"][name] for name in BESIDE}}


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--recbole", required=True, help="the interpreter of its environment")
    parser.add_argument("--models", default=",".join(MODELS), help="names, parted by commas")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = json.loads(QUALITY.read_text()) if QUALITY.is_file() else []
    done = {(row["model"], row["seed"], "recbole" in row) for row in rows}
    for seed in range(asked.seeds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_split(folder, seed)
            for model in asked.models.split(","):
                for recbole in (True, False) if model in SAME else (True,):
                    if (model, seed, recbole) in done:
                        continue
                    print(model, seed, file=sys.stderr, flush=True)
                    if recbole:
                        found = theirs(asked.recbole, model, folder, seed)
                    else:
                        found = ours(model, seed)
                    rows.append({"model": model, "seed": seed, **found})
                    QUALITY.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
