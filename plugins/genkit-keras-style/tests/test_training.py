"""Training: penalties that come now and then, averages, classes, and data that doesn't fit."""

import keras
import numpy as np
import pytest
from genkit_style.configs import StyleGAN2Config
from genkit_style.layers import BatchDeviation
from genkit_style.mapping import Centre
from genkit_style.stylegan2 import StyleGAN2
from keras import ops
from small import SMALL, model, pictures

import genkit
from genkit.errors import DataError


def logs_of(found, source, steps, batch_size=16):
    seen = []

    class Kept(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append({name: float(value) for name, value in logs.items()})

    found.fit(source, steps=steps, batch_size=batch_size, verbose=False, callbacks=[Kept()])
    return seen


def test_penalties_come_at_their_steps_and_never_together():
    found = model(r1_interval=4, path_length=2.0, path_length_interval=4)
    flags = [found.schedule(step) for step in range(8)]
    assert [each["penalize_slope"] for each in flags] == [True, False, False, False] * 2
    assert [each["penalize_length"] for each in flags] == [False, False, True, False] * 2
    found = model(r1_interval=2, path_length=2.0, path_length_interval=1)
    flags = [found.schedule(step) for step in range(4)]
    assert not any(each["penalize_slope"] and each["penalize_length"] for each in flags)


def test_a_training_with_everything_on_learns():
    source = pictures(64)
    found = model(
        source, noise_inputs=True, mixing=0.9, path_length=2.0, r1_interval=4, augment_target=0.6
    )
    seen = logs_of(found, source, 30)
    assert all(np.isfinite(list(each.values())).all() for each in seen)
    assert np.mean([each["d_loss"] for each in seen[-5:]]) < seen[0]["d_loss"]
    assert float(ops.convert_to_numpy(found.mean_length.value)) > 0
    assert np.abs(ops.convert_to_numpy(found.centre.mean.value)).sum() > 0


def test_the_slope_penalty_holds_the_slope_down():
    source = pictures(64)
    slopes = []
    for weight in (0.0, 100.0):
        found = model(source, r1=weight, r1_interval=2)
        found.fit(source, steps=30, batch_size=16, verbose=False)
        x = ops.convert_to_tensor(source.gather(np.arange(16))["image"] * 2 - 1)
        slope = genkit.gradient(lambda x, d=found.discriminator: ops.sum(d(x)), x)
        slopes.append(float(np.square(ops.convert_to_numpy(slope)).sum(axis=(1, 2, 3)).mean()))
    assert slopes[1] < slopes[0] / 2


def test_generation_uses_the_averaged_generator():
    source = pictures(64)
    found = model(source, generator_average_images=1000)
    logs_of(found, source, 10)
    raw = [np.array(ops.convert_to_numpy(each.value)) for each in found.synthesis.weights]
    again = model(source, generator_average_images=0)
    logs_of(again, source, 10)
    other = [ops.convert_to_numpy(each.value) for each in again.synthesis.weights]
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(raw, other, strict=True))


def test_frozen_blocks_stay_as_they_were():
    source = pictures(64)
    found = model(source, frozen=1)
    kept = found.discriminator.blocks[0].first.kernel, found.discriminator.judging.kernel
    before = [np.array(ops.convert_to_numpy(each.value)) for each in kept]
    logs_of(found, source, 2)
    after = [ops.convert_to_numpy(each.value) for each in kept]
    np.testing.assert_array_equal(before[0], after[0])
    assert np.abs(before[1] - after[1]).max() > 0


def test_neighbours_of_a_batch_are_compared():
    x = np.random.default_rng(0).standard_normal((8, 4, 4, 2)).astype("float32")
    x[4:] = x[4:5]
    told = ops.convert_to_numpy(BatchDeviation()(ops.convert_to_tensor(x)))[..., 2]
    expected = np.sqrt(x[:4].var(axis=0) + 1e-8).mean()
    np.testing.assert_allclose(told[:4], expected, rtol=1e-5)
    np.testing.assert_allclose(told[4:], 1e-4, rtol=1e-3)
    pairs = ops.convert_to_numpy(BatchDeviation()(ops.convert_to_tensor(x[:6])))[..., 2]
    np.testing.assert_allclose(pairs[:2], np.sqrt(x[:2].var(axis=0) + 1e-8).mean(), rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "told"), [((12, 12, 3), "resize=16x16"), ((8, 16, 3), "resize=16x16")]
)
def test_sizes_that_do_not_fit_are_told_with_what_to_do(shape, told):
    fields = {"image": genkit.Field(shape, "float32", "image", range=(0.0, 1.0))}
    with pytest.raises(DataError) as error:
        genkit_model(fields)
    assert told in f"{error.value} {error.value.hint}"


def genkit_model(fields):
    return StyleGAN2(StyleGAN2Config(latent_dim=8, base=32, most=8), genkit.Schema(fields))


def test_one_channel_is_as_good_as_three():
    source = genkit.data.as_source(np.random.default_rng(0).random((32, 8, 8, 1), dtype="float32"))
    found = model(source, augment_target=0.6)
    found.fit(source, steps=2, batch_size=8, verbose=False)
    assert found.generate(2).shape == (2, 8, 8, 1)


def test_a_class_is_asked_of_data_that_has_none():
    with pytest.raises(DataError, match="label"):
        model(conditional=True)


def test_half_the_precision_trains_and_generates(tmp_path):
    result = genkit.train(
        "stylegan2",
        dataset=pictures(64),
        steps=4,
        batch_size=16,
        config={**SMALL, "path_length": 2.0, "path_length_interval": 2, "augment_target": 0.6},
        precision="bfloat16",
        runs_dir=tmp_path,
        verbose=False,
    )
    assert all(np.isfinite(list(result.outcome.metrics.values())))
    found = genkit.load(result)
    varied = found.generate(4, truncation_psi=0.5)
    assert varied.dtype == np.float32
    assert np.abs(varied[0] - varied[1]).max() > 0


def test_a_mean_style_follows_its_own_class_alone():
    w = np.arange(8, dtype="float32").reshape(4, 2)
    centre = Centre(2, classes=3)
    centre.follow(ops.convert_to_tensor(w), ops.convert_to_tensor(np.array([0, 0, 2, 0], "int32")))
    step = 1 - Centre.momentum
    expected = [step * w[[0, 1, 3]].mean(axis=0), [0, 0], step * w[2]]
    np.testing.assert_allclose(ops.convert_to_numpy(centre.mean.value), expected, atol=1e-6)
    alone = Centre(2)
    alone.follow(ops.convert_to_tensor(w))
    np.testing.assert_allclose(
        ops.convert_to_numpy(alone.mean.value), step * w.mean(axis=0)[None], atol=1e-6
    )
