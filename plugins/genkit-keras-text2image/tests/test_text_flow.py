"""The second design: latents by a flow, in two stages."""

import keras
import numpy as np
import pytest
from genkit_text2image.configs import TextFlowConfig
from genkit_text2image.text_flow import TextFlow
from keras import ops
from small import bound, shapes

SMALL = {
    "first_stage": 120,
    "picture_learning_rate": 1e-2,
    "kl_weight": 1e-3,
    "latent_dim": 8,
    "halvings": 1,
    "picture_width": 8,
    "residual_blocks": 0,
    "word_dimension": 8,
    "width": 32,
    "blocks": 2,
    "sampling_steps": 5,
}


@pytest.fixture(scope="module")
def source():
    return shapes()


@pytest.fixture(scope="module")
def learned(source):
    keras.utils.set_random_seed(0)
    model = bound(TextFlow(TextFlowConfig(**SMALL), source.schema), source)
    history = model.fit(source, steps=280, batch_size=16, verbose=False).history
    return model, history


def test_both_stages_learn(learned, source):
    model, history = learned
    assert history["picture_error"][-1] < history["picture_error"][0] / 4
    pictures = source.gather(np.arange(64))["image"].astype("float32")
    error = np.square(model.reconstruct(pictures) - pictures).mean()
    assert error < 0.7 * pictures.var()
    assert history["flow_loss"][-1] < history["flow_loss"][0]


def test_latents_are_normalised_for_the_flow(learned, source):
    model, _ = learned
    pictures = source.gather(np.arange(64))["image"].astype("float32")
    mean, log_variance = map(ops.convert_to_numpy, model._posterior(pictures))
    noise = np.random.default_rng(0).standard_normal(mean.shape)
    latents = (mean + np.exp(log_variance / 2) * noise).astype("float32")
    normal = ops.convert_to_numpy(model._normal(ops.convert_to_tensor(latents)))
    assert np.abs(normal.mean(axis=0)).max() < 0.5
    assert 0.3 < normal.std(axis=0).mean() < 1.5
    back = ops.convert_to_numpy(model._own(ops.convert_to_tensor(normal)))
    np.testing.assert_allclose(back, latents, atol=1e-4)


def test_guidance_pushes_and_without_it_prompts_are_alike(learned):
    model, _ = learned

    def made(prompt, guidance):
        return model.generate(4, given={"prompt": prompt}, guidance=guidance)

    assert np.abs(made("red circle", 4.0) - made("blue square", 4.0)).max() > 0.5
    np.testing.assert_allclose(made("red circle", 0.0), made("blue square", 0.0), atol=1e-2)
    more = model.generate(4, given={"prompt": "red circle"}, sampling_steps=20)
    assert np.abs(more - made("red circle", 2.0)).max() > 0
