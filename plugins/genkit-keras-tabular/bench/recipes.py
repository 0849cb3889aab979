"""Tables of four domains: ``python -m bench.recipes NAME FILE [MODEL ...] [--seeds 3]``, JSON.

NAME is german-credit, heart-disease, adult or shop; FILE its table, of the shop the folder with
``orders.csv`` and ``products.csv``. A quarter of the rows is held out, others by each seed. A model
learns from the rest, makes as many rows, and is judged by the rows held out: as a whole, and by
groups of people. ``real`` is the training rows themselves. The last lines are means over seeds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from genkit_tabular.described import described_columns
from genkit_tabular.describing import Description
from genkit_tabular.features import Judged, forest
from genkit_tabular.frames import frame_of
from genkit_tabular.judges.judging import indistinguishable, judged_apart
from genkit_tabular.raw import of_frame
from genkit_tabular.rules import rules_of
from genkit_tabular.source import TableSource, table_source
from numpy.typing import NDArray

import genkit
from bench.adult import copied

_HELD_OUT = 0.25
_MODELS = ("tab-marginals", "tab-cart", "tab-ar")
Group = Callable[[pa.Table], pa.ChunkedArray]


@dataclass(frozen=True)
class Recipe:
    """A table and what is asked of it.

    Args:
        read: returns the table of a file.
        target: the column to foretell, and the value whose rate counts.
        groups: which rows are of a group, by its name.
        rules: what holds for every row.
        batch_size: of ``tab-ar``.
    """

    read: Callable[[Path], pa.Table]
    target: tuple[str, Any]
    groups: Mapping[str, Group] = field(default_factory=dict)
    rules: tuple[Mapping[str, Any], ...] = ()
    batch_size: int = 256


def _csv(path: Path) -> pa.Table:
    nothing = pa_csv.ConvertOptions(null_values=["", "?"], strings_can_be_null=True)
    return pa_csv.read_csv(path, convert_options=nothing)


def read_credit(path: Path) -> pa.Table:
    """Return German credit without the column of sex, which this copy has spoilt: one value."""
    return _csv(path).drop_columns(["personal_status_and_sex"])


def read_heart(path: Path) -> pa.Table:
    """Return Cleveland's heart disease, its five grades as sick or not."""
    table = _csv(path)
    return table.drop_columns(["num"]).append_column("sick", pc.greater(table["num"], 0))


def read_adult(path: Path) -> pa.Table:
    """Return Adult with ``?`` as missing."""
    table = pq.read_table(path)
    for place, name in enumerate(table.column_names):
        if pa.types.is_string(column_type := table[name].type):
            none = pa.scalar(None, column_type)
            column = pc.if_else(pc.equal(table[name], "?"), none, table[name])
            table = table.set_column(place, name, column)
    return table


def read_shop(folder: Path) -> pa.Table:
    """Return the shop's customers, a row each: where, since when, how much, and whether a bike."""
    products = _csv(folder / "products.csv").select(["product", "category"])
    lines = _csv(folder / "orders.csv").join(products, "product")
    bike = pc.fill_null(pc.equal(lines["category"], "Bikes"), False)
    by = lines.append_column("bike", bike).group_by("customer")
    sums = by.aggregate([
        ("territory", "min"), ("date", "min"), ("date", "max"), ("order", "count_distinct"),
        ("product", "count"), ("quantity", "sum"), ("bike", "max"),
    ]).sort_by("customer")  # fmt: skip
    territory = pc.cast(sums["territory_min"], pa.string())
    return pa.table({
        "territory": territory, "first": sums["date_min"], "last": sums["date_max"],
        "orders": sums["order_count_distinct"], "lines": sums["product_count"],
        "pieces": sums["quantity_sum"], "bike": sums["bike_max"],
    })  # fmt: skip


def is_(column: str, value: Any) -> Group:
    """Return what tells which rows have a value."""
    return lambda table: pc.fill_null(pc.equal(table[column], value), False)


def below(column: str, value: float) -> Group:
    """Return what tells which rows are below a value."""
    return lambda table: pc.fill_null(pc.less(table[column], value), False)


