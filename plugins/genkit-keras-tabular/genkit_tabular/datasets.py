"""The data sets: a person's own table, and an invented one to begin with."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from genkit.data import rows_per_class
from genkit.errors import DataError, UsageError
from genkit_tabular.columns import Column
from genkit_tabular.configs import CustomersConfig, TableConfig
from genkit_tabular.described import described_columns, without_others
from genkit_tabular.describing import Description, read_description
from genkit_tabular.held import hold
from genkit_tabular.inferring import ENOUGH
from genkit_tabular.labels import classes_of
from genkit_tabular.raw import RawTable, of_frame, read_file
from genkit_tabular.source import TableSource, table_source


def open_table(config: TableConfig) -> TableSource:
    """Open a person's own table.

    Raises:
        DataError: it can't be read, or is not what its description says.
    """
    raw = _read(config.path, config)
    said = read_description(config.describe) if config.describe else Description()
    count = raw.rows
    if config.test is not None:
        raw = _joined(raw, _read(config.test, config), config)
        train, test = np.arange(count), np.arange(count, raw.rows)
    else:
        order = np.argsort(np.random.Philox(key=0).random_raw(count), kind="stable")
        few = round(count * config.held_out)
        train, test = np.sort(order[few:]), np.sort(order[:few])
    train = train[: config.limit]
    rows = train if config.split == "train" else test[: config.limit]
    if not len(rows):
        raise DataError(
            f"Expected rows in the split {config.split} of {config.path}; there are none.",
            "Hold out another share: --data held_out=0.2",
        )
    raw = without_others(raw, said)
    columns, orders = described_columns(said, raw) if config.described else said.of(raw)
    target = config.target or said.target
    if config.per_class is not None:
        labels, classes = _labels(raw, columns, target, orders)
        asked = classes, config.per_class, config.subset_seed, config.subset
        train, rows = (part[rows_per_class(labels[part], *asked)] for part in (train, rows))
    source = table_source(
        raw,
        columns,
        described=config.described,
        target=target,
        group=config.group,
        bins=config.bins,
        most=config.most,
        learned=train,
        rows=rows,
        rules=said.rules,
        orders=orders,
    )
    if config.described:
        source.assets_cost = said.cost
    if raw.rows < ENOUGH and config.describe is None:
        warnings.warn(
            f"{raw.rows} rows decide nothing: the columns of {config.path.name} are taken as they "
            "are stored.",
            stacklevel=2,
        )
    return source


def _labels(
    raw: RawTable, columns: Sequence[Column], target: str, orders: Mapping[str, Sequence[str]]
) -> tuple[NDArray[np.int64], int]:
    """Return the number of each row's class, and how many classes there are."""
    column = next((each for each in columns if each.name == target), None)
    if column is None:
        raise UsageError(
            f"Expected a column as the target, to draw rows of each class; received {target!r}.",
            "Name one: --data target=COLUMN",
        )
    held = hold(raw, column, orders.get(target, ()))
    return held.keys, len(classes_of(held.column, held.classes))


def open_frame(frame: Any) -> TableSource:
    """Open a frame of pandas, Polars or Arrow.

    Raises:
        DataError: a column holds what no column of a table can be.
    """
    raw = of_frame(frame)
    columns, orders = Description().of(raw)
    return table_source(raw, columns, orders=orders)


def _read(path: Path, config: TableConfig) -> RawTable:
    return read_file(
        path, delimiter=config.delimiter, encoding=config.encoding, missing=("", *config.missing)
    )


def _joined(first: RawTable, second: RawTable, config: TableConfig) -> RawTable:
    """Return two files with the same columns as one."""
    if list(first.columns) != list(second.columns):
        raise DataError(
            f"Expected the columns of {config.path} in {config.test} too; received "
            f"{', '.join(second.columns)}."
        )
    columns = {}
    for name, column in first.columns.items():
        try:
            more = second.columns[name].cast(column.type)
        except pa.ArrowException as error:
            raise DataError(
                f"Expected {name!r} as {column.type} in {config.test} too; received "
                f"{second.columns[name].type}."
            ) from error
        columns[name] = pa.chunked_array([*column.chunks, *more.chunks], column.type)
    left_out = {**first.left_out}
    for reason, count in second.left_out.items():
        left_out[reason] = left_out.get(reason, 0) + count
    return RawTable(columns, first.is_text, first.frame, left_out=left_out)


def open_customers(config: CustomersConfig) -> TableSource:
    """Open invented customers: every kind of column, with gaps, atoms and dependence."""
    both = _customers(2 * config.n, config.seed)
    train = np.arange(config.n)
    rows = train if config.split == "train" else train + config.n
    raw = RawTable(dict(zip(both.column_names, both.columns, strict=True)), frame="arrow")
    columns, orders = Description().of(raw)
    return table_source(raw, columns, target="churned", learned=train, rows=rows, orders=orders)


_CITIES = ("Berlin", "Hamburg", "Munich", "Cologne", "Leipzig", "Bremen")
_PLANS = ("basic", "plus", "pro")


def _customers(n: int, seed: int) -> pa.Table:
    rng = np.random.Generator(np.random.Philox(key=seed))
    age = np.clip(rng.gamma(9, 5, n), 18, 95).astype(np.int64)
    income = np.round(np.exp(rng.normal(10 + (age - 40) ** 2 / -3000, 0.4)), 2)
    plan = np.clip((income / 15_000 + rng.normal(0, 0.4, n)).astype(int), 0, 2)
    balance = np.where(
        rng.random(n) < 0.6,  # noqa: PLR2004
        0.0,
        np.round(rng.exponential(income / 20), 2),
    )
    city = rng.choice(len(_CITIES), n, p=[0.35, 0.2, 0.18, 0.12, 0.1, 0.05])
    joined = np.datetime64("2015-01-01") + rng.integers(0, 3000, n)
    chance = 1 / (1 + np.exp(0.9 + plan - (age < 30) - 0.8 * (balance > 0)))  # noqa: PLR2004
    churned = rng.random(n) < chance
    nowhere = rng.random(n) < np.where(plan == 0, 0.2, 0.05)
    plans = pa.DictionaryArray.from_arrays(pa.array(plan, pa.int8()), list(_PLANS), ordered=True)
    return pa.table({
        "customer": pa.array(np.arange(n) + 10_001),
        "age": pa.array(age),
        "income": pa.array(income),
        "balance": pa.array(balance),
        "city": pa.array(np.array(_CITIES)[city], mask=nowhere),
        "plan": plans,
        "joined": pa.array(joined.astype("datetime64[D]")),
        "churned": pa.array(churned),
    })  # fmt: skip


def write_fake(folder: Path) -> Mapping[str, Any]:
    """Write a table for ``genkit check``, and return the settings that open it."""
    path = folder / "customers.csv"
    table = _customers(400, 0)
    plan = table.column("plan").cast(pa.string())
    pa_csv.write_csv(table.set_column(table.column_names.index("plan"), "plan", plan), path)
    return {"path": str(path), "bins": 8}
