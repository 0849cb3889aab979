"""Losses and penalties of GANs against the formulas they name."""

import keras
import numpy as np
import pytest
from keras import ops

from genkit.losses import ADVERSARIAL_LOSSES, gradient_penalty, zero_centred_penalty

pytestmark = [
    pytest.mark.usefixtures("active_backend"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

REAL = np.array([[2.0], [-0.5], [0.3]], "float32")
FAKE = np.array([[-1.0], [0.7], [3.0]], "float32")


def log_sigmoid(x):
    return -np.log1p(np.exp(-x.astype("float64")))


EXPECTED = {
    "minimax": (
        -np.mean(log_sigmoid(REAL)) - np.mean(log_sigmoid(-FAKE)),
        np.mean(log_sigmoid(-FAKE)),
    ),
    "non-saturating": (
        -np.mean(log_sigmoid(REAL)) - np.mean(log_sigmoid(-FAKE)),
        -np.mean(log_sigmoid(FAKE)),
    ),
    "least-squares": (
        np.mean((REAL - 1) ** 2) / 2 + np.mean(FAKE**2) / 2,
        np.mean((FAKE - 1) ** 2) / 2,
    ),
    "hinge": (
        np.mean(np.maximum(0, 1 - REAL)) + np.mean(np.maximum(0, 1 + FAKE)),
        -np.mean(FAKE),
    ),
    "wasserstein": (np.mean(FAKE) - np.mean(REAL), -np.mean(FAKE)),
    "relativistic": (-np.mean(log_sigmoid(REAL - FAKE)), -np.mean(log_sigmoid(FAKE - REAL))),
}


def of_generator(loss, real, fake):
    return loss.generator(real, fake) if loss.paired else loss.generator(fake)


def test_every_loss_is_checked_here():
    assert set(EXPECTED) == set(ADVERSARIAL_LOSSES)


@pytest.mark.parametrize("name", EXPECTED)
def test_losses_are_their_formulas(name):
    loss = ADVERSARIAL_LOSSES[name]
    real, fake = ops.convert_to_tensor(REAL), ops.convert_to_tensor(FAKE)
    found = float(loss.discriminator(real, fake)), float(of_generator(loss, real, fake))
    assert found == pytest.approx(EXPECTED[name], rel=1e-5)


@pytest.mark.parametrize("name", EXPECTED)
def test_losses_are_float32_whatever_the_scores_are(name):
    short = ops.cast(ops.convert_to_tensor(FAKE), "bfloat16")
    loss = ADVERSARIAL_LOSSES[name]
    for value in (loss.discriminator(short, short), of_generator(loss, short, short)):
        assert keras.backend.standardize_dtype(value.dtype) == "float32"


def number(scalar):
    return float(ops.convert_to_numpy(scalar))


def quadratic(x):
    """Score |x|^2 / 2 of each item, whose slope at x is x itself."""
    return ops.sum(ops.square(x), axis=(1, 2)) / 2


def test_the_gradient_penalty_wants_slopes_of_one_between_the_items():
    rng = np.random.default_rng(0)
    real, fake = (rng.normal(size=(5, 3, 2)).astype("float32") for _ in range(2))
    mix = rng.random((5, 1, 1), dtype="float32")
    between = mix * real + (1 - mix) * fake
    expected = np.mean((np.sqrt((between**2).sum(axis=(1, 2))) - 1) ** 2)
    found = gradient_penalty(quadratic, *map(ops.convert_to_tensor, (real, fake, mix)))
    assert number(found) == pytest.approx(expected, rel=1e-4)


def test_the_zero_centred_penalty_is_half_the_squared_slope():
    x = np.random.default_rng(0).normal(size=(5, 3, 2)).astype("float32")
    found = zero_centred_penalty(quadratic, ops.convert_to_tensor(x))
    assert number(found) == pytest.approx((x**2).sum(axis=(1, 2)).mean() / 2, rel=1e-4)


def test_a_flat_discriminator_has_a_finite_penalty():
    x = ops.zeros((4, 3, 2))
    assert number(gradient_penalty(quadratic, x, x, ops.zeros((4, 1, 1)))) == pytest.approx(
        1.0, abs=1e-5
    )
