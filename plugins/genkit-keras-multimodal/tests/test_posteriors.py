"""Products and mixtures of normals, against what is known of them."""

import numpy as np
import pytest
from genkit_multimodal.posteriors import (
    Mixture,
    kl_between,
    mixture_of_products,
    product,
    single,
    subsets_of,
)
from scipy import stats
from small import array, tensors


def experts(count=3, batch=4, latent_dim=2, seed=0):
    rng = np.random.default_rng(seed)
    shape = (count, batch, latent_dim)
    return rng.normal(size=shape).astype("float32"), rng.normal(size=shape).astype("float32")


def test_a_product_adds_precisions_of_what_is_given():
    mean, log_variance = experts()
    given = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0]], "float32")
    found = [array(x) for x in product(*tensors(mean, log_variance, given), prior=True)]
    precision = np.exp(-log_variance) * given[..., None]
    total = precision.sum(0) + 1
    np.testing.assert_allclose(found[0], (precision * mean).sum(0) / total, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[1], -np.log(total), rtol=1e-4, atol=1e-6)
    without = [array(x) for x in product(*tensors(mean, log_variance, given), prior=False)]
    np.testing.assert_allclose(without[0][1], mean[0, 1], rtol=1e-5)
    np.testing.assert_allclose(without[1][1], log_variance[0, 1], rtol=1e-5)
    np.testing.assert_allclose([without[0][3], without[1][3]], 0, atol=1e-6)  # the prior alone


def test_a_very_sure_expert_overflows_nothing():
    mean = np.array([[[1.0]], [[5.0]]], "float32")
    log_variance = np.array([[[-200.0]], [[-199.0]]], "float32")
    found = product(*tensors(mean, log_variance, np.ones((2, 1), "float32")), prior=True)
    weight = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(array(found[0]), weight + 5 * (1 - weight), rtol=1e-5)
    assert np.isfinite(array(found[1])).all()


def test_subsets_are_all_and_the_small_ones_come_first():
    assert subsets_of(3).tolist() == [
        [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1],
    ]  # fmt: skip
    assert subsets_of(4, 2, 3).sum(axis=1).tolist() == [2] * 6 + [3] * 4


def test_a_mixture_counts_the_components_that_are_complete():
    mean, log_variance = experts()
    given = np.array([[1, 1, 0, 1], [1, 0, 1, 1], [1, 0, 0, 0]], "float32")
    mixture = mixture_of_products(*tensors(mean, log_variance, given), subsets_of(3))
    weight = array(mixture.weight)
    np.testing.assert_allclose(weight.sum(axis=0), 1, rtol=1e-6)
    assert (weight > 0).sum(axis=0).tolist() == [7, 1, 1, 3]
    np.testing.assert_allclose(array(mixture.mean)[0], mean[0] * (given[0, :, None] > 0), rtol=1e-5)


def test_a_mixture_has_the_density_of_scipys_normals():
    mean, log_variance = experts()
    given = np.ones((3, 4), "float32")
    mixture = mixture_of_products(*tensors(mean, log_variance, given), subsets_of(3, 1, 1))
    z = np.random.default_rng(1).normal(size=(4, 5, 2)).astype("float32")
    each = stats.norm.pdf(z, mean[:, :, None], np.exp(log_variance / 2)[:, :, None]).prod(-1)
    np.testing.assert_allclose(
        array(mixture.log_density(tensors(z))), np.log(each.mean(0)), rtol=1e-4
    )


def test_draws_are_from_each_component_as_often_as_its_weight():
    mean = np.array([[[-10.0]], [[0.0]], [[10.0]]], "float32")
    weight = np.array([[0.25], [0.0], [0.75]], "float32")
    mixture = Mixture(*tensors(mean, np.zeros_like(mean), weight))
    rng = np.random.default_rng(0)
    choice = rng.random((1, 4000), dtype="float32")
    noise = rng.standard_normal((1, 4000, 1), dtype="float32")
    z = array(mixture.draw(*tensors(choice, noise)))[0, :, 0]
    assert np.mean(z < -5) == pytest.approx(0.25, abs=0.02)
    assert np.mean(np.abs(z) < 5) == 0
    np.testing.assert_allclose(z[z > 5].std(), 1, atol=0.05)


def test_divergences_are_those_of_the_closed_form():
    mean, log_variance = (each[0] for each in experts())
    zeros = np.zeros_like(mean)
    to_prior = array(kl_between(*tensors(mean, log_variance, zeros, zeros)))
    alone = single(*tensors(mean, log_variance))
    np.testing.assert_allclose(array(alone.kl_to_prior()), to_prior, rtol=1e-5)
    scale = np.exp(log_variance / 2)
    z = np.random.default_rng(2).normal(size=(200_000, *mean.shape)) * scale + mean
    drawn = stats.norm.logpdf(z, mean, scale) - stats.norm.logpdf(z)
    np.testing.assert_allclose(to_prior, drawn.sum(-1).mean(0), atol=0.05)
    same = tensors(mean, log_variance, mean, log_variance)
    assert np.abs(array(kl_between(*same))).max() < 1e-6
