"""The commands of the how-to page run as they stand there, one after the other."""

import csv
import json

import numpy as np
import pytest
from genkit_tabular.configs import TableConfig
from genkit_tabular.datasets import open_table, write_fake
from pyarrow import parquet
from scripts import run_script


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def holes(rows):
    """Rows, of every third of which something is missing."""
    for number, row in enumerate(rows):
        yield {**row, "age": "", "plan": ""} if number % 3 == 0 else row


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walk")
    write_fake(folder)
    rows = read(folder / "customers.csv")[:60]
    with (folder / "holes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(holes(rows))
    (folder / "seeds.csv").write_text("city,age\nBerlin,30:40\n,18:25\nnull,\n")
    return folder, run_script("walkthrough.sh", folder)


def test_rows_meet_their_conditions_and_have_new_keys(place):
    folder, _ = place
    rows = read(folder / "some.csv")
    assert len(rows) == 200
    assert all(row["churned"] == "true" and row["city"] == "" for row in rows)
    assert all(18 <= int(row["age"]) <= 30 for row in rows)
    real = {row["customer"] for row in read(folder / "customers.csv")}
    made = [row["customer"] for row in rows]
    assert len(set(made)) == 200
    assert not real & set(made)
    assert parquet.read_table(folder / "rows.parquet").num_rows == 1000


def test_seeds_give_a_row_a_line_in_order(place):
    folder, _ = place
    first, second, third = read(folder / "seeded.csv")
    assert first["city"] == "Berlin"
    assert 30 <= int(first["age"]) <= 40
    assert 18 <= int(second["age"]) <= 25
    assert third["city"] == ""


def test_holes_are_filled_and_the_rest_stays(place):
    folder, _ = place
    before, after = read(folder / "holes.csv"), read(folder / "filled.csv")
    for old, new in zip(before, after, strict=True):
        assert {k: v for k, v in new.items() if old[k]} == {k: v for k, v in old.items() if v}
        assert 18 <= int(new["age"]) <= 95
        assert new["plan"] in ("basic", "plus", "pro")


def test_rows_keep_the_rule_and_three_ranges_at_once(place):
    folder, _ = place
    rows = read(folder / "ranges.csv")
    assert len(rows) == 200
    for row in rows:
        balance, income = float(row["balance"]), float(row["income"])
        assert balance <= 0.5 * income
        assert 18 <= int(row["age"]) <= 30
        assert 15_000 <= income <= 25_000
        assert balance >= 1


def test_the_verdict_is_said_and_all_figures_are_kept(place):
    folder, said = place
    for figure in ("two-sample (floor)", "two-sample (tab-cart)", "tstr-auc (ceiling)"):
        assert figure in said.partition("--verbose.")[0]
    assert said.index("two-sample") < said.index("tstr-auc")
    kept = json.loads((folder / "runs/customers/evaluation.json").read_text())["metrics"]
    names = {figure["name"] for figure in kept}
    assert {"worst-column", "pair-fidelity", "missing-gap", "linkability"} < names
    assert "group-auc (plan=plus)" in said
    assert not any(name.startswith("group") for name in names), "no group was asked for"


def test_whether_rows_help_is_said_and_the_mixed_table_can_be_learned_from(place):
    folder, said = place
    assert "AUC on 80 test items, n 3 seeds" in said
    assert "Verdict: " in said
    mixed = folder / "augmentations" / "tab-cart-table-30" / "mixed" / "rows.parquet"
    rows = open_table(TableConfig(path=mixed, target="churned", held_out=0))
    assert len(rows) == 120
    churned = rows.gather(np.arange(120))["churned"]
    assert churned.sum() == 60
