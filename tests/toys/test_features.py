"""Text and sound are measured by the same figures as pictures, in features of their own."""

import numpy as np
import pytest

from genkit.errors import UsageError
from genkit.evaluation import Context
from genkit.evaluation.extractors import open_extractor, usual_extractors
from genkit.evaluation.held_out import shared_items
from genkit.evaluation.metrics.frechet import FrechetDistance
from genkit.evaluation.metrics.memorisation import Memorisation
from genkit.evaluation.metrics.neighbours import Neighbours
from genkit.evaluation.streams import batches_of
from genkit.plugins.registry import installed
from genkit.runs.inputs import open_entry
from genkit.testing import checks_for

pytestmark = pytest.mark.usefixtures("active_backend")

FIELDS = {"sayings": ("text", "letters"), "beeps": ("sound", "bands")}


def opened(name, **settings):
    return open_entry(installed().find("datasets", name), settings)


def context_of(name, **more):
    field, extractor = FIELDS[name]
    source = opened(name)
    made = open_extractor(extractor, source.schema, field, source.assets)
    return Context(source.schema, made, output_fields=(field,), assets=source.assets, **more)


def figures(metric, name, **streams):
    for stream, source in streams.items():
        for batch in batches_of(source, FIELDS[name][0], metric.context.extractor):
            metric.update(stream, batch)
    return {figure.name: figure for figure in metric.compute()}


@pytest.mark.parametrize("name", ["letters", "bands"])
def test_the_kit_finds_nothing_wrong(name):
    outcomes = [check.run() for check in checks_for(name)]
    assert [o for o in outcomes if o.outcome != "passed"] == []
    assert len(outcomes) == 6


@pytest.mark.parametrize("name", FIELDS)
def test_items_of_varying_length_have_a_distance_and_precision_and_recall(name):
    features = FIELDS[name][1]
    held_out, training = opened(name, split="test"), opened(name)
    near = figures(FrechetDistance(context_of(name)), name, generated=training, real=held_out)
    distance = near[f"frechet ({features})"]
    assert distance.low <= distance.value <= distance.high
    found = figures(Neighbours(context_of(name)), name, generated=training, real=held_out)
    assert found.keys() == {
        f"{n} ({features})" for n in ("precision", "recall", "coverage", "density")
    }
    assert found[f"precision ({features})"].value > 0.7

    class Worse(type(held_out)):
        def gather(self, indices):
            batch = super().gather(indices)
            rows = batch[FIELDS[name][0]]
            return {**batch, FIELDS[name][0]: np.zeros_like(rows)}

    worse = opened(name)
    worse.__class__ = Worse
    far = figures(FrechetDistance(context_of(name)), name, generated=worse, real=held_out)
    assert far[f"frechet ({features})"].value > 10 * distance.value


@pytest.mark.parametrize("name", FIELDS)
def test_copies_are_told_in_the_extractors_view(name):
    held_out, training = opened(name, split="test"), opened(name)
    context = context_of(name, training=training, real=held_out)
    assert Memorisation.unfit(context) == ""
    metric = Memorisation(context)
    found = figures(metric, name, generated=training, real=held_out, training=training)
    field, features = FIELDS[name]
    copies = found[f"copies ({features})"]
    assert copies.value == len(training)
    assert copies.card["space"] == context.extractor.space
    assert shared_items(training, training, field) == 1
    assert shared_items(training, held_out, field) < 0.05


def test_an_extractor_is_taken_where_it_is_the_only_one_of_the_modality():
    assert [e.spec.name for e in usual_extractors("audio", installed())] == ["bands"]
    assert [e.spec.name for e in usual_extractors("image", installed())] == ["pixels"]
    assert usual_extractors("smell", installed()) == []


def test_an_extractor_of_another_modality_is_refused():
    source = opened("beeps")
    with pytest.raises(UsageError, match="letters takes text; the items are audio"):
        open_extractor("letters", source.schema, "sound")
