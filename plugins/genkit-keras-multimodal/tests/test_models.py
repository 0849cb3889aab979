"""The models: what is given counts and nothing else, bounds are bounds, what is missing is not."""

from types import MappingProxyType

import genkit_multimodal.modalities as kinds
import numpy as np
import pytest
from genkit_multimodal.models.translating import log_mean_exp
from scipy import stats
from scipy.special import logsumexp
from scipy.stats import norm
from small import MODELS, SCHEMA, array, items, model, tensors

import genkit
from genkit.data import ColumnSource
from genkit.errors import DataError, UsageError


@pytest.mark.parametrize("name", MODELS)
def test_what_is_not_given_changes_nothing(name):
    made = model(name)
    some, others = items(), items(seed=1)
    given = np.tile(np.array([1, 0, 1], "float32"), (6, 1))
    noise = made._noise(6, 3, 0)
    changed = {**some, "vector": others["vector"]}
    first, second = (
        made.map_items(
            "latent_of", **noise, given=given, **{f"item_{k}": v for k, v in each.items()}
        )
        for each in (some, changed)
    )
    np.testing.assert_array_equal(first, second)
    everything = np.ones_like(given)
    first, second = (
        made.map_items(
            "latent_of", **noise, given=everything, **{f"item_{k}": v for k, v in each.items()}
        )
        for each in (some, changed)
    )
    assert np.abs(first - second).max() > 1e-4


@pytest.mark.parametrize("name", MODELS)
def test_likelihoods_are_those_of_an_integral_from_whatever_posterior(name):
    made, some = model(name, latent_dim=1, scale=1.0, weight=["label=3"]), items(4)
    grid = np.linspace(-8, 8, 2001, dtype="float32")
    nodes = np.tile(grid[None, :, None], (4, 1, 1))
    inputs = made.inputs_of(tensors(some))
    nll = array(made.nlls(inputs, tensors(nodes)))[1:].sum(axis=0)  # of vector and label
    exact = logsumexp(norm.logpdf(grid) - nll, axis=1) + np.log(grid[1] - grid[0])
    for given in (("image", "vector", "label"), ("label",)):
        terms = made.bound_terms(some, of=["vector", "label"], given=given, samples=1500)
        np.testing.assert_allclose(log_mean_exp(sum(terms)), exact, atol=0.2)
        assert (sum(terms).mean(axis=1) < exact + 0.01).all(), "the bound of one sample"


@pytest.mark.parametrize("name", MODELS)
def test_answers_follow_from_seed_and_item(name):
    made, some = model(name), items(70)
    all_of_them = made.translate({"label": some["label"]}, n=2, seed=3)
    few = made.translate({"label": some["label"][:5]}, n=2, seed=3)
    assert list(few) == ["image", "vector"]
    assert few["image"].shape == (5, 2, 8, 8, 1)
    for field, answers in few.items():
        np.testing.assert_array_equal(answers, all_of_them[field][:5])
    other = made.translate({"label": some["label"][:5]}, n=2, seed=4)
    assert np.abs(other["image"] - few["image"]).max() > 0
    back = made.translate({"image": some["image"][:5]}, ["label", "image"])
    assert back["label"].dtype == np.int32
    assert list(back) == ["label", "image"]


def test_a_walk_begins_and_ends_where_it_is_said():
    made, some = model("mopoe"), items(3)
    first, second = {"image": some["image"]}, {"label": some["label"]}
    walk = made.between(first, second, 4, seed=2)
    assert {field: each.shape[:2] for field, each in walk.items()} == dict.fromkeys(
        SCHEMA.fields, (3, 4)
    )
    ends = made.translate(first, ["vector"], seed=2), made.translate(second, ["vector"], seed=2)
    np.testing.assert_allclose(walk["vector"][:, 0], ends[0]["vector"][:, 0], atol=1e-5)
    np.testing.assert_allclose(walk["vector"][:, -1], ends[1]["vector"][:, 0], atol=1e-5)


def test_importance_weights_make_the_bound_tighter():
    some = items(32)
    found = {}
    for samples in (1, 16):
        made = model("mmvae", samples=samples)
        batch = {**some, **made.training_noise(np.random.default_rng(0), 32), "kl_weight": 1.0}
        found[samples] = float(array(made.mean_bound(tensors(batch))[0]))
    assert found[16] < found[1]


def test_parts_that_are_missing_are_not_learned_from():
    fields = dict(SCHEMA.fields)
    fields["vector"] = genkit.Field((3,), "float32", "vector", (-1, 1), missing=True)
    schema = genkit.Schema(fields)
    some = items(8)
    mask = np.zeros((8, 3), bool)
    mask[:6] = True
    source = ColumnSource({**some, "vector": np.ma.MaskedArray(some["vector"], mask)}, schema)
    batch = source.gather(np.arange(8))
    for name in MODELS:
        made = model(name, schema)
        noise = made.training_noise(np.random.default_rng(0), 8)
        whole = {**batch, **noise, "kl_weight": 1.0}
        other = {"vector": np.where(mask, 0.5, batch["vector"]).astype("float32")}
        seen = {"vector_missing": np.zeros((8, 3), bool)}
        bounds = [
            float(array(made.mean_bound(tensors({**whole, **each}))[0]))
            for each in ({}, other, seen)
        ]
        assert bounds[0] == bounds[1] != bounds[2], name
    made.fit(source, steps=1, batch_size=8, verbose=False)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian", "laplace"])
