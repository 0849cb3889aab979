"""Diffusion of tables: what noise does, what leads back from it, and tables that break others."""

import numpy as np
import pandas as pd
import pytest
from genkit_tabular.configs import TableDDPMConfig
from genkit_tabular.datasets import open_frame
from genkit_tabular.models.ddpm import TableDDPM, kept_shares
from keras import ops

N = 2000
SMALL = {"hidden": 16, "layers": 1, "sampling_steps": 6, "learning_rate": 5e-3}


def built(frame, **settings):
    source = open_frame(frame)
    model = TableDDPM(TableDDPMConfig(**{**SMALL, **settings}), source.schema)
    model.bind(source.schema, source.assets)
    return model, source


def uneven():
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "name": rng.choice(["often", "half", "seldom"], N, p=[0.68, 0.3, 0.02]),
        "truth": rng.random(N) < 0.9,
        "number": np.round(rng.normal(size=N), 2),
    })  # fmt: skip


def test_noise_leaves_less_and_less_of_a_row_until_any_mode_is_as_likely():
    model, _ = built(uneven())
    kept = kept_shares(1000)
    assert kept[0] == 1
    assert (np.diff(kept) < 0).all()
    assert 0 < kept[-1] < 1e-4
    modes = ops.convert_to_tensor(np.tile(np.eye(3, dtype="float32")[0], (N, 1)))
    rest = np.zeros((N, model.encoding.one_hot - 3), "float32")
    modes = ops.concatenate([modes, ops.convert_to_tensor(rest)], axis=1)
    rng = np.random.default_rng(1)
    luck, other = (ops.convert_to_tensor(rng.random((N, 3), dtype="float32")) for _ in range(2))
    for share in (1.0, 0.4, 0.0):
        seen = model.multinomial.noised(modes, ops.full((N, 1), share), luck, other)
        found = ops.convert_to_numpy(seen)[:, :3].mean(0)
        assert found == pytest.approx([share + (1 - share) / 3, *[(1 - share) / 3] * 2], abs=0.04)


def test_a_network_that_has_learned_nothing_gives_columns_as_frequent_as_the_data_has_them():
    model, source = built(uneven())
    for weight in model.network.layers[-1].weights:
        weight.assign(ops.zeros(weight.shape))
    made, real = model.sample(4000), source.gather(np.arange(N))
    for name, share in uneven()["name"].value_counts(normalize=True).items():
        assert (made["name"] == name).mean() == pytest.approx(share, abs=0.025)
    assert made["truth"].mean() == pytest.approx(real["truth"].mean(), abs=0.025)
    ends = [0.1, 0.25, 0.5, 0.75, 0.9]
    assert made["number"].quantile(ends).to_list() == pytest.approx(
        uneven()["number"].quantile(ends).to_list(), abs=0.1
    )


def test_a_step_back_draws_modes_as_bayes_rule_has_them():
    model, _ = built(uneven()[["name"]])
    first, second, even = ([[1, 0, 0]], [[0, 1, 0]], [[1, 1, 1]])
    clean, seen, asked = (
        ops.convert_to_tensor(np.repeat(np.array(each, "float32"), N, 0))
        for each in (first, second, even)
    )
    uniform = ops.convert_to_tensor(((np.arange(N) + 0.5) / N).astype("float32")[:, None])
    shares = (ops.full((1, 1), share) for share in (0.5, 0.8))
    modes, _ = model.multinomial.back(clean, asked, seen, *shares, uniform)
    # (.125, .75, .125), how likely what is seen follows, times (.8667, .0667, .0667), over .1667
    assert ops.convert_to_numpy(modes).mean(0) == pytest.approx([0.65, 0.3, 0.05], abs=1e-3)


def test_the_surprise_of_a_step_is_none_for_what_is_true_and_that_of_names_for_the_last_step():
    model, _ = built(uneven())
    multinomial, kept = model.multinomial, kept_shares(1000)
    width, sizes = model.encoding.one_hot, [each.size for each in model.encoding.modes]
    first = np.concatenate([np.arange(size) == 0 for size in sizes]).astype("float32")[None]
    even = np.concatenate([np.full(size, 1 / size) for size in sizes]).astype("float32")[None]
    truth, guess = ops.convert_to_tensor(first), ops.convert_to_tensor(even)

    def surprise(told, time):
        shares = (ops.full((1, 1), float(kept[each])) for each in (time, time - 1))
        return float(multinomial.surprise(truth, told, truth, *shares)[0])

    assert width == sum(sizes)
    assert surprise(truth, 300) == pytest.approx(0, abs=1e-5)
    assert surprise(guess, 300) > 1e-5
    assert surprise(guess, 1) == pytest.approx(sum(np.log(sizes)), abs=1e-3)


def test_a_hundred_columns_of_truths_neither_pile_up_nor_become_nan():
    rng = np.random.default_rng(0)
    rates = rng.uniform(0.05, 0.95, 100)
    frame = pd.DataFrame({f"t{k}": rng.random(N) < rate for k, rate in enumerate(rates)})
    model, source = built(frame)
    history = model.fit(source, steps=100, batch_size=100, verbose=False)
    assert np.isfinite(history.history["loss"]).all()
    uniform = ops.convert_to_tensor(rng.random((N, model.latent), dtype="float32"))
    chances, _, weight = model.rows(uniform, [ops.ones((N, 2)) for _ in rates])
    made = ops.convert_to_numpy(chances).reshape(N, 100, 2)[:, :, 1].mean(0)
    off = np.abs(made - frame.mean().to_numpy())
    assert off.max() < 0.08
    assert off.mean() < 0.02
    assert ops.convert_to_numpy(weight) == pytest.approx(0, abs=0.01), "nothing is asked"


@pytest.mark.parametrize("column", ["name", "number"])
def test_names_alone_and_numbers_alone_are_learned(column):
    frame = uneven()[[column]]
    model, source = built(frame, sampling_steps=2)
    model.fit(source, steps=1, batch_size=20, verbose=False)
    made = model.sample(7)[column]
    assert made.dtype == frame[column].dtype
    assert made.notna().all()
    assert frame[column].min() <= made.min() <= made.max() <= frame[column].max()
