"""Ranges and names that noisy counts find, and what they cost."""

import json
import math
import random
import secrets
import tomllib
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from genkit_tabular import counting
from genkit_tabular.configs import TableConfig
from genkit_tabular.counting import counted, text_of
from genkit_tabular.datasets import open_table
from genkit_tabular.noisy import discrete_laplace, least_told, with_noise
from genkit_tabular.raw import read_file
from pyarrow import csv
from scripts import run_script
from typer.testing import CliRunner

import genkit
from genkit.cli import app
from genkit.errors import DataError

KNOWN = {
    "target": "churned",
    "columns": {
        "age": {"kind": "number"},
        "debt": {"kind": "number", "digits": 2, "missing": 0.1},
        "rate": {"kind": "number", "digits": -1},
        "plan": {"kind": "category"},
        "joined": {"kind": "datetime", "unit": "D"},
        "churned": {"kind": "boolean"},
    },
}
N = 20_000


def write(folder, n=N):
    rng = np.random.default_rng(0)
    plan = np.array(["basic", "plus", "pro"])[rng.integers(0, 3, n)]
    plan[:2] = "Lady Ada", "Lord Byron"
    columns = {
        "age": rng.integers(18, 90, n),
        "debt": pa.array(np.round(rng.normal(-400, 100, n), 2), mask=rng.random(n) < 0.1),
        "rate": rng.random(n) + math.pi,
        "plan": plan,
        "joined": np.datetime64("2016-01-01") + rng.integers(0, 2000, n),
        "churned": rng.random(n) < 0.3,
    }
    csv.write_csv(pa.table(columns), folder / "customers.csv")
    (folder / "known.toml").write_text(text_of(KNOWN, "known"))
    return folder / "customers.csv"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counted")
    write(folder)
    return folder, run_script("private.sh", folder)


def read(folder):
    return read_file(folder / "customers.csv", missing=("",))


def found(raw, epsilon=1, secret=0):
    below = random.Random(secret).randrange
    return counted(KNOWN, raw, Fraction(epsilon), 1e-6, below)["columns"]


def test_noise_is_as_wide_as_epsilon_says_and_even_on_both_sides():
    below = random.Random(0).randrange
    drawn = np.array([discrete_laplace(Fraction(1, 2), below) for _ in range(20_000)])
    ratio = math.exp(-0.5)
    assert drawn.var() == pytest.approx(2 * ratio / (1 - ratio) ** 2, rel=0.05)
    assert drawn.mean() == pytest.approx(0, abs=0.05)
    assert np.mean(drawn == 0) == pytest.approx((1 - ratio) / (1 + ratio), abs=0.01)
    assert np.mean(drawn == 3) == pytest.approx(np.mean(drawn == -3), abs=0.01)


def test_a_cell_of_one_row_is_told_of_as_seldom_as_delta_says():
    epsilon, delta = Fraction(1), 0.01
    least = least_told(epsilon, delta)
    rate = math.exp(-float(epsilon))
    assert rate ** (least - 1) / (1 + rate) <= delta < rate ** (least - 2) / (1 + rate)
    below = random.Random(0).randrange
    told = np.array(with_noise([1] * 20_000, epsilon, below)) >= least
    assert 0 < told.mean() <= 1.3 * delta


def test_the_command_finds_what_is_not_known_near_where_rows_are(place):
    folder, said = place
    form = tomllib.loads((folder / "table.toml").read_text())
    assert form["counted"] == {"epsilon": 1.0, "delta": 1e-7}
    assert "epsilon 1" in said
    columns = form["columns"]
    assert sorted(columns["plan"]["order"]) == ["basic", "plus", "pro"]
    low, high = columns["age"]["range"]
    assert 15 <= low <= 20
    assert 87 <= high <= 100
    low, high = columns["debt"]["range"]
    assert -850 < low < -600
    assert -200 < high <= 0
    low, high = columns["rate"]["range"]
    assert 2 <= low <= 3.2
    assert 4.1 <= high <= 8
    low, high = map(np.datetime64, columns["joined"]["range"])
    assert np.datetime64("2014-01-01") < low < np.datetime64("2016-06-01")
    assert np.datetime64("2021-01-01") < high < np.datetime64("2024-01-01")
    assert columns["churned"] == {"kind": "boolean"}


