"""What private training needs: codes that follow from the description alone."""

import json

import numpy as np
import pyarrow as pa
import pytest
from genkit_tabular.configs import TableConfig
from genkit_tabular.datasets import open_table
from pyarrow import csv

import genkit
from genkit.errors import DataError, UsageError

SAID = """
target = "churned"
[columns.age]
kind = "number"
range = [18, 100]
[columns.income]
kind = "number"
digits = 2
range = [0, 90000]
missing = 0.1
[columns.plan]
kind = "category"
order = ["basic", "plus", "pro", "never"]
[columns.joined]
kind = "datetime"
range = ["2015-01-01", "2024-12-31"]
[columns.churned]
kind = "boolean"
[columns.customer]
kind = "id"
format = "C-{000000}"
"""


def rows(n=400):
    rng = np.random.default_rng(0)
    plan = rng.integers(0, 3, n)
    return {
        "age": rng.integers(18, 90, n),
        "income": np.round(20_000 + 10_000 * plan + rng.normal(0, 2000, n), 2),
        "plan": np.array(["basic", "plus", "pro"])[plan],
        "joined": np.datetime64("2016-01-01") + rng.integers(0, 2000, n),
        "churned": rng.random(n) < 0.3,
        "customer": np.array([f"C-{i:06d}" for i in range(n)]),
    }


def written(folder, columns, said=SAID):
    folder.mkdir()
    csv.write_csv(pa.table(columns), folder / "rows.csv")
    (folder / "table.toml").write_text(said)
    return {"path": str(folder / "rows.csv"), "describe": str(folder / "table.toml")}


def opened(data):
    return open_table(TableConfig(**data, described=True))


def test_no_row_changes_what_the_model_keeps(tmp_path):
    """All that the assets hold, and the schema, is the same of other rows."""
    mine = opened(written(tmp_path / "mine", rows()))
    others = {name: values[::-1][:311] for name, values in rows(500).items()}
    others["age"] = np.where(others["age"] < 40, 18, 100)  # as far as the description goes
    others["income"] = pa.array(np.full(311, 12.34), mask=np.arange(311) == 7)
    others["plan"] = np.where(np.arange(311) == 3, "never", "pro")
    theirs = opened(written(tmp_path / "theirs", others))
    assert mine.schema == theirs.schema
    assert mine.assets.keys() == theirs.assets.keys()
    for name, array in mine.assets.items():
        np.testing.assert_array_equal(array, theirs.assets[name], err_msg=name)
    assert mine.assets_cost == (0, 0)


def test_values_come_back_from_described_codes(tmp_path):
    source = opened(written(tmp_path / "it", rows()))
    codes, offsets = source.encoded()
    for place, column in enumerate(c for c in source.table.columns if c.modelled):
        keys, absent = source.codecs[column.name].decode(codes[:, place], offsets[:, place])
        held = next(each for each in source._held if each.column.name == column.name)
        np.testing.assert_array_equal(keys, held.keys[source._rows])
        assert not absent.any()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "number"\nrange = [18, 100]', 'kind = "number"', "'age'.*lacks range"),
        ('order = ["basic", "plus", "pro", "never"]\n', "", "'plan'.*lacks order"),
        ('[columns.churned]\nkind = "boolean"\n', "", "'churned'.*lacks kind"),
        ('format = "C-{000000}"\n', "", "form of the ids 'customer'"),
        ("range = [18, 100]", "range = [100, 18]", "range of 'age'"),
        ('"plus", "pro", "never"', '"pro", "never"', "'plus' is not among"),
        ("", '\n[[rules]]\ntogether = ["plan", "churned"]\n', "no rule `together`"),
    ],
)
def test_what_a_description_lacks_is_told(tmp_path, old, new, said):
    text = SAID.replace(old, new) if old else SAID + new
    with pytest.raises(DataError, match=said):
        opened(written(tmp_path / "it", rows(), text))


def test_missing_values_that_the_description_does_not_know_are_told(tmp_path):
    columns = {**rows(), "age": pa.array(rows()["age"], mask=np.arange(400) == 3)}
    with pytest.raises(DataError, match="1 are missing"):
        opened(written(tmp_path / "it", columns))


def trained(data, folder, model="tab-ar", **more):
    settings = {"preset": "private", "steps": 3, "batch_size": 64, **more}
    return genkit.train(
        model, dataset="table", data={**data, **settings.pop("settings", {})}, trainer="dp",
        runs_dir=folder, verbose=False, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("model", ["tab-ar", "tvae"])
def test_the_private_trainer_takes_described_tables(tmp_path, model):
    pytest.importorskip("genkit_dp")
    data = written(tmp_path / "it", rows())
    result = trained(data, tmp_path, model)
    said = json.loads((result.path / "statement.json").read_text())
    assert "differential privacy" in said["facts"]["guarantee"]
    made = genkit.load(result).generate_items(50)
    ages = np.concatenate([batch["age"] for batch in made])
    assert ((ages >= 18) & (ages <= 100)).all()


def test_the_private_trainer_refuses_what_would_tell(tmp_path):
    pytest.importorskip("genkit_dp")
    data = written(tmp_path / "it", rows())
    with pytest.raises(UsageError, match="lets nothing out of the data but the model; one of"):
        trained(data, tmp_path, settings={"described": False})
    with pytest.raises(UsageError, match="validation would"):
        trained(data, tmp_path, validate_every=1)
    with pytest.raises(UsageError, match="draws what they hold"):
        trained(
            data, tmp_path, "ctgan", preset="default", settings={"described": True},
            config={"pac": 1, "normalisation": "layer", "hidden": 8},
        )  # fmt: skip