def test_likelihoods_are_those_of_scipy(kind):
    field = genkit.Field((4,), "float32", "vector", (0, 1))
    config = MODELS["mvae"][1](likelihood=[f"it={kind}"], scale=0.3)
    part = kinds.Array("it", field, config)
    rng = np.random.default_rng(0)
    x, outputs = (
        rng.integers(0, 2, (5, 4)).astype("float32"),
        rng.normal(size=(5, 4)).astype("float32"),
    )
    each = {
        "bernoulli": lambda: stats.bernoulli.logpmf(
            x, 1 / (1 + np.exp(-outputs.astype("float64")))
        ),
        "gaussian": lambda: stats.norm.logpdf(x, outputs, 0.3),
        "laplace": lambda: stats.laplace.logpdf(x, outputs, 0.3),
    }[kind]()
    np.testing.assert_allclose(array(part.nll(*tensors(x, outputs))), -each.sum(axis=1), rtol=1e-4)


def test_a_class_costs_what_its_probability_says():
    field = SCHEMA["label"]
    part = kinds.Label("label", field, MODELS["mvae"][1]())
    logits = np.array([[1000.0, 0.0, 0.0], [0.0, 0.0, 0.0]], "float32")
    found = array(part.nll(part.to_network(tensors(np.array([1, 2], "int32"))), tensors(logits)))
    np.testing.assert_allclose(found, [1000, np.log(3)], rtol=1e-5)


def test_weights_are_given_or_by_size():
    assert model("mvae").likelihood_weights == {"image": 1, "vector": 1, "label": 1}
    rescaled = model("mvae", rescale=True, weight=["label=50"])
    assert rescaled.likelihood_weights == {"image": 1, "vector": 64 / 3, "label": 50}


def test_a_program_brings_its_own_modality():
    class Rounded(kinds.Array):
        def from_network(self, outputs):
            from keras import ops

            return ops.round(super().from_network(outputs))

    class Mine(MODELS["mopoe"][0]):
        kinds = MappingProxyType({**kinds.MODALITIES, "vector": Rounded})

    made = Mine(MODELS["mopoe"][1](latent_dim=2, width=4, hidden=8), SCHEMA)
    made.bind(SCHEMA)
    made.fit(items(16), steps=1, batch_size=8, verbose=False)
    vector = made.translate({"label": items()["label"]}, ["vector"])["vector"]
    np.testing.assert_array_equal(vector, np.round(vector))


@pytest.mark.parametrize(
    ("changes", "settings", "told", "error"),
    [
        ({"vector": None, "label": None}, {}, "two modalities or more", DataError),
        ({"vector": genkit.Field((None, 3), "float32", "vector")}, {}, "of one size", DataError),
        ({"label": genkit.Field((), "int32", "label")}, {}, "of known names", DataError),
        (
            {"image": genkit.Field((8, 8), "uint8", "image", (0, 255))},
            {},
            "height, width",
            DataError,
        ),
        ({}, {"weight": ["lable=3"]}, "settings of the fields", UsageError),
        ({}, {"likelihood": ["vector=poisson"]}, "KIND one of", Exception),
        ({}, {"weight": ["label=much"]}, "FIELD=NUMBER", Exception),
    ],
)
def test_what_does_not_fit_is_told(changes, settings, told, error):
    fields = {name: changes.get(name, field) for name, field in SCHEMA.fields.items()}
    schema = genkit.Schema({name: field for name, field in fields.items() if field})
    with pytest.raises(error, match=told):
        model("mvae", schema, **settings)


def test_subsets_of_many_fields_are_refused():
    fields = {f"v{number}": SCHEMA["vector"] for number in range(8)}
    with pytest.raises(DataError, match="at most 7 fields, which have 127 subsets; received 8"):
        model("mopoe", genkit.Schema(fields))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda m, s: m.translate({}), "as many items of each field"),
        (lambda m, s: m.translate({"sound": s["image"]}), "received 'sound'"),
        (lambda m, s: m.translate({"image": s["image"]}, ["sound"]), "received 'sound'"),
        (lambda m, s: m.translate(s), "not to be given"),
        (lambda m, s: m.translate({"image": s["image"][..., 0]}), r"Expected image of shape"),
        (lambda m, s: m.translate({"image": s["image"], "label": s["label"][:2]}), "as many items"),
        (lambda m, s: m.translate({"image": s["image"]}, n=0), "n of at least 1"),
        (lambda m, s: m.translate({"image": s["image"]}, seed=-1), "a seed of 0"),
        (
            lambda m, s: m.between({"image": s["image"]}, {"label": s["label"]}, 1),
            "2 steps or more",
        ),
    ],
)
def test_what_can_not_be_asked_is_told(call, told):
    with pytest.raises(UsageError, match=told):
        call(model("mvae"), items())
