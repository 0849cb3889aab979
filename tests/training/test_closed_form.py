"""A model that is solved at once: in a run, and in memory."""

import numpy as np
import pytest

import genkit
from genkit.errors import UsageError

pytestmark = pytest.mark.usefixtures("active_backend")


@pytest.fixture
def mean_image():
    """Have the plugin with the closed-form model installed."""
    from genkit.builtin import plugin
    from genkit.plugins import registry
    from tests.training import closed_form_plugin

    with registry.using(registry.Registry([plugin, closed_form_plugin])):
        yield


@pytest.mark.slow
def test_a_closed_form_model_runs_loads_and_has_nothing_to_resume(train, mean_image):
    result = train("mean-image", config={})
    assert result.outcome.steps == 1
    assert result.run.metrics()[0]["variance"] > 1
    sample = genkit.load(result.path).generate(2, seed=1)
    assert sample.dtype == np.float32
    assert sample.mean() > 1
    assert genkit.resume(result.path, verbose=False).outcome.steps == 1
    assert len(result.run.metrics()) == 1
    with pytest.raises(UsageError, match="takes no callbacks"):
        train("mean-image", config={}, callbacks={"early-stopping": {}}, name="called")


def test_a_closed_form_model_fits_in_memory():
    from tests.training.closed_form_plugin import MeanImage

    images = np.full((8, 4, 4, 1), 7, "uint8")
    images[0] = 0
    from genkit.data import as_source

    model = MeanImage(None, as_source(images).schema)
    assert model.fit(images, verbose=False) is None
    assert model.generate(1).mean() == pytest.approx(7 * 7 / 8, abs=0.1)
