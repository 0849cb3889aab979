"""What models of tables learn, and that they give what is asked of them."""

import itertools

import numpy as np
import pandas as pd
import pytest
from genkit_tabular.configs import ARConfig, CARTConfig, CustomersConfig, MarginalsConfig
from genkit_tabular.datasets import open_customers, open_frame
from genkit_tabular.describing import Description
from genkit_tabular.models.ar import TableAR
from genkit_tabular.models.cart import TableCART
from genkit_tabular.models.copula import TableCopula
from genkit_tabular.models.marginals import TableMarginals
from genkit_tabular.raw import of_frame
from genkit_tabular.source import table_source

from genkit.errors import UsageError

N = 4000
SMALL = ARConfig(hidden=16, embedding=4, learning_rate=0.01, in_order=0.5)


def weather():
    """Rows whose columns hang together: rain by season, umbrella by rain, with gaps."""
    rng = np.random.default_rng(0)
    season = rng.integers(0, 4, N)
    rain = rng.random(N) < np.array([0.1, 0.3, 0.5, 0.9])[season]
    umbrella = np.where(rain, rng.random(N) < 0.9, rng.random(N) < 0.05)
    heat = np.where(rain, 10, 20) + rng.integers(0, 8, N)
    frame = pd.DataFrame({
        "season": np.array(["summer", "spring", "autumn", "winter"])[season],
        "heat": heat,
        "rain": rain,
        "umbrella": umbrella,
    })  # fmt: skip
    frame["heat"] = frame["heat"].astype("Int64").mask(rng.random(N) < np.where(rain, 0.3, 0))
    return frame


def fitted(model_class, config, frame, **fit):
    source = open_frame(frame)
    model = model_class(config, source.schema)
    model.fit(source, verbose=False, **fit)
    return model


@pytest.fixture(scope="module")
def ar():
    return fitted(TableAR, SMALL, weather(), steps=400, batch_size=200)


@pytest.fixture(scope="module")
def models(ar):
    return {
        "ar": ar,
        "cart": fitted(TableCART, CARTConfig(), weather()),
        "copula": fitted(TableCopula, MarginalsConfig(), weather()),
        "marginals": fitted(TableMarginals, MarginalsConfig(), weather()),
    }


def shares(frame):
    """The share of umbrellas by rain, and of gaps."""
    by_rain = frame.groupby("rain")["umbrella"].mean()
    return {"dry": by_rain[False], "wet": by_rain[True], "gaps": frame["heat"].isna().mean()}


@pytest.mark.parametrize("name", ["ar", "cart"])
def test_what_hangs_together_in_the_data_does_so_in_rows(models, name):
    assert shares(models[name].sample(N)) == pytest.approx(shares(weather()), abs=0.05)


def test_the_floor_knows_the_columns_and_nothing_of_their_dependence(models):
    made, real = models["marginals"].sample(N), weather()
    assert made["umbrella"].mean() == pytest.approx(real["umbrella"].mean(), abs=0.03)
    assert abs(shares(made)["wet"] - shares(made)["dry"]) < 0.06


def test_the_copula_sees_what_rises_together(models):
    found = shares(models["copula"].sample(N))
    assert found["wet"] > found["dry"] + 0.3


@pytest.mark.parametrize("name", ["ar", "cart", "copula", "marginals"])
def test_rows_have_what_is_asked_of_each(models, name):
    asked = {"umbrella": True, "heat": ["12", "10:13", "null", None] * 50, "season": "winter"}
    made = models[name].sample(200, given=asked)
    assert made["umbrella"].all()
    assert (made["season"] == "winter").all()
    heat = made["heat"]
    assert (heat[0::4] == 12).all()
    assert heat[1::4].between(10, 13).all()
    assert heat[2::4].isna().all()
    assert heat[3::4].nunique() > 3


@pytest.mark.parametrize(("name", "off"), [("ar", 0.06), ("cart", 0.06)])
def test_what_is_asked_changes_the_other_columns_as_it_does_in_the_data(models, name, off):
    real, model = weather(), models[name]
    made = model.sample(N, given={"umbrella": "true"})
    there = real[real["umbrella"]]
    assert made["rain"].mean() == pytest.approx(there["rain"].mean(), abs=off)
    by_season = there["season"].value_counts(normalize=True)
    found = made["season"].value_counts(normalize=True)
    assert found.to_dict() == pytest.approx(by_season.to_dict(), abs=off)
    # A range and a value at once.
    made = model.sample(N, given={"heat": "10:20", "rain": "false"})
    there = real[real["heat"].between(10, 20) & ~real["rain"]]
    found = made["season"].value_counts(normalize=True)
    assert found["summer"] == pytest.approx((there["season"] == "summer").mean(), abs=off)


