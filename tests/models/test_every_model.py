"""What must hold for every built-in model: it trains steadily, and generates as it is told to.

The conformance kit checks the rest: tests/testing/test_builtins.py.

The four that differ most are tried each time on JAX, two of them elsewhere; all of them everywhere
in `nox -s full`.
"""

import keras
import numpy as np
import pytest

import genkit
from genkit.builtin.model_specs import MODELS
from genkit.data import as_source
from genkit.errors import DataError, UsageError
from genkit.plugins.config import parse
from genkit.plugins.specs import resolve

pytestmark = [
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

STEPS = 200
SMALL = {
    "gan": {"hidden": 32},
    "vae": {"width": 8, "hidden": 32, "latent_dim": 4},
    "beta-vae": {"width": 8, "hidden": 32, "latent_dim": 4},
    "cvae": {"width": 8, "hidden": 32, "latent_dim": 4},
    "latent-flow": {"width": 8, "hidden": 32, "latent_dim": 4, "prior_width": 32},
    "vq-vae": {"width": 8, "codebook_size": 16, "latent_dim": 4, "prior_width": 32},
    "flow-matching": {"width": 8, "blocks": 1, "sampling_steps": 5},
    "ddpm": {"width": 8, "blocks": 1, "sampling_steps": 5},
}
# Losses that fall as the model learns; those of two players only have to stay within bounds.
FALLING = {
    "vae": ["loss", "reconstruction_loss"],
    "beta-vae": ["loss"],
    "cvae": ["loss", "reconstruction_loss"],
    "latent-flow": ["loss", "reconstruction_loss", "prior_loss"],
    "vq-vae": ["loss", "reconstruction_loss", "prior_loss"],
    "flow-matching": ["loss"],
    "ddpm": ["loss"],
}
DIFFERENT = {"wgan-gp", "vae"}
if keras.config.backend() == "jax":
    DIFFERENT |= {"vq-vae", "flow-matching"}
BY_NAME = {spec.name: spec for spec in MODELS}
BY_LABEL = [name for name, spec in BY_NAME.items() if "label" in spec.accepts]


def models(different, names=tuple(BY_NAME)):
    """Return the parameters for all models; those beside the different ones are for full runs."""
    return [
        name if name in different else pytest.param(name, marks=pytest.mark.full) for name in names
    ]


def build(name, schema, **changes):
    spec = BY_NAME[name]
    settings = {**SMALL.get(name, {"width": 8, "learning_rate": 1e-3}), **changes}
    model = resolve(spec.model)(parse(resolve(spec.config), settings, f"model {name}"), schema)
    model.bind(schema, spec=spec)
    return model


@pytest.fixture(scope="module")
def digits():
    from genkit.builtin.datasets.digits import DigitsConfig, open_digits

    return open_digits(DigitsConfig(split="all"))


class Losses(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.rows = []

    def on_train_batch_end(self, batch, logs=None):
        self.rows.append({k: float(v) for k, v in logs.items()})

    def column(self, name):
        return np.array([row[name] for row in self.rows])


@pytest.mark.slow
@pytest.mark.parametrize("name", models(DIFFERENT))
def test_two_hundred_steps_are_stable_and_generation_is_as_it_is_told(name, digits):
    model, losses = build(name, digits.schema), Losses()
    untrained = model.generate(4, seed=1)
    model.fit(digits, steps=STEPS, batch_size=64, callbacks=[losses], verbose=False)
    for key in losses.rows[0]:
        column = losses.column(key)
        assert len(column) == STEPS
        assert np.isfinite(column).all(), key
        assert np.abs(column).max() < 1e3, key
        assert column.std() > 0, key
    for key in FALLING.get(name, ()):
        column = losses.column(key)
        assert column[-20:].mean() < 0.9 * column[:5].mean(), key

    many = model.generate(70, seed=1)
    assert many.shape == (70, 8, 8, 1)
    assert many.dtype == np.float32
    assert (many >= 0).all()
    assert (many <= 16).all()
    np.testing.assert_array_equal(model.generate(10, seed=1), many[:10])
    assert not np.array_equal(model.generate(10, seed=2), many[:10])
    assert np.abs(many[:4] - untrained).max() > 0.1
    assert len(np.unique(many.round(3).reshape(70, -1), axis=0)) > 35
    check_labels(model)


def check_labels(model):
    if not model.conditional:
        with pytest.raises(UsageError, match="takes no label"):
            model.generate(2, label=1)
        return
    turns = model.generate(13, seed=1)
    np.testing.assert_array_equal(model.generate(13, seed=1, label=[*range(10), 0, 1, 2]), turns)
    sevens = model.generate(13, seed=1, label="7")
    np.testing.assert_array_equal(sevens[7], turns[7])
    assert not np.array_equal(sevens[0], turns[0])
    for wrong in (10, -1, "ten", [1, 2]):
        with pytest.raises(UsageError, match="Expected one"):
            model.generate(13, label=wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", models({"cgan", "cvae"}, BY_LABEL))
def test_a_conditional_model_takes_labels_of_any_data_set(name):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 12, 8, 3), dtype=np.uint8)
    label = genkit.Field((), "int32", "label", classes=("cat", "dog", "owl"))
    image = genkit.Field((12, 8, 3), "uint8", "image", (0, 255))
    from genkit.data.source import ArraySource

    schema = genkit.Schema({"animal": label, "picture": image})
    source = ArraySource({"animal": rng.integers(0, 3, 30, np.int32), "picture": images}, schema)
    model = build(name, schema)
    model.fit(source, steps=2, batch_size=10, verbose=False)
    assert model.generate(4, label="owl").shape == (4, 12, 8, 3)


@pytest.mark.parametrize("name", BY_LABEL)
def test_data_without_classes_is_refused(name):
    schema = as_source(np.arange(128, dtype=np.uint8).reshape(2, 8, 8, 1)).schema
    with pytest.raises(DataError, match="'label'"):
        build(name, schema)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_model_has_a_reference_preset_a_docstring_and_its_papers(name):
    spec = BY_NAME[name]
    assert set(spec.presets) >= {"default", "reference"}
    assert resolve(spec.model).__doc__
    assert spec.references
