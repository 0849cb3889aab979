"""A million rows: ``python -m bench.million FOLDER [--rows 1000000] [--only STAGE]``, JSON lines.

Writes an invented table of 30 columns, then inspects it, trains ``tab-ar`` and ``tab-cart`` on it,
and generates as many rows. Each stage is a command of its own: its CPU seconds and its peak of
memory stand beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

_CHUNK = 100_000
_SEED = 0
_GENKIT = (sys.executable, "-m", "genkit")


def chunk(number: int, rows: int) -> pa.Table:
    """Return some rows of the table: the same for the same number."""
    rng = np.random.Generator(np.random.Philox(key=[_SEED, number]))
    latent = rng.normal(size=(rows, 4))
    mixed = latent @ rng_of_columns().normal(size=(4, 26)) + rng.normal(size=(rows, 26))
    columns: dict[str, Any] = {"account_id": np.arange(rows) + number * _CHUNK + 10_000}
    for place in range(8):  # whole numbers, from a few to any
        columns[f"count_{place}"] = np.rint(mixed[:, place] * 10.0**place * 5).astype(np.int64)
    for place in range(5):  # money: two decimals, a third of it nothing
        money = np.round(np.exp(mixed[:, 8 + place] / 2 + 5), 2)
        columns[f"money_{place}"] = np.where(rng.random(rows) < 0.3, 0.0, money)  # noqa: PLR2004
    for place in range(3):
        columns[f"float_{place}"] = mixed[:, 13 + place]
    for place, names in enumerate((2, 5, 12, 50, 300, 5000, 20_000)):
        drawn = (np.abs(mixed[:, 16 + place]) * names / 6).astype(np.int64) % names
        columns[f"name_{place}"] = np.array([f"kind {k:05}" for k in range(names)], object)[drawn]
    days = np.datetime64("2010-01-01") + np.abs(mixed[:, 23] * 900).astype(np.int64)
    columns["opened"] = days
    seconds = np.abs(mixed[:, 24] * 4e7).astype(np.int64)
    columns["seen"] = np.datetime64("2015-01-01T00:00:00") + seconds
    columns["active"] = mixed[:, 25] > 0
    for name in ("group_a", "group_b", "group_c"):
        columns[name] = rng.integers(0, 9, rows)
    gaps = {"money_4", "float_2", "name_3", "seen", "count_5"}
    arrays = {
        name: pa.array(values, mask=rng.random(rows) < 0.1 if name in gaps else None)  # noqa: PLR2004
        for name, values in columns.items()
    }
    return pa.table(arrays)


def rng_of_columns() -> np.random.Generator:
    """Return what the columns' dependence is drawn from: the same for all rows."""
    return np.random.Generator(np.random.Philox(key=_SEED))


def write(folder: Path, rows: int) -> None:
    """Write the table as CSV and Parquet, in chunks."""
    schema = chunk(0, 10).schema
    with (
        pa_csv.CSVWriter(folder / "million.csv", schema) as text,
        pq.ParquetWriter(folder / "million.parquet", schema) as packed,
    ):
        for number in range(-(-rows // _CHUNK)):
            some = chunk(number, min(_CHUNK, rows - number * _CHUNK))
            text.write_table(some)
            packed.write_table(some)


def stages(folder: Path, rows: int) -> dict[str, list[str]]:
    """Return the commands to measure, by name."""
    data = ["--dataset", "table", "--data", f"path={folder / 'million.csv'}"]
    runs = ["--runs-dir", str(folder / "runs")]
    generate = ["generate", str(folder / "runs" / "ar"), "--n", str(rows), "--out"]
    trees = ["generate", str(folder / "runs" / "cart"), "--n", str(rows), "--out"]
    packed = [*data[:3], f"path={folder / 'million.parquet'}"]
    inspect = ["table", "inspect"]
    return {
        "inspect, CSV": [*inspect, str(folder / "million.csv"), "--out", str(folder / "csv.toml")],
        "inspect, Parquet": [
            *inspect, str(folder / "million.parquet"), "--out", str(folder / "parquet.toml")
        ],
        "200 steps of tab-ar, CSV": [
            "run", "tab-ar", *data, *runs, "--name", "ar", "--steps", "200"
        ],
        "200 steps of tab-ar, Parquet": [
            "run", "tab-ar", *packed, *runs, "--name", "packed", "--steps", "200"
        ],
        "generate to Parquet": [*generate, str(folder / "rows.parquet")],
        "generate to CSV": [*generate, str(folder / "rows.csv")],
        "tab-cart": ["run", "tab-cart", *packed, *runs, "--name", "cart"],
        "generate by tab-cart to Parquet": [*trees, str(folder / "trees.parquet")],
    }  # fmt: skip


def measured(command: list[str]) -> dict[str, Any]:
    """Run a command; return its CPU and wall seconds, its peak of memory, and its exit status."""
    began = time.perf_counter()
    process = subprocess.Popen([*_GENKIT, *command], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "wall_seconds": round(time.perf_counter() - began, 1),
        "peak_gb": round(used.ru_maxrss * 1024 / 1e9, 2),
        "status": process.returncode,
    }


def main() -> None:
    """Measure all stages, or those whose name begins with what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if not (asked.folder / "million.parquet").exists():
        write(asked.folder, asked.rows)
    for name, command in stages(asked.folder, asked.rows).items():
        if name.startswith(asked.only):
            print(json.dumps({"stage": name, **measured(command)}), flush=True)


if __name__ == "__main__":
    main()
