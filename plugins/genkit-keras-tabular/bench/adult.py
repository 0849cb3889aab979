"""Adult by one protocol: ``python -m bench.adult FILE [MODEL ...] [--seeds 0 1]``, JSON lines out.

``--rows X.parquet`` judges rows that ``bench/peers.py`` had another library make.

FILE is the Adult census table, Parquet, the 16,281 rows of UCI's ``adult.test`` first. A model
learns from the other 32,561; as many rows are generated and judged against the test rows.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from genkit_tabular.datasets import Description
from genkit_tabular.encoded import encode_items
from genkit_tabular.features import Judged
from genkit_tabular.judges.judging import Usefulness, indistinguishable, judged_apart
from genkit_tabular.judges.leaking import Membership
from genkit_tabular.raw import read_file
from genkit_tabular.source import TableSource, table_source

import genkit
from genkit.evaluation import Batch, Context

_TEST = 16_281
_JUDGED = 4_000  # rows of each kind in the two-sample test, as in the study that set the bars


def sources(path: Path) -> tuple[TableSource, TableSource]:
    """Return the rows to learn from and the test rows."""
    raw = read_file(path, missing=("", "?"))
    columns, _ = Description().of(raw)
    train = np.arange(_TEST, raw.rows)
    made = [
        table_source(raw, columns, target="income", learned=train, rows=rows)
        for rows in (train, np.arange(_TEST))
    ]
    return made[0], made[1]


def measured(name: str, train: TableSource, test: TableSource, seed: int) -> dict[str, Any]:
    """Train a model and judge its rows."""
    began, walled = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as runs:
        result = genkit.train(name, dataset=train, seed=seed, runs_dir=runs, verbose=False)
        fitted, walls = time.process_time() - began, time.perf_counter() - walled
        model: Any = genkit.load(result)
        model.generate(1)  # compiled before it is timed
    began = time.process_time()
    made = list(model.generate_items(len(train), seed))
    generated = time.process_time() - began
    rows = {key: np.ma.concatenate([np.ma.asarray(b[key]) for b in made]) for key in made[0]}
    return {
        "model": name,
        "seed": seed,
        "fit_cpu_seconds": round(fitted, 1),
        "fit_wall_seconds": round(walls, 1),
        "steps": result.outcome.steps,
        "rows_a_cpu_second": round(len(train) / generated),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "weights": int(model.count_params()),
        "copied": copied(model, rows, train),
        **judged(rows, train, test, seed),
    }


def copied(knows: Any, rows: dict[str, Any], train: TableSource) -> float:
    """Return the share of rows all of whose codes are those of a training row.

    ``knows`` has the columns as ``learned``: a model, or a judge.
    """
    codes, _ = encode_items(rows, knows.learned)
    known = {row.tobytes() for row in train.encoded()[0]}
    return round(float(np.mean([row.tobytes() in known for row in codes])), 4)


def judged(
    rows: dict[str, Any], train: TableSource, test: TableSource, seed: int
) -> dict[str, float]:
    """Return the two-sample test's mean over four draws, and how useful the rows are."""
    judge = Judged.of(train.schema, train.assets)
    rng = np.random.default_rng(seed)
    made, real = (
        each[rng.permutation(len(each))] for each in (judge.rows(rows), judge.rows(_all(test)))
    )
    draws = [slice(start, start + _JUDGED) for start in range(0, 4 * _JUDGED, _JUDGED)]
    apart = [
        indistinguishable(*judged_apart(made[draw], real[draw], judge.named, seed)[::-1])
        for draw in draws
    ]
    context = Context(
        train.schema, training=train, real=test, seed=seed, assets=train.assets,
        output_fields=tuple(train.schema.fields),
    )  # fmt: skip
    first = next(iter(train.schema.fields))
    streams = {"generated": rows, "real": _all(test), "training": _all(train)}
    figures = {}
    for metric in (Usefulness(context), Membership(context)):
        for stream, fields in streams.items():
            metric.update(stream, Batch(fields[first], fields=fields))
        figures |= {figure.name: round(figure.value, 4) for figure in metric.compute()}
    return {
        "two-sample": round(float(np.mean(apart)), 3),
        "two-sample of each draw": [round(each, 3) for each in apart],
        **figures,
    }


def rows_of(path: Path, train: TableSource) -> dict[str, Any]:
    """Return the rows of a file by column, as a model presents them."""
    table, rows = pq.read_table(path), {}
    for each in Judged.of(train.schema, train.assets).learned:
        values = table.column(each.name).to_pylist()
        if each.column.is_named:
            unknown = [value not in each.classes for value in values]
            rows[each.name] = np.ma.MaskedArray(np.array(values, object), unknown)
        else:
            rows[each.name] = np.array(values, np.int64)
    return rows


def _all(source: TableSource) -> dict[str, Any]:
    return source.gather(np.arange(len(source)))


def main() -> None:
    """Measure the models that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    usual = [
        "tab-marginals", "tab-copula", "tab-smote", "tab-cart", "tab-mixture", "tab-ar", "tvae",
        "ctgan",
    ]  # fmt: skip
    parser.add_argument("models", nargs="*", default=usual)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--rows", nargs="+", type=Path, help="of other libraries; no model then")
    asked = parser.parse_args()
    genkit.activate()
    train, test = sources(asked.file)
    for path in asked.rows or ():
        told = json.loads(path.with_suffix(".json").read_text("utf-8"))
        rows = rows_of(path, train)
        told["copied"] = copied(Judged.of(train.schema, train.assets), rows, train)
        print(json.dumps({**told, **judged(rows, train, test, 0)}), flush=True)
    if asked.rows:
        return
    for seed in asked.seeds:
        for name in asked.models:
            print(json.dumps(measured(name, train, test, seed)), flush=True)


if __name__ == "__main__":
    main()
