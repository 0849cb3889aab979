"""Clipping, accumulation, averaging and loss scaling are the optimizers' own, for every name."""

from itertools import pairwise

import keras
import numpy as np
import pytest

from tests.engine.small import batch_for, changed, mlp_gan, read, stepper

pytestmark = pytest.mark.usefixtures("active_backend")
eager_on_torch = pytest.mark.filterwarnings("ignore:The training step runs eagerly:UserWarning")


def weights_of(state):
    return {k: v for k, v in state.items() if k.startswith(("generator/", "discriminator/"))}


def trainable(keys):
    return {k for k in keys if k.rsplit("/", 1)[1] in ("kernel", "bias", "gamma", "beta")}


def test_clipping_bounds_the_update_of_both_networks():
    model = mlp_gan(optimizer=lambda: keras.optimizers.SGD(1.0, global_clipnorm=1e-3))
    e, run = stepper(model)
    before = read(e)
    run(batch_for(model))
    after = read(e)
    for network in ("generator", "discriminator"):
        keys = trainable(k for k in before if k.startswith(f"{network}/"))
        norm = np.sqrt(sum(np.square(after[k] - before[k]).sum() for k in keys))
        assert norm == pytest.approx(1e-3, rel=1e-2)


@eager_on_torch
@pytest.mark.parametrize("kind", [keras.optimizers.SGD, keras.optimizers.Adam])
def test_accumulation_updates_every_second_step_only(kind):
    model = mlp_gan(optimizer=lambda: kind(0.1, gradient_accumulation_steps=2), dropout=0.0)
    e, run = stepper(model)
    states = [read(e)]
    for number in range(4):
        run(batch_for(model, seed=number), number)
        states.append(read(e))
    moved = [bool(trainable(changed(weights_of(a), weights_of(b)))) for a, b in pairwise(states)]
    assert moved == [False, True, False, True]


@pytest.mark.slow
def test_averaged_weights_follow_the_weights_and_are_used_inside_the_block():
    model = mlp_gan(optimizer=lambda: keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5))
    e, run = stepper(model)
    for number in range(5):
        run(batch_for(model, seed=number), number)
    raw = read(e)
    with model.averaged_weights():
        averaged = read(e)
        sample = model.generate(2)
    assert trainable(changed(raw, averaged)) == trainable(weights_of(raw))
    average = raw["optimizers/generator/model_variables_moving_average/generator/layers/0/kernel"]
    np.testing.assert_array_equal(averaged["generator/layers/0/kernel"], average)
    assert changed(raw, read(e)) == set(), "the raw weights come back"
    assert not np.array_equal(model.generate(2), sample)


def test_averaged_weights_before_the_first_step_are_the_weights():
    model = mlp_gan(optimizer=lambda: keras.optimizers.Adam(0.1, use_ema=True))
    e, _ = stepper(model)
    raw = read(e)
    with model.averaged_weights():
        assert changed(raw, read(e)) == set()


def scaled(initial_scale):
    return lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=initial_scale, dynamic_growth_steps=3
    )


@pytest.mark.slow
@eager_on_torch
def test_loss_scaling_changes_no_update_and_reports_the_unscaled_loss():
    results = []
    for optimizer in (lambda: keras.optimizers.SGD(0.1), scaled(1024.0)):
        keras.utils.set_random_seed(0)
        model = mlp_gan(optimizer=optimizer, dropout=0.0)
        e, run = stepper(model)
        losses = run(batch_for(model))
        results.append((losses, weights_of(read(e))))
    (plain_losses, plain), (scaled_losses, with_scale) = results
    assert scaled_losses == pytest.approx(plain_losses, rel=1e-5)
    for key, value in plain.items():
        np.testing.assert_allclose(with_scale[key], value, atol=1e-5)


@pytest.mark.slow
@eager_on_torch
def test_loss_scaling_skips_an_overflow_and_lowers_the_scale():
    model = mlp_gan(optimizer=scaled(1e38), dropout=0.0, batch_norm=False)
    e, run = stepper(model)
    before = read(e)
    batch = batch_for(model)
    run({**batch, "vector": batch["vector"] * 1e20})
    after = read(e)
    assert not {k for k in changed(before, after) if k.startswith("discriminator/")}
    scale = "optimizers/discriminator/loss_scale/dynamic_scale"
    assert after[scale] == pytest.approx(before[scale] / 2)


@pytest.mark.slow
@eager_on_torch
def test_loss_scaling_grows_after_finite_steps():
    model = mlp_gan(optimizer=scaled(8.0))
    e, run = stepper(model)
    for number in range(3):
        run(batch_for(model, seed=number), number)
    assert read(e)["optimizers/generator/loss_scale/dynamic_scale"] == 16.0
    assert read(e)["optimizers/generator/iteration"] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.Adam(1e-2, beta_1=0.5),
        lambda: keras.optimizers.Adam(1e-2, beta_1=0.0, beta_2=0.9, epsilon=1e-3),
        lambda: keras.optimizers.AdamW(1e-2, weight_decay=0.1),
    ],
    ids=["adam", "large epsilon", "adamw"],
)
def test_the_engines_update_agrees_with_keras_own(optimizer, monkeypatch):
    results = []
    for stock in (False, True):
        if stock:
            monkeypatch.setattr(engine_class(), "_use_fused_update", lambda *_: None)
        keras.utils.set_random_seed(0)
        # No batch normalisation: behind a bias it leaves a gradient of pure rounding.
        model = mlp_gan(optimizer=optimizer, dropout=0.0, batch_norm=False)
        e, run = stepper(model)
        for number in range(4):
            run(batch_for(model, seed=number), number)
        results.append(read(e))
    ours, stock = results
    assert ours.keys() == stock.keys()
    for key, value in stock.items():
        # Adam divides by the root of a mean square: where that is tiny, rounding shows.
        np.testing.assert_allclose(ours[key], value, rtol=1e-3, atol=1e-5, err_msg=key)


def engine_class():
    return type(stepper(mlp_gan())[0])