RECIPES = {
    "german-credit": Recipe(
        read_credit,
        ("creditability", "good"),
        {
            "age below 26": below("age_in_years", 26),
            "age from 26": lambda table: pc.greater_equal(table["age_in_years"], 26),
            "foreign worker: no": is_("foreign_worker", "no"),
        },
        batch_size=64,
    ),
    "heart-disease": Recipe(
        read_heart,
        ("sick", True),
        {"sex 0, women": is_("sex", 0.0), "sex 1, men": is_("sex", 1.0)},
        batch_size=32,
    ),
    "adult": Recipe(
        read_adult,
        ("income", ">50K"),
        {
            "Female": is_("gender", "Female"), "Male": is_("gender", "Male"),
            "Black": is_("race", "Black"), "White": is_("race", "White"),
        },
    ),
    "shop": Recipe(
        read_shop,
        ("bike", True),
        {f"territory {each}": is_("territory", each) for each in ("1", "9")},
        ({"order": ["first", "last"]}, {"order": ["orders", "lines", "pieces"]}),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """Rows as judges and as people see them.

    Args:
        table: in Arrow.
        numbers: as a judge sees them, shape ``(rows, columns)``.
        broken: share of them that break a rule.
    """

    table: pa.Table
    numbers: NDArray[np.float64]
    broken: float


def parted(
    recipe: Recipe, whole: pa.Table, seed: int, known: Mapping[str, Any] | None = None
) -> tuple[TableSource, TableSource]:
    """Return the rows to learn from and those held out.

    Args:
        recipe: of the table.
        whole: the table.
        seed: which rows are held out.
        known: what is known of the columns, from which codes follow alone; by default the rows.
    """
    raw = of_frame(whole)
    columns = described_columns(Description(known), raw)[0] if known else Description().of(raw)[0]
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(raw.rows)
    few = round(_HELD_OUT * raw.rows)
    train, test = np.sort(order[few:]), np.sort(order[:few])
    both = [
        table_source(
            raw,
            columns,
            target=recipe.target[0],
            learned=train,
            rows=rows,
            rules=recipe.rules,
            described=known is not None,
        )
        for rows in (train, test)
    ]
    return both[0], both[1]


def measured(recipe: Recipe, whole: pa.Table, models: list[str], seed: int) -> Iterator[Any]:
    """Yield the figures of real rows and of each model."""
    train, test = parted(recipe, whole, seed)
    judge = Judged.of(train.schema, train.assets)
    held_out, learned = (rows_of(judge, source) for source in (test, train))
    shares = {name: _share(group(held_out.table)) for name, group in recipe.groups.items()}
    yield {"model": "real", **figures(recipe, judge, learned, held_out, seed), "shares": shares}
    for name in models:
        with tempfile.TemporaryDirectory() as runs:
            more = {"batch_size": recipe.batch_size} if name == "tab-ar" else {}
            result = genkit.train(
                name, dataset=train, seed=seed, runs_dir=runs, verbose=False, **more
            )
            model: Any = genkit.load(result)
        yield {"model": name, **judged(recipe, judge, model, train, held_out, seed)}


def judged(  # noqa: PLR0917
    recipe: Recipe, judge: Judged, model: Any, train: TableSource, held_out: Rows, seed: int
) -> dict[str, Any]:
    """Return the figures of as many rows of a model as there were to learn from."""
    batches = list(model.generate_items(len(train), seed))
    rows = {
        key: np.ma.concatenate([np.ma.asarray(b[key]) for b in batches])
        for key in train.schema.fields
    }
    made = _rows(judge, train, [rows])
    told = figures(recipe, judge, made, held_out, seed)
    return {"copied": copied(judge, rows, train), **told}


def rows_of(judge: Judged, source: TableSource) -> Rows:
    """Return all rows of a source."""
    return _rows(judge, source, [_all(source)])


def _rows(judge: Judged, source: TableSource, batches: list[dict[str, Any]]) -> Rows:
    rules = rules_of(judge.table.rules, judge.learned, source.assets)
    broken = np.any([*rules.broken(batches[0]).values()], axis=0) if rules else np.zeros(1)
    return Rows(_framed(judge, batches), judge.rows(batches[0]), float(broken.mean()))


def _framed(judge: Judged, batches: list[dict[str, Any]]) -> pa.Table:
    """Return rows in Arrow, of real ones with the names of their classes."""
    named = []
    for batch in batches:
        rows = dict(batch)
        for each in judge.learned:
            values = np.ma.asarray(rows[each.name])
            if f"{each.name}_missing" in rows:
                values = np.ma.MaskedArray(values, rows[f"{each.name}_missing"])
            if each.column.is_named and values.dtype != object:
                names = np.array(each.classes or ("",), object)[np.ma.getdata(values)]
                values = np.ma.MaskedArray(names, np.ma.getmaskarray(values))
            rows[each.name] = values
        named.append(rows)
    return frame_of(judge.table, judge.learned, named)


def figures(recipe: Recipe, judge: Judged, rows: Rows, held_out: Rows, seed: int) -> dict[str, Any]:
    """Return how rows fare: told from those held out, as a lesson, and by group."""
    from sklearn.metrics import roc_auc_score

    size = min(len(rows.numbers), len(held_out.numbers))
    some = np.random.Generator(np.random.Philox(key=seed)).permutation(len(rows.numbers))[:size]
    scores, labels = judged_apart(rows.numbers[some], held_out.numbers[:size], judge.named, seed)
    truth = _wanted(recipe, held_out)
    chances = foretold(recipe, judge, rows, held_out, seed)
    found = {
        "two-sample": indistinguishable(labels, scores),
        "auc": float(roc_auc_score(truth, chances)),
        "rate": float(_wanted(recipe, rows).mean()),
        "broken": rows.broken,
    }
    for name, group in recipe.groups.items():
        there, made = (np.asarray(group(each.table)) for each in (held_out, rows))
        known = 0 < truth[there].sum() < there.sum()
        wanted = _wanted(recipe, rows)[made]
        found[name] = {
            "share": float(made.mean()),
            "rate": float(wanted.mean()) if len(wanted) else float("nan"),
            "auc": float(roc_auc_score(truth[there], chances[there])) if known else float("nan"),
            "chosen": float((chances[there] > 0.5).mean()),  # noqa: PLR2004
        }
    return found


def foretold(
    recipe: Recipe, judge: Judged, rows: Rows, held_out: Rows, seed: int
) -> NDArray[np.float64]:
    """Return how probable the target is in rows held out, to trees that learned from others."""
    assert judge.target is not None, "each recipe has a target"
    others = np.delete(np.arange(rows.numbers.shape[1]), judge.target)
    learner = forest(judge.named[others], seed=seed)
    learner.fit(rows.numbers[:, others], _wanted(recipe, rows))
    return learner.predict_proba(held_out.numbers[:, others])[:, 1]


def _wanted(recipe: Recipe, rows: Rows) -> NDArray[np.bool_]:
    name, value = recipe.target
    return np.asarray(is_(name, value)(rows.table))


def _share(which: Any) -> float:
    return float(np.asarray(which).mean())


def _all(source: TableSource) -> dict[str, Any]:
    return dict(source.gather(np.arange(len(source))))


def mean(found: list[Any]) -> Any:
    """Return the means of figures, and of a number their least and greatest value, too."""
    if isinstance(found[0], Mapping):
        return {key: mean([each[key] for each in found]) for key in found[0]}
    if isinstance(found[0], str):
        return found[0]
    return [round(float(value), 3) for value in (np.nanmean(found), min(found), max(found))]


def main() -> None:
    """Measure a recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("file", type=Path)
    parser.add_argument("models", nargs="*", default=list(_MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    genkit.activate()
    recipe = RECIPES[asked.name]
    whole = recipe.read(asked.file)
    every: dict[str, list[Any]] = {}
    for seed in range(asked.seeds):
        for found in measured(recipe, whole, asked.models, seed):
            print(json.dumps({"seed": seed, **found}), flush=True)
            every.setdefault(found["model"], []).append(found)
    for found in every.values():
        print(json.dumps({"seed": "mean, least, greatest", **mean(found)}), flush=True)


if __name__ == "__main__":
    main()
