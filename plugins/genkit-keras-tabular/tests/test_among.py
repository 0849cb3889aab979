"""Places are drawn by their weights, and never one that has none."""

import numpy as np
import pytest
from genkit_tabular.models.among import among, sums_along
from keras import ops


def drawn(weights, uniform):
    rows = np.repeat(np.asarray(weights, np.float32)[None], len(uniform), 0)
    return ops.convert_to_numpy(among(ops.convert_to_tensor(rows), ops.convert_to_tensor(uniform)))


@pytest.mark.parametrize("places", [1, 2, 32, 33, 119, 1000])
def test_places_come_as_often_as_their_weights_say(places):
    weights = np.random.default_rng(0).gamma(0.3, size=places).astype(np.float32)
    uniform = ((np.arange(20_000) + 0.5) / 20_000).astype(np.float32)
    found = np.bincount(drawn(weights, uniform), minlength=places) / len(uniform)
    np.testing.assert_allclose(found, weights / weights.sum(), atol=2e-4)


@pytest.mark.parametrize("places", [5, 119, 1000])
def test_a_place_without_weight_is_never_drawn_whatever_rounding_does(places):
    rng = np.random.default_rng(0)
    weights = np.where(rng.random(places) < 0.8, 0, rng.gamma(0.1, size=places)) * 1e-20
    weights[2] = 1e-3
    ends = np.array([0, np.nextafter(np.float32(1), np.float32(0))], np.float32)
    uniform = np.concatenate([ends, rng.random(5000, np.float32)])
    assert (weights[drawn(weights, uniform)] > 0).all()


@pytest.mark.parametrize("places", [7, 100, 3000])
def test_sums_are_those_up_to_each_place(places):
    weights = np.random.default_rng(0).random((3, places), np.float32)
    sums = ops.convert_to_numpy(sums_along(ops.convert_to_tensor(weights)))
    np.testing.assert_allclose(sums, np.cumsum(weights, 1), rtol=1e-5)
