"""Customers and their orders: ``python -m bench.shop FOLDER [--customers 3000]``, JSON out.

FOLDER holds ``orders.csv`` and ``products.csv`` of the AdventureWorks shop. Two runs of ``tab-ar``
learn linked customers and orders, and make others. Told are total variations from the real ones,
and beside each that of as many real customers.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from genkit_tabular.joining import join
from genkit_tabular.linking import link
from genkit_tabular.raw import of_frame

import genkit


def tables(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return customers with their territory, and order lines with their subcategory."""
    lines = pd.read_csv(folder / "orders.csv", parse_dates=["date"])
    kinds = pd.read_csv(folder / "products.csv").set_index("product").subcategory
    customers = lines.groupby("customer", sort=False).territory.first().reset_index()
    customers["territory"] = customers.territory.astype(str)
    lines["subcategory"] = lines["product"].map(kinds)
    return customers, lines[["customer", "date", "subcategory", "quantity"]]


def learned(customers: pd.DataFrame, lines: pd.DataFrame, runs: Path) -> tuple[Any, Any, Any]:
    """Return the link of the two tables, and a model of each."""
    linked = link(of_frame(customers), of_frame(lines), "customer", "date")
    linked.write(runs / "shop")
    models = []
    for name, more in (
        ("parents", {"describe": str(runs / "shop/parents.toml")}),
        ("children", {}),
    ):
        data = {"path": str(runs / f"shop/{name}.parquet"), **more}
        result = genkit.train("tab-ar", dataset="table", data=data, runs_dir=runs, verbose=False)
        models.append(genkit.load(result))
    return linked.link, models[0], models[1]


def figures(customers: pd.DataFrame, lines: pd.DataFrame) -> dict[str, pd.Series]:
    """Return what is compared, as one value a customer, line or pair of lines."""
    lines = lines.sort_values(["customer", "date"], kind="stable")
    before = lines.groupby("customer").subcategory.shift()
    gaps = lines.groupby("customer").date.diff().dt.days
    counts = lines.groupby("customer").size().reindex(customers.customer, fill_value=0)
    return {
        "territory": customers.territory.astype(str),
        "lines of a customer": counts,
        "subcategory": lines.subcategory,
        "quarter": lines.date.dt.to_period("Q").astype(str),
        "subcategory after subcategory": (before + " > " + lines.subcategory).dropna(),
        "no day between": (gaps.dropna() == 0),
    }


def apart(first: pd.Series, second: pd.Series) -> float:
    """Return the total variation between two columns' frequencies."""
    shares = [each.value_counts(normalize=True) for each in (first, second)]
    return round(float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2), 4)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--customers", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    genkit.activate()
    customers, lines = tables(asked.folder)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as runs:
        models = learned(customers, lines, Path(runs))
    trained = time.process_time() - began
    began = time.process_time()
    parents, children, beyond = join(*models, asked.customers, asked.seed)
    seconds = time.process_time() - began
    made = figures(parents.to_pandas(), children.to_pandas().astype({"date": "datetime64[ns]"}))
    some = customers.sample(asked.customers, random_state=np.random.RandomState(asked.seed))
    real, beside = (
        figures(customers, lines),
        figures(some, lines[lines.customer.isin(some.customer)]),
    )
    told = {
        "training, CPU seconds": round(trained, 1),
        "lines": children.num_rows,
        "lines a CPU second": round(children.num_rows / seconds),
        "left out": beyond,
    }
    for name, values in real.items():
        told[name] = {"made": apart(values, made[name]), "real": apart(values, beside[name])}
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
