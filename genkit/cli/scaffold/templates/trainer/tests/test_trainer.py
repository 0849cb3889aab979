"""What GenKit can't know: that gradients are what the paper says."""

import genkit
import numpy as np
import pytest
from genkit.testing.fakes import toy_source
from keras import ops

from genkit_myplugin.settings import AdaptiveClippingConfig
from genkit_myplugin.trainer import AdaptiveClipping


@pytest.mark.parametrize(
    ("gradient", "weight", "expected"),
    [
        ([3.0, 4.0], [6.0, 8.0], [0.6, 0.8]),  # 5 long, may be 1
        ([0.3, 0.4], [6.0, 8.0], [0.3, 0.4]),  # short enough
        ([3.0, 4.0], [0.0, 0.0], [0.006, 0.008]),  # weights of 0 count as 0.1
        ([0.0, 0.0], [6.0, 8.0], [0.0, 0.0]),
    ],
)
def test_a_gradient_is_at_most_a_share_of_its_weights(gradient, weight, expected):
    """With a share of 0.1, and at least 0.1 for the weights."""
    trainer = AdaptiveClipping(AdaptiveClippingConfig(share=0.1, least=0.1))
    clipped = trainer.clipped(ops.convert_to_tensor(gradient), ops.convert_to_tensor(weight))
    np.testing.assert_allclose(ops.convert_to_numpy(clipped), expected, rtol=1e-6)


def test_a_model_trains_with_it(tmp_path):
    """Losses fall, in a run of the command line's kind."""
    images = tmp_path / "images.npz"
    np.savez(images, image=toy_source().arrays["image"])
    result = genkit.train(
        "vae",
        dataset="npz",
        data={"path": str(images)},
        trainer="myplugin",
        config={"width": 4, "latent_dim": 2},
        batch_size=16,
        steps=30,
        runs_dir=tmp_path,
        verbose=False,
    )
    losses = [row["loss"] for row in result.run.metrics()]
    assert losses[-1] < losses[0]
