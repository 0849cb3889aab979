"""Coherence and bounds, of a run that has learned something and of what a judge sees."""

import numpy as np
import pytest
from genkit_multimodal.judges.bounds import Bounds
from genkit_multimodal.judges.classifier import key_of
from genkit_multimodal.judges.coherence import Coherence
from small import SCHEMA, items, model

import genkit
from genkit.data import ArraySource
from genkit.evaluation import Batch, Context


@pytest.fixture(scope="module")
def figures(folder):
    found = genkit.evaluate(folder / "it", metrics=["coherence", "bounds"], n=256, verbose=False)
    return {figure.name: figure for figure in found}


def test_coherence_is_told_beside_what_its_judges_know(figures):
    values = {name: figure.value for name, figure in figures.items()}
    assert values["judge (image)"] > 0.85
    assert values["judge (label)"] == 1
    assert values["coherence (label from image)"] > 0.6
    assert values["coherence (image from label)"] > 0.5
    assert 0.2 < values["joint-coherence"] < 1
    pairs = values["coherence (label from image)"], values["coherence (image from label)"]
    assert values["cross-coherence (1 given)"] == pytest.approx(np.mean(pairs))
    assert figures["joint-coherence"].card["items"] == 256


def test_bounds_stand_in_their_order(figures):
    values = {name: figure.value for name, figure in figures.items()}
    assert -values["elbo"] > values["nll (K=50)"] > values["nll (image, K=50)"] > 0
    assert values["nll (label given the others, K=50)"] < values["nll (label, K=50)"] + 0.5
    assert values["nll (label alone, K=50)"] == pytest.approx(np.log(10), abs=0.4)


def test_fields_that_disagree_are_not_coherent():
    source = ArraySource(items(60), SCHEMA)
    made = model("mvae")
    made.capabilities, made.output_fields = ("generate", "translate"), tuple(SCHEMA.fields)
    context = Context(
        SCHEMA, model=made, training=source, real=source, output_fields=("label", "vector")
    )
    metric = Coherence(context)
    metric.__dict__["judges"] = {
        "label": np.asarray,
        "vector": lambda rows: rows[:, 0].astype("int32"),
    }
    label = np.array([0, 1, 2, 0])
    rows = np.array([[0.0], [1.0], [0.0], [0.0]])
    metric.update("generated", Batch(label, fields={"label": label, "vector": rows}))
    assert np.concatenate(metric.agreed).tolist() == [True, True, False, True]


def test_what_can_not_be_judged_says_why():
    from genkit.testing.fakes import toy_schema

    schema = toy_schema(("image",))
    assert "no fields from others" in Coherence.unfit(Context(schema))
    assert "no latent of several fields" in Bounds.unfit(Context(schema))
    made = model("mvae")
    made.capabilities = ("translate",)
    context = Context(SCHEMA, model=made, no_training="it is gone")
    assert Coherence.unfit(context) == "it is gone"
    assert key_of(SCHEMA) == "label"
    assert (
        key_of(genkit.open_dataset("paired", {"sets": "digits label"}, unseen=True).schema)
        == "label"
    )
    assert key_of(schema) is None
