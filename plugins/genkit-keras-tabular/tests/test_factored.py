"""Models that make a row at once: what they learn, and that they give what is asked of them."""

import numpy as np
import pandas as pd
import pytest
from genkit_tabular.configs import CTGANConfig, TableDDPMConfig, TVAEConfig
from genkit_tabular.datasets import open_frame
from genkit_tabular.features import Judged
from genkit_tabular.models.ctgan import TableCTGAN
from genkit_tabular.models.ddpm import TableDDPM
from genkit_tabular.models.modes import Encoding, Modes
from genkit_tabular.models.tvae import TableTVAE
from keras import ops

from genkit.errors import UsageError

N = 3000
SETTINGS = {
    "tvae": (TableTVAE, TVAEConfig(hidden=48, latent_dim=8, learning_rate=5e-3), 300),
    "ctgan": (
        TableCTGAN,
        CTGANConfig(hidden=48, latent_dim=8, pac=2, dropout=0, learning_rate=3e-3),
        200,
    ),
    "tab-ddpm": (
        TableDDPM,
        TableDDPMConfig(hidden=48, layers=1, sampling_steps=10, learning_rate=5e-3),
        200,
    ),
}


def shops():
    """Rows whose columns hang together: mills sell more and are open, some never say."""
    rng = np.random.default_rng(0)
    mill = rng.random(N) < 0.3
    sales = np.where(mill, 900, 100) + rng.integers(0, 100, N)
    frame = pd.DataFrame({
        "kind": np.where(mill, "mill", rng.choice(["shop", "stall"], N, p=[0.97, 0.03])),
        "sales": sales,
        "open": np.where(mill, rng.random(N) < 0.9, rng.random(N) < 0.2),
    })  # fmt: skip
    frame["sales"] = frame["sales"].astype("Int64").mask(rng.random(N) < 0.1)
    return frame


@pytest.fixture(scope="module")
def models():
    found = {}
    for name, (model_class, config, steps) in SETTINGS.items():
        source = open_frame(shops())
        found[name] = model_class(config, source.schema)
        found[name].fit(source, steps=steps, batch_size=200, verbose=False)
    return found


# A GAN that learned for so short a time knows what hangs together, not yet how often a gap is.
@pytest.mark.parametrize(("name", "off"), [("tvae", 0.06), ("ctgan", 0.25), ("tab-ddpm", 0.04)])
def test_what_hangs_together_in_the_data_does_so_in_rows(models, name, off):
    made = models[name].sample(N)
    assert (made["kind"] == "mill").mean() == pytest.approx(0.3, abs=0.1)
    assert made["sales"].isna().any()
    assert made["sales"].isna().mean() == pytest.approx(0.1, abs=off)
    mills = made[made["kind"] == "mill"]
    assert (mills["sales"].dropna() >= 900).mean() > 0.5
    assert (made[made["kind"] != "mill"]["sales"].dropna() < 200).mean() > 0.8


@pytest.mark.parametrize("name", SETTINGS)
def test_rows_have_what_is_asked_of_each_and_the_rest_follows(models, name):
    asked = {"open": True, "sales": ["950:980", "120", "null", None] * 50}
    made = models[name].sample(200, given=asked)
    assert made["open"].all()
    assert made["sales"][0::4].between(950, 980).all()
    assert (made["sales"][1::4] == 120).all()
    assert made["sales"][2::4].isna().all()
    assert made["sales"][3::4].nunique() > 3
    assert (made["kind"][0::4] == "mill").mean() > 0.5
    mills = models[name].sample(400, given={"kind": "mill"})
    assert (mills["sales"].dropna() >= 900).mean() > 0.5


@pytest.mark.parametrize("name", SETTINGS)
def test_a_row_follows_from_the_seed_and_its_number(models, name):
    few, many = models[name].sample(3, seed=5), models[name].sample(1100, seed=5)
    pd.testing.assert_frame_equal(few, many[:3])
    asked = {"open": [None, True, None]}
    beside = models[name].sample(3, seed=5, given=asked)
    pd.testing.assert_frame_equal(few[::2], beside[::2])


def learned_columns(frame):
    source = open_frame(frame)
    return Judged.of(source.schema, source.assets).learned


def test_a_position_in_a_mode_says_which_code_a_value_has():
    rng = np.random.default_rng(0)
    numbers = np.where(rng.random(N) < 0.5, 0.0, np.round(rng.normal(size=N), 2))
    columns = learned_columns(pd.DataFrame({"x": numbers, "c": rng.choice(["a", "b"], N)}))
    encoding = Encoding([Modes.of(each) for each in columns])
    number, name = encoding.modes
    assert 3 < number.size <= 22
    assert name.size == 2
    assert not name.ranked
    zero = int(np.argmax(columns[0].codec.counts))
    assert (number.of_code == number.of_code[zero]).sum() == 1, "a frequent value is a mode"
    codes = np.stack([np.arange(len(number.of_code)), np.arange(len(number.of_code)) % 2], 1)
    codes = ops.convert_to_tensor(codes.astype("int32"))
    rows = encoding.encode(codes, ops.full((len(number.of_code), 1), 0.5))
    chances, positions = rows[:, : encoding.one_hot], rows[:, encoding.one_hot :]
    again = encoding.draw(chances, positions, ops.full((len(number.of_code), 2), 0.5))
    assert ops.convert_to_numpy(again).tolist() == ops.convert_to_numpy(codes).tolist()


def test_training_by_sampling_draws_rare_values_by_the_logarithm_of_their_number(models):
    source = open_frame(shops())
    model = models["ctgan"]
    rows = model.examples(source)
    drawn = rows.draw(np.arange(4000) % N, np.random.default_rng(0))
    names = model.learned[0].classes
    of_kind = drawn["codes"][drawn["column"] == 0][:, 0]
    counts = shops()["kind"].value_counts()
    weights = np.log1p([counts[name] for name in names])
    found = np.bincount(of_kind, minlength=len(names)) / len(of_kind)
    assert found == pytest.approx(weights / weights.sum(), abs=0.04)
    real = {row.tobytes() for row in source.encoded()[0]}
    assert all(row.tobytes() in real for row in drawn["codes"])


def test_batches_smaller_than_what_the_critic_sees_at_once_are_refused():
    source = open_frame(shops())
    model = TableCTGAN(CTGANConfig(hidden=4, latent_dim=2, pac=10), source.schema)
    with pytest.raises(UsageError, match="at least pac=10 rows; received 4"):
        model.fit(source, steps=1, batch_size=4, verbose=False)


@pytest.mark.parametrize("column", ["kind", "sales"])
def test_names_alone_and_numbers_alone_are_learned(column):
    source = open_frame(shops()[[column]])
    config = CTGANConfig(hidden=4, latent_dim=2, pac=1, normalisation="layer")
    model = TableCTGAN(config, source.schema)
    model.fit(source, steps=1, batch_size=20, verbose=False)
    made = model.sample(7)[column]
    assert made.dtype == shops()[column].dtype
    assert set(made.dropna()) <= set(shops()[column].dropna())
