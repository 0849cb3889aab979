"""The commands of the how-to page run as they stand there, one after the other."""

import os
import subprocess
import sys
from pathlib import Path

import keras
from data import rows, write
from pyarrow import parquet

# What runs for a moment is compiled fast: XLA takes half as long without optimisation.
FAST = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
SCRIPT = Path(__file__).parents[1] / "walkthrough.sh"


def test_the_walkthrough_runs(tmp_path):
    genres = ("Drama", "War", "Comedy")
    films = [
        (f"item {i}", f"Film {i}, The ({1950 + i})", f"{genres[i % 3]}|{'Old' if i < 9 else 'New'}")
        for i in range(45)
    ]
    write(tmp_path / "films.csv", films, ("item_id", "title", "genre"))
    write(tmp_path / "clicks.csv", rows())
    write(
        tmp_path / "grown.csv", [*rows(), ("a newcomer", "item 3", 5, 1), ("a newcomer", "x", 5, 2)]
    )
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", SCRIPT.read_text(encoding="utf-8")],
        cwd=tmp_path,
        env={**os.environ, **FAST, "PATH": scripts, "KERAS_BACKEND": keras.config.backend()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ndcg@10" in done.stdout
    assert parquet.read_table(tmp_path / "recommendations.parquet").num_rows == 60 * 20