def pairs():
    """Two numbers, the second never far from the first."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 10, N)
    return pd.DataFrame({"first": first, "second": first + rng.integers(-1, 2, N)})


@pytest.mark.parametrize(("name", "off"), [("ar", 0.3), ("cart", 0.3), ("copula", 0.6)])
def test_two_ranges_are_drawn_together(name, off):
    model_class, config, fit = {
        "ar": (TableAR, SMALL, {"steps": 200, "batch_size": 200}),
        "cart": (TableCART, CARTConfig(), {}),
        "copula": (TableCopula, MarginalsConfig(), {}),
    }[name]
    model = fitted(model_class, config, pairs(), **fit)
    made = model.sample(N, given={"first": "2:8", "second": "7:20"})
    assert made["first"].between(2, 8).all()
    assert (made["second"] >= 7).all()
    real = pairs().query("2 <= first <= 8 and second >= 7")
    # Drawn one after the other, without a look ahead, the first would be 5 on average.
    assert made["first"].mean() == pytest.approx(real["first"].mean(), abs=off)


@pytest.mark.parametrize("name", ["ar", "cart", "copula"])
def test_a_row_follows_from_the_seed_and_its_number(models, name):
    model = models[name]
    few, many = model.sample(3, seed=5), model.sample(1500, seed=5)
    pd.testing.assert_frame_equal(few, many[:3])
    last = next(model.generate_items(1500, 5, begin=1499))
    assert str(last["season"][0]) == many["season"][1499]


def test_the_likelihood_of_all_rows_there_can_be_is_one(ar):
    parts = {
        "season": ["summer", "spring", "autumn", "winter"],
        "heat": [*range(10, 18), *range(20, 28), None],
        "rain": [True, False],
        "umbrella": [True, False],
    }
    every = pd.DataFrame(itertools.product(*parts.values()), columns=list(parts))
    every["heat"] = every["heat"].astype("Int64")
    assert np.exp(ar.log_likelihood(every)).sum() == pytest.approx(1, abs=1e-4)
    real = ar.log_likelihood(weather()).mean()
    assert -4.9 < real < -3.5
    assert ar.log_likelihood(every.replace({"heat": {10: 18}})).min() == -np.inf


@pytest.mark.parametrize("name", ["ar", "cart"])
def test_gaps_are_filled_given_the_rest_which_stays(models, name):
    whole = weather()[:2000].astype({"umbrella": "boolean"})
    holes = whole.copy()
    holes.loc[::2, "umbrella"] = pd.NA
    filled = models[name].impute(holes)
    assert filled.notna().all().all()
    for column in holes.columns:
        there = holes[column].notna()
        assert (filled[column][there] == holes[column][there]).all(), column
    wet = filled[::2]["umbrella"][whole[::2]["rain"]].astype(float).mean()
    dry = filled[::2]["umbrella"][~whole[::2]["rain"]].astype(float).mean()
    assert wet == pytest.approx(0.9, abs=0.07)
    assert dry == pytest.approx(0.05, abs=0.05)


def test_what_no_row_has_is_refused_with_its_probability(ar):
    with pytest.raises(UsageError, match=r"heat=99.*probability is 0"):
        ar.sample(3, given={"heat": "99"})


def test_ids_are_no_ones_and_differ():
    source = open_customers(CustomersConfig(n=200))
    model = TableMarginals(MarginalsConfig(), source.schema)
    model.fit(source, verbose=False)
    made = model.sample(300)
    keys = made.column("customer").to_numpy()
    real = source.gather(np.arange(200))["customer"]
    assert len(set(keys)) == 300
    assert keys.min() > real.max()


def test_rules_hold_in_every_row_and_real_rows_that_break_them_are_counted():
    rng = np.random.default_rng(0)
    start = np.datetime64("2024-01-01") + rng.integers(0, 300, 500)
    end = start + rng.integers(0, 30, 500)
    end[:7] = start[:7] - 1
    city = rng.integers(0, 3, 500)
    frame = pd.DataFrame({
        "start": start,
        "end": end,
        "city": np.array(["Rome", "Oslo", "Bern"])[city],
        "country": np.array(["IT", "NO", "CH"])[city],
    })  # fmt: skip
    rules = ({"order": ["start", "end"]}, {"together": ["city", "country"]})
    raw = of_frame(frame)
    with pytest.warns(UserWarning, match="break a rule: 7 order = start, end"):
        source = table_source(raw, Description().of(raw)[0], rules=rules)
    model = TableMarginals(MarginalsConfig(), source.schema)
    model.fit(source, verbose=False)
    made = model.sample(1200, seed=1)
    assert (made["start"] <= made["end"]).all()
    assert set(zip(made["city"], made["country"], strict=True)) == set(
        zip(frame["city"], frame["country"], strict=True)
    )
    pd.testing.assert_frame_equal(made[:50], model.sample(50, seed=1))
    with pytest.raises(UsageError, match=r"rule together = city, country.*probability is below"):
        model.sample(3, given={"city": "Rome", "country": "NO"})
