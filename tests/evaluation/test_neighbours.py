"""Precision, recall, density and coverage: against prdc, and where the answer is plain."""

import numpy as np
import pytest

from genkit.evaluation import Context
from genkit.evaluation.metrics.neighbours import Neighbours
from genkit.plugins.specs import Field, Schema
from tests.evaluation.shown import context, digits, gaussians, measured, opened


def prdc(generated, real):
    figures = measured(Neighbours(context()), generated=generated, real=real)
    return {name: figure.value for name, figure in figures.items()}


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_agrees_with_the_package_prdc(scale):
    package = pytest.importorskip("prdc")
    generated, real = gaussians(1, 700, scale=scale), gaussians(2, 1100)
    theirs = package.compute_prdc(real_features=real, fake_features=generated, nearest_k=5)
    assert prdc(generated, real) == pytest.approx(theirs, abs=1e-3)


def test_real_against_real_is_near_one():
    images, _ = digits()
    image = Field((8, 8, 1), "float32", "image", (0, 1))
    settings = Context(Schema({"image": image}), opened("pixels", image))
    figures = measured(Neighbours(settings), generated=images[::2], real=images[1::2])
    assert all(figure.value > 0.9 for figure in figures.values()), figures
    itself = measured(Neighbours(settings), generated=images, real=images)
    assert all(itself[name].value == 1 for name in ("precision", "recall", "coverage"))


def test_far_away_samples_have_nothing():
    assert set(prdc(gaussians(1, 100, shift=50), gaussians(2, 100)).values()) == {0.0}


def test_one_mode_of_two_has_precision_without_recall():
    rng = np.random.default_rng(0)
    real = np.concatenate([gaussians(1, 300), gaussians(2, 300, shift=20)])
    found = prdc(gaussians(3, 600), rng.permutation(real))
    assert found["precision"] > 0.8
    assert found["coverage"] == pytest.approx(0.5, abs=0.05)
    assert found["recall"] < 0.55


def test_one_real_picture_over_and_over_covers_little():
    real = gaussians(1, 200)
    found = prdc(np.repeat(real[:1], 200, axis=0), real)
    assert found["precision"] == 1
    assert found["coverage"] < 0.2
    assert found["recall"] == 1 / 200


def test_neither_order_nor_batch_size_matter():
    generated, real = gaussians(1, 600), gaussians(2, 500)
    metric = Neighbours(context())
    again = measured(metric, size=100, generated=generated[::-1], real=real)
    assert {name: f.value for name, f in again.items()} == pytest.approx(prdc(generated, real))
