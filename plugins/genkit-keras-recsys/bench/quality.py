"""Quality beside RecBole's: ``python -m bench.quality --recbole PYTHON``.

RecBole has an environment of its own, whose interpreter is given. It trains its models with its own
settings, on ml-latest-small split 8:1:1 at random of each user's events, and ranks all items: the
protocol of ``python -m bench``, each with its own draws. Results are kept in
``docs/recommenders-recbole.json`` as they come; what is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.recbole_quality import MODELS
from bench.speed import write_atomic

QUALITY = Path(__file__).resolve().parents[3] / "docs/recommenders-recbole.json"


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.quality", description=__doc__)
    parser.add_argument("--recbole", required=True, help="the interpreter of its environment")
    parser.add_argument("--models", default=",".join(MODELS), help="names, parted by commas")
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = json.loads(QUALITY.read_text()) if QUALITY.is_file() else []
    done = {(row["model"], row["seed"]) for row in rows}
    script = str(Path(__file__).with_name("recbole_quality.py"))
    with tempfile.TemporaryDirectory() as folder:
        write_atomic(Path(folder))
        for seed in range(asked.seeds):
            for model in asked.models.split(","):
                if (model, seed) in done:
                    continue
                print(model, seed, file=sys.stderr, flush=True)
                told = subprocess.run(
                    [asked.recbole, script, model, folder, str(seed)],
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                    cwd=folder,
                )
                found = json.loads(told.stdout.splitlines()[-1])
                rows.append({"model": model, "seed": seed, **found})
                QUALITY.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
