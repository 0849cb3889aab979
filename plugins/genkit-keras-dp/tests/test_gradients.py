"""The noisy gradient, against the formula written in NumPy: the same on every backend."""

import numpy as np
import pytest
from genkit_dp.accounting import Accountant
from genkit_dp.config import PrivacyConfig
from genkit_dp.sampling import NOISE, WEIGHT, PoissonSampler
from genkit_dp.trainer import PrivateTrainer
from small import Linear, items, train, weights

import genkit
from genkit.errors import UsageError

BATCH, SECRET, NOISE_MULTIPLIER = 8, 11, 1.5


def sample_of(x, parameters):
    rate = BATCH / len(x)
    rows = Accountant(len(x), rate, NOISE_MULTIPLIER, 1, 1 / (10 * len(x))).rows
    sampler = PoissonSampler(len(x), rate, rows, SECRET, {"network": parameters})
    chosen, beside = sampler(0)
    return x[chosen[beside[WEIGHT] == 1]], beside[NOISE + "network"].ravel()[:parameters]


def clipped(kernel, bias, item, clip):
    error = 2 * (item @ kernel + bias - item[: len(bias)])
    gradient = np.concatenate([np.outer(item, error).ravel(), error])
    return gradient * min(1.0, clip / np.linalg.norm(gradient))


@pytest.mark.parametrize("clip", [1000.0, 0.05])
def test_it_is_the_clipped_sum_over_the_sample_with_noise_over_the_batch_size(clip):
    model, x = Linear(5), items()
    before = weights(model)
    train(
        model, x, batch_size=BATCH, clip_norm=clip, noise_multiplier=NOISE_MULTIPLIER, secret=SECRET
    )
    moved = np.concatenate([(b - a).ravel() for b, a in zip(before, weights(model), strict=True)])
    sample, noise = sample_of(x, len(moved))
    total = sum(clipped(*before, item, clip) for item in sample)
    assert 0 < len(sample) < len(x)
    expected = (total + NOISE_MULTIPLIER * clip * noise) / BATCH
    np.testing.assert_allclose(moved, expected, rtol=1e-5, atol=1e-5 * clip)


def test_the_noise_has_the_size_that_was_accounted_for():
    model, x = Linear(60, outputs=50), items(features=60)
    before = weights(model)
    train(model, x, batch_size=BATCH, clip_norm=1e-3, noise_multiplier=30.0)
    moved = np.concatenate([(b - a).ravel() for b, a in zip(before, weights(model), strict=True)])
    assert (moved * BATCH).std() == pytest.approx(30.0 * 1e-3, rel=0.1)


class Logging(Linear):
    def training_step(self, batch, minimize):
        loss, logs = minimize(
            "network", lambda b: (self.loss(b), {"twice": 2 * self.loss(b)}), batch
        )
        return {"loss": loss, **logs}


def test_the_losses_are_those_of_the_sample_alone():
    model, x, rows = Logging(5), items(), []
    kernel, bias = weights(model)
    train(
        model,
        x,
        batch_size=BATCH,
        log=rows.append,
        noise_multiplier=NOISE_MULTIPLIER,
        secret=SECRET,
    )
    sample, _ = sample_of(x, kernel.size + bias.size)
    expected = np.square(sample @ kernel + bias - sample[:, :2]).sum(axis=1).mean()
    assert rows[0]["loss"] == pytest.approx(expected, rel=1e-5)
    assert rows[0]["twice"] == pytest.approx(2 * expected, rel=1e-5)


class Twice(Linear):
    def training_step(self, batch, minimize):
        minimize("network", self.loss, batch)
        return super().training_step(batch, minimize)


class Sideways(Linear):
    def training_step(self, batch, minimize):
        loss, _ = minimize("network", lambda x: self.loss({"vector": x}), batch["vector"])
        return {"loss": loss}


@pytest.mark.parametrize(("model", "told"), [(Twice, "one update"), (Sideways, "one batch")])
def test_what_the_accounting_does_not_cover_is_refused(model, told):
    with pytest.raises(UsageError, match=told):
        train(model(5), items(), noise_multiplier=5.0)


class Halved(genkit.GradientTransform):
    def transform(self, engine, name, gradients):
        return [gradient / 2 for gradient in gradients]


def private_trainer():
    return PrivateTrainer(PrivacyConfig(noise_multiplier=NOISE_MULTIPLIER, secret=SECRET))


def test_another_transform_may_follow_the_noise():
    x, moved = items(), []
    for more in ((), (Halved(),)):
        model, trainer = Linear(5), private_trainer()
        model.network.set_weights([np.zeros_like(w) for w in weights(model)])
        trainer.transforms = (*trainer.transforms, *more)
        train(model, x, trainer, batch_size=BATCH)
        moved.append(weights(model))
    for alone, halved in zip(*moved, strict=True):
        assert np.abs(alone).max() > 0
        np.testing.assert_array_equal(halved, alone / 2)


@pytest.mark.parametrize("before", [(), (Halved(),)])
def test_the_noise_comes_first_or_not_at_all(before):
    trainer = private_trainer()
    trainer.transforms = (*before, *(trainer.transforms if before else ()))
    with pytest.raises(UsageError, match="as the first"):
        train(Linear(5), items(), trainer, batch_size=BATCH)
