"""Diversity: how far apart samples are."""

import numpy as np
import pytest

from genkit.evaluation.metrics.diversity import Diversity
from tests.evaluation.shown import context, gaussians, measured


def diversity(generated, real):
    return measured(Diversity(context()), generated=generated, real=real)


def test_orthogonal_samples_are_the_square_root_of_two_apart():
    real = np.eye(200, dtype="float32")
    assert diversity(3 * real, real)["diversity"].value == pytest.approx(np.sqrt(2))


def test_data_is_as_diverse_as_itself():
    figure = diversity(gaussians(1, 600), gaussians(2, 600))["relative-diversity"]
    assert figure.value == pytest.approx(1, abs=0.02)
    assert figure.low < 1 < figure.high


def test_one_picture_over_and_over_has_none():
    found = diversity(np.repeat(gaussians(1, 1), 300, axis=0), gaussians(2, 300))
    assert found["diversity"].value == pytest.approx(0, abs=1e-4)
    assert found["relative-diversity"].high < 0.01


def test_black_pictures_have_a_figure():
    black = np.zeros((100, 8), "float32")
    assert diversity(black, gaussians(2, 100))["diversity"].value == 0
    assert "relative-diversity" not in diversity(black, black)


def test_order_does_not_matter():
    generated, real = gaussians(1, 300), gaussians(2, 300)
    first, second = diversity(generated, real), diversity(generated[::-1], real)
    assert first["diversity"].value == pytest.approx(second["diversity"].value, rel=1e-9)
