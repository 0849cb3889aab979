"""Usefulness by group: who is served worse is told, few rows too."""

import numpy as np
import pyarrow as pa
import pytest
from genkit_tabular.describing import Description
from genkit_tabular.judges.groups import UsefulnessByGroup
from genkit_tabular.raw import RawTable
from genkit_tabular.source import table_source
from measured import TEST, TRAIN, all_of, context_of, figures

from genkit.errors import DataError

N = 1200


def people(group="sex"):
    """Who buys follows from the age alike among women and men; 10 of each split are neither."""
    rng = np.random.default_rng(0)
    sex = np.where(np.arange(N) % 61 == 0, "other", np.where(rng.random(N) < 0.5, "f", "m"))
    age = rng.integers(18, 80, N)
    buys = rng.random(N) < np.where(age > 50, 0.9, 0.1)
    columns = {"sex": pa.chunked_array([sex]), "age": pa.chunked_array([age])}
    raw = RawTable({**columns, "buys": pa.chunked_array([pa.array(buys)])}, frame="arrow")
    known, orders = Description().of(raw)
    rows = np.arange(N) % 2 == 0
    return [
        table_source(
            raw,
            known,
            target="buys",
            group=group,
            learned=np.flatnonzero(rows),
            rows=np.flatnonzero(which),
            orders=orders,
        )
        for which in (rows, ~rows)
    ]


def test_the_group_whose_rows_are_poor_is_told_beside_the_real_gap():
    training, real = people()
    rows = all_of(training)
    men = rows["sex"] == training.schema["sex"].classes.index("m")
    rows["buys"] = np.where(men, np.random.default_rng(1).random(len(men)) < 0.8, rows["buys"])
    found = figures(UsefulnessByGroup, rows, training=training, real=real)
    assert found["group-auc (sex=f)"].value > found["group-auc (sex=m)"].value + 0.2
    assert found["group-auc-gap"].value > found["group-auc-gap (ceiling)"].value + 0.2
    assert found["group-f1-gap"].value > found["group-f1-gap (ceiling)"].value
    assert found["group-rate-error (sex=m)"].value > found["group-rate-error (sex=f)"].value + 0.15
    assert found["group-rate-gap"].value > found["group-rate-gap (ceiling)"].value + 0.15


def test_a_small_group_is_told_with_its_n_and_makes_no_gap():
    training, real = people()
    found = figures(UsefulnessByGroup, all_of(training), training=training, real=real)
    few = found["group-auc (sex=other)"]
    assert 0 < few.card["n"] < 50
    assert found["group-auc-gap"].card["left_out"] == {"sex=other": few.card["n"]}
    assert set(found["group-auc-gap"].card["groups"]) == {"sex=f", "sex=m"}


def test_what_can_be_no_group_is_told():
    assert "--data group=COLUMN" in UsefulnessByGroup.unfit(context_of(TRAIN, TEST))
    for column, reason in {"age": "no category", "buys": "is the target"}.items():
        assert reason in UsefulnessByGroup.unfit(context_of(*people(column)))
    with pytest.raises(DataError, match="'shoe' as the group"):
        people("shoe")
