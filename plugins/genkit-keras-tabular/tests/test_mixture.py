"""A mixture of independent columns: what it learns, and that what is asked of it is exact."""

import itertools

import numpy as np
import pandas as pd
import pytest
from genkit_tabular.configs import MixtureConfig
from genkit_tabular.models.mixture import TableMixture
from test_models import N, fitted, shares, weather

SMALL = MixtureConfig(components=24, rank=6, learning_rate=0.05)


@pytest.fixture(scope="module")
def model():
    return fitted(TableMixture, SMALL, weather(), steps=250, batch_size=200)


@pytest.fixture(scope="module")
def every(model):
    """All rows there can be, and how likely each is to the model."""
    parts = {
        "season": ["summer", "spring", "autumn", "winter"],
        "heat": [*range(10, 18), *range(20, 28), None],
        "rain": [True, False],
        "umbrella": [True, False],
    }
    rows = pd.DataFrame(itertools.product(*parts.values()), columns=list(parts))
    rows["heat"] = rows["heat"].astype("Int64")
    return rows, np.exp(model.log_likelihood(rows))


def test_the_likelihood_of_all_rows_there_can_be_is_one(model, every):
    _, likely = every
    assert likely.sum() == pytest.approx(1, abs=1e-4)
    assert -4.9 < model.log_likelihood(weather()).mean() < -3.5
    strange = weather().assign(heat=18)
    assert (model.log_likelihood(strange) == -np.inf).all()


def test_what_hangs_together_in_the_data_does_so_in_rows(model):
    assert shares(model.sample(N)) == pytest.approx(shares(weather()), abs=0.06)


def test_rows_are_as_frequent_as_they_are_likely(model, every):
    rows, likely = every
    _check_frequencies(model.sample(N), rows, likely)


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({"umbrella": "true"}, "umbrella"),
        ({"heat": "10:13", "umbrella": "true"}, "10 <= heat <= 13 and umbrella"),
        ({"heat": "null", "rain": "true"}, "heat.isna() and rain"),
        ({"heat": "12:21", "season": "spring"}, "12 <= heat <= 21 and season == 'spring'"),
    ],
)
def test_any_conditions_at_once_are_exact(model, every, asked, query):
    rows, likely = every
    made = model.sample(N, seed=1, given=asked)
    assert len(made.query(query)) == N
    there = rows.query(query).index
    _check_frequencies(made, rows.loc[there], likely[there] / likely[there].sum())


def _check_frequencies(made, rows, likely):
    """Chi-squared of the frequencies of rows: its mean is one less than there are rows."""
    names = list(rows.columns)
    counts = made.fillna({"heat": -1}).groupby(names).size()
    keys = rows.fillna({"heat": -1}).set_index(names).index
    expected = pd.Series(likely * len(made), index=keys)
    frequent = expected > 5
    found = counts.reindex(keys, fill_value=0)
    apart = float((((found - expected) ** 2) / expected)[frequent].sum())
    kinds = int(frequent.sum())
    assert apart < kinds + 5 * (2 * kinds) ** 0.5


def test_rows_of_which_different_things_are_asked_have_them(model):
    asked = {"umbrella": True, "heat": ["12", "10:13", "null", None] * 50, "season": "winter"}
    made = model.sample(200, given=asked)
    assert made["umbrella"].all()
    assert (made["season"] == "winter").all()
    assert (made["heat"][0::4] == 12).all()
    assert made["heat"][1::4].between(10, 13).all()
    assert made["heat"][2::4].isna().all()
    assert made["heat"][3::4].nunique() > 3


def test_gaps_are_filled_by_the_rest_and_what_is_there_stays(model):
    whole = weather()[:2000].astype({"umbrella": "boolean"})
    holes = whole.copy()
    holes.loc[::2, "umbrella"] = pd.NA
    filled = model.impute(holes)
    assert filled.notna().all().all()
    pd.testing.assert_series_equal(filled["season"], holes["season"])
    wet = filled[::2]["umbrella"][whole[::2]["rain"]].astype(float).mean()
    dry = filled[::2]["umbrella"][~whole[::2]["rain"]].astype(float).mean()
    assert wet == pytest.approx(0.9, abs=0.07)
    assert dry == pytest.approx(0.05, abs=0.05)


def test_a_row_follows_from_the_seed_and_its_number(model):
    few, many = model.sample(3, seed=5), model.sample(1500, seed=5)
    pd.testing.assert_frame_equal(few, many[:3])
    last = next(model.generate_items(1500, 5, begin=1499))
    assert str(last["season"][0]) == many["season"][1499]
