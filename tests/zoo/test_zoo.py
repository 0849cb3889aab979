"""The measures and the page of the reference results."""

import numpy as np
import pytest

from tests.zoo import page
from tests.zoo.quality import frechet, nearest

RNG = np.random.default_rng(0)


class Features:
    """Stands for a classifier whose features are the pixels."""

    def features(self, items):
        return items


def test_the_distance_of_normal_distributions_is_the_known_one():
    """With the same spread it is the squared distance of the means; with other spreads, more."""
    real = RNG.standard_normal((20_000, 3))
    assert frechet(Features(), real, real) == pytest.approx(0, abs=1e-6)
    assert frechet(Features(), real + np.array([1, 0, 2]), real) == pytest.approx(5, abs=1e-6)
    assert frechet(Features(), 3 * real, real) == pytest.approx(3 * (3 - 1) ** 2, rel=0.05)


def test_the_nearest_is_found():
    known = RNG.uniform(0, 255, (500, 20)).astype("float32")
    some = known[[7, 300]] + np.float32(1.0)
    np.testing.assert_allclose(nearest(some, known), np.sqrt(20), rtol=1e-2)


def row(model, **changes):
    quality = {"classifier_accuracy": 0.99, "classes_covered": 10.0}
    plain = {
        "model": model,
        "data": "mnist",
        "backend": "torch",
        "preset": "default",
        "seed": 0,
        "steps": 7,
        "seconds": 90.0,
        "quality": quality,
        "machine": "a machine",
        "date": "2026-01-01",
    }
    return {**plain, **changes}


def test_a_row_measured_again_replaces_the_old_one_and_others_stay_in_order():
    rows = page.merge([row("dcgan"), row("vae")], row("vae", steps=9))
    assert [(r["model"], r["steps"]) for r in rows] == [("dcgan", 7), ("vae", 9)]
    rows = page.merge(rows, row("gan"))
    assert [r["model"] for r in rows] == ["gan", "dcgan", "vae"]
    rows = page.merge(rows, row("gan", backend="jax"))
    assert len(rows) == 4


def test_the_page_has_each_row_where_it_belongs():
    latents = {"classifier_accuracy": 0.99, "reconstruction_mse": 0.0123, "nll_100_nats": 98.7}
    text = page.render([row("dcgan"), row("vae", quality=latents)])
    training, samples, last = text.split("\n## ")[1:]
    assert "| dcgan | mnist | default | torch | 0 | 7 | 1.5 | M1, 2026-01-01 |" in training
    assert "99.00 %" in text
    assert "dcgan" in samples
    assert "dcgan" not in last
    assert "98.7" in last
    assert "0.0123" in last
