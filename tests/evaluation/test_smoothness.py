"""Path smoothness: on generators whose path lengths are known, and on real models."""

import numpy as np
import pytest

from genkit.evaluation.metrics.smoothness import PathSmoothness, slerp
from genkit.plugins.specs import Field, Schema
from tests.evaluation.shown import context, opened


class Linear:
    """Decodes a latent to a multiple of itself, with a jump where asked."""

    capabilities = ("generate",)
    conditional = False

    def __init__(self, scale=1.0, jump=0.0, shape=(4,)):
        self.scale, self.jump, self.shape = scale, jump, shape

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, *self.shape), dtype="float32")}

    def map_items(self, method, z):
        assert method == "decode"
        return self.scale * z + self.jump * (z > 0)


def smoothness(model, extractor=None, schema=None):
    metric = PathSmoothness(context(schema, extractor, model=model))
    (figure,) = metric.compute()
    return figure


def test_twice_the_change_is_four_times_the_figure():
    once, twice = smoothness(Linear()), smoothness(Linear(2.0))
    assert twice.value == pytest.approx(4 * once.value, rel=1e-4)
    assert once.low < once.value < once.high


def test_jumps_make_a_rougher_path():
    assert smoothness(Linear(jump=1.0)).low > 3 * smoothness(Linear()).high


def test_figure_is_the_squared_speed_along_the_arc():
    rng = np.random.default_rng(0)
    first, second = rng.standard_normal((2, 100_000, 4))
    middle = slerp(first, second, np.full((100_000, 1), 0.5))
    later = slerp(first, second, np.full((100_000, 1), 0.501))
    speed = np.square((later.astype(float) - middle) / 0.001).sum(axis=1).mean()
    assert smoothness(Linear()).value == pytest.approx(speed, rel=0.15)


def test_arc_begins_and_ends_at_the_latents_and_keeps_their_length():
    first, second = np.array([[3.0, 0]]), np.array([[0, 3.0]])
    ends = [slerp(first, second, np.array([[t]])) for t in (0.0, 0.5, 1.0)]
    assert np.allclose(ends[0], first)
    assert np.allclose(ends[2], second)
    assert np.linalg.norm(ends[1]) == pytest.approx(3)
    assert np.allclose(slerp(first, first, np.array([[0.3]])), first)


def test_models_without_one_latent_vector_are_unfit():
    assert not PathSmoothness.unfit(context(model=Linear()))
    assert "one latent vector" in PathSmoothness.unfit(context(model=Linear(shape=(8, 8, 1))))
    assert "generates" in PathSmoothness.unfit(context())


@pytest.mark.slow
@pytest.mark.usefixtures("active_backend")
def test_a_real_model_has_a_figure():
    from genkit.builtin.models.cvae import CVAE
    from genkit.builtin.models.vae_configs import VAEConfig

    fields = {
        "image": Field((8, 8, 1), "float32", "image", (0, 1)),
        "label": Field((), "int32", "label", classes=tuple("0123456789")),
    }
    schema = Schema(fields)
    model = CVAE(VAEConfig(width=4, hidden=8, latent_dim=3), schema)
    figure = smoothness(model, opened("pixels", fields["image"]), schema)
    assert 0 <= figure.low <= figure.value <= figure.high
