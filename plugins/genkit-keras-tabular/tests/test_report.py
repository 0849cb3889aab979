"""Reports: sums of real rows beside generated ones, and no real row unless it is asked for."""

import numpy as np
import pandas as pd
import pytest
from genkit_tabular.contrast import FEWEST, Both, associations, marginal, patterns
from genkit_tabular.describing import Description
from genkit_tabular.drawing import contrasted
from genkit_tabular.features import Judged
from genkit_tabular.raw import of_frame
from genkit_tabular.source import table_source

import genkit

N = 600


def people(seed=0):
    """Columns that hang together, with a name that is rare, an extreme, and gaps in two at once."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["<b>one</b>", "two", "three"], N, p=[0.5, 0.3, 0.2])
    gaps = rng.random(N) < 0.2
    days = np.datetime64("2024-01-01") + rng.integers(0, 99, N)
    frame = pd.DataFrame({
        "kind": kind,
        "twin": [f"of {name}" for name in kind],
        "size": np.where(gaps, np.nan, np.round(rng.normal(50, 10, N), 1)),
        "when": np.where(gaps, np.datetime64("NaT"), days),
        "few": rng.choice([0, 1, 2], N, p=[0.9, 0.05, 0.05]),
    })  # fmt: skip
    frame.loc[7, ["kind", "size"]] = ["known to all", 98765.4]
    return frame


def both(frame, other):
    """Return the columns of two frames, the second as if it were generated."""
    raw = of_frame(pd.concat([frame, other]))
    columns, _ = Description().of(raw)
    source = table_source(raw, columns)
    learned = Judged.of(source.schema, source.assets).learned
    real, made = (source.gather(np.arange(N) + start) for start in (0, N))
    return learned, made, real


def columns_of(learned, made, real):
    return {each.name: Both.of(each, real, made) for each in learned}


def test_rows_of_the_same_kind_differ_as_by_chance_and_others_by_more():
    other = people(1)
    other["few"] = 0
    found = {name: marginal(each) for name, each in columns_of(*both(people(), other)).items()}
    for name in ("kind", "size", "when"):
        assert found[name].difference < 2 * found[name].by_chance, name
        missing = found[name].missing
        assert found[name].real.sum() + missing[0] == pytest.approx(1)
        assert found[name].made.sum() + missing[1] == pytest.approx(1)
    real = people()["few"]
    assert found["few"].difference == pytest.approx((real != 0).mean())
    assert found["few"].by_chance < 0.03


def test_no_rare_name_and_no_extreme_is_told_of_real_rows():
    found = {name: marginal(each) for name, each in columns_of(*both(people(), people(1))).items()}
    assert found["kind"].labels == ("<b>one</b>", "two", "three", "all others")
    assert max(map(float, found["size"].labels)) < 90
    assert found["size"].slots
    shares = found["size"].real[found["size"].real > 0]
    assert (
        min(np.bincount(np.unique(shares, return_inverse=True)[1]) * np.unique(shares))
        >= (FEWEST - 1e-6) / N
    )


def test_associations_are_one_where_a_column_follows_from_another_and_zero_where_nothing_does():
    columns = list(columns_of(*both(people(), people(1).apply(shuffle))).values())
    real, made = associations(columns)
    assert real[1, 0] > 0.95
    assert made[1, 0] < 0.15
    assert real[2, 0] < 0.15


def shuffle(column):
    return np.random.default_rng(len(str(column.iloc[0]))).permutation(column)


def test_what_is_missing_together_is_counted():
    other = people(1)
    other["when"] = pd.Timestamp("2024-02-03")
    found = patterns(list(columns_of(*both(people(), other)).values()))
    share = people()["when"].isna().mean()
    assert [name for name, *_ in found] == ["nothing", "size + when", "otherwise"]
    assert found[1][1:] == (pytest.approx(share, abs=0.01), 0)
    assert patterns([]) == []


def test_the_worst_column_stands_first_and_names_are_escaped():
    other = people(1)
    other["few"] = 2
    pieces = contrasted(*both(people(), other))
    drawn = pieces["Columns, the worst first"]
    assert drawn.index("<b>few</b>") < drawn.index("<b>kind</b>")
    assert "&lt;b&gt;one" in drawn
    assert "<b>one" not in "".join(pieces.values())
    assert "<script" not in "".join(pieces.values())
    assert list(pieces)[1:] == ["Pairs of columns", "What is missing together"]


def test_a_report_shows_real_rows_to_who_asks_for_them_alone(tmp_path):
    frame = people()
    run = genkit.train("tab-copula", dataset=frame, runs_dir=tmp_path, verbose=False)
    plain = genkit.write_report(run).path.read_text(encoding="utf-8")
    assert "How they differ" in plain
    assert "--show-real" in plain
    assert "Real, from the training data" not in plain
    assert "known to all" not in plain[: plain.index("Real against generated</h2>")]
    asked = genkit.write_report(run, show_real=True).path.read_text(encoding="utf-8")
    assert "Real, from the training data" in asked