def test_noise_comes_from_the_system_and_is_another_each_time(place, monkeypatch):
    folder, _ = place
    raw = read(folder)
    assert len({json.dumps(found(raw, secret=secret), sort_keys=True) for secret in range(3)}) == 3
    calls = []
    monkeypatch.setattr(secrets, "randbelow", lambda n: calls.append(n) or random.randrange(n))
    said = ["--describe", str(folder / "known.toml"), "--epsilon", "1"]
    out = ["--out", str(folder / "again.toml")]
    CliRunner().invoke(app, ["table", "count", str(folder / "customers.csv"), *said, *out])
    assert len(calls) > 1000


def test_what_is_spent_adds_up_to_the_budget(place, monkeypatch):
    spent, deltas = [], []
    monkeypatch.setattr(
        counting, "with_noise", lambda counts, epsilon, below: spent.append(epsilon) or counts
    )
    monkeypatch.setattr(counting, "least_told", lambda epsilon, delta: deltas.append(delta) or 5)
    found(read(place[0]), Fraction(3))
    assert sum(spent) == 3, "each column's histograms, one after the other"
    assert sum(deltas) == 1e-6


def test_what_noise_hides_and_what_counts_cannot_tell_is_said(place):
    raw = read(place[0])
    with pytest.raises(DataError, match=r"larger epsilon: noise hides every \w+ of"):
        found(raw, Fraction(1, 1000))
    ordered = {**KNOWN, "columns": {**KNOWN["columns"], "plan": {"kind": "ordered"}}}
    below = random.Random(0).randrange
    with pytest.raises(DataError, match="counts don't tell it"):
        counted(ordered, raw, Fraction(1), 1e-6, below)
    with pytest.raises(DataError, match="lacks kind"):
        counted({"columns": {}}, raw, Fraction(1), 1e-6, below)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "kinds at least"),
        (["--describe", "known.toml"], "Expected --epsilon above 0"),
        (["--describe", "known.toml", "--epsilon", "1", "--delta", "0"], "received 1 and 0"),
        (["--describe", "table.toml", "--epsilon", "1"], "has been counted for, at epsilon 1"),
    ],
)
def test_what_the_command_lacks_is_told(place, flags, said):
    folder, _ = place
    flags = [str(folder / flag) if flag.endswith(".toml") else flag for flag in flags]
    out = ["--out", str(folder / "none.toml")]
    run = CliRunner().invoke(app, ["table", "count", str(folder / "customers.csv"), *flags, *out])
    assert run.exit_code != 0
    assert said in " ".join(str(run.exception or run.output).split())


@pytest.mark.filterwarnings("ignore:Rows of the data that break a rule")
def test_rare_names_count_as_missing_and_the_card_adds_what_was_spent(place, tmp_path):
    pytest.importorskip("genkit_dp")
    folder, _ = place
    data = {"path": str(folder / "customers.csv"), "describe": str(folder / "table.toml")}
    source = open_table(TableConfig(**data, described=True, held_out=0))
    assert source.assets_cost == (1.0, 1e-7)
    assert source.gather(np.arange(3))["plan_missing"].tolist() == [True, True, False]
    result = genkit.train(
        "tab-ar", dataset="table", data={**data, "described": True}, preset="private", steps=2,
        batch_size=64, trainer="dp", trainer_config={"delta": 1e-5}, config={"hidden": 8},
        runs_dir=tmp_path, verbose=False,
    )  # fmt: skip
    facts = json.loads((result.path / "statement.json").read_text())["facts"]
    spent = float(facts["guarantee"].partition("(")[2].partition(",")[0])
    assert 1 < spent < 3
    assert "epsilon 1, delta 1e-07" in facts["of it for the data's assets"]
    assert "1e-05)" in facts["guarantee"]
    assert "Lady Ada" not in "".join(path.read_text() for path in result.path.rglob("*.json"))
