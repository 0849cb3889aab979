"""Text and sound are measured by the same figures as pictures, in features of their own."""

import numpy as np
import pytest

import genkit
from genkit.errors import UsageError
from genkit.evaluation import Context, real_store
from genkit.evaluation.extractors import open_extractor, usual_extractors
from genkit.evaluation.held_out import shared_items
from genkit.evaluation.kept_items import KeptItems
from genkit.evaluation.metrics.frechet import FrechetDistance
from genkit.evaluation.metrics.memorisation import Memorisation
from genkit.evaluation.metrics.neighbours import Neighbours
from genkit.evaluation.streams import batches_of
from genkit.plugins.registry import installed
from genkit.runs.inputs import open_entry
from genkit.testing import checks_for
from tests.toys.features import Letters

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")

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
    assert shared_items(training, training, [field]) == 1
    assert shared_items(training, held_out, [field]) < 0.05


def test_an_extractor_is_taken_where_it_is_the_only_one_of_the_modality():
    assert [e.spec.name for e in usual_extractors("audio", installed())] == ["bands"]
    assert [e.spec.name for e in usual_extractors("image", installed())] == ["pixels"]
    assert usual_extractors("smell", installed()) == []


def test_an_extractor_of_another_modality_is_refused():
    source = opened("beeps")
    with pytest.raises(UsageError, match="letters takes text; the items are audio"):
        open_extractor("letters", source.schema, "sound")


@pytest.fixture(scope="module")
def written(tmp_path_factory, active_backend):
    """A run of the model that writes sayings."""
    config = {"layers": 1, "heads": 2, "width": 16, "context": 16}
    folder = tmp_path_factory.mktemp("runs")
    return genkit.train(
        "writer", steps=20, config=config, runs_dir=folder, backend=active_backend, verbose=False
    ).path


@pytest.mark.slow
def test_a_run_of_text_is_evaluated_and_its_figures_say_whose_features_they_are(
    written, tmp_path, monkeypatch
):
    monkeypatch.setattr(real_store, "_cache_folder", lambda: tmp_path / "real")
    measured = genkit.evaluate(written, n=100, verbose=False)
    names = {figure.name for figure in measured}
    wanted = ("frechet", "kernel-distance", "precision", "recall", "coverage", "diversity")
    assert {f"{name} (letters)" for name in (*wanted, "memorisation", "copies")} <= names
    assert not {"fid", "kid", "path-smoothness"} & names
    assert measured[0].card["extractor"] == "letters"
    assert "pixels" not in measured[0].card

    # The real texts' features are kept, and the figures are the same to the bit.
    made, seen = Letters.features, []

    def watched(self, items):
        seen.extend(items)
        return made(self, items)

    monkeypatch.setattr(Letters, "features", watched)
    (written / "evaluation.json").unlink()
    assert genkit.evaluate(written, n=100, verbose=False) == measured
    assert len(seen) == 100
    assert all(isinstance(item, str) for item in seen)


@pytest.mark.slow
def test_texts_that_an_interrupted_evaluation_has_are_taken_again(written, monkeypatch):
    asked = {"metrics": ["fid"], "n": 40, "seed": 5, "verbose": False}
    whole = genkit.evaluate(written, **asked)
    (written / "evaluation.json").unlink()

    def interrupted(self):
        raise KeyboardInterrupt

    compute = FrechetDistance.compute
    monkeypatch.setattr(FrechetDistance, "compute", interrupted)
    with pytest.raises(KeyboardInterrupt):
        genkit.evaluate(written, **asked)
    monkeypatch.setattr(FrechetDistance, "compute", compute)
    monkeypatch.setattr(genkit.Model, "generate_items", None)
    assert genkit.evaluate(written, **asked) == whole


def test_kept_items_are_the_same_whatever_they_are(tmp_path):
    sounds = np.empty(3, object)
    for place, length in enumerate((2, 0, 5)):
        sounds[place] = np.arange(length, dtype="float32")
    items = {
        "sound": sounds,
        "text": np.array(["", "a\n", "\u00e9\0"], object),
        "age": np.ma.MaskedArray([2**60, 1, 2], [False, True, False]),
        "day": np.array(["2020-01-01", "NaT", "1990-05-05"], "datetime64[D]"),
    }
    kept = KeptItems(tmp_path / "evaluation" / "x", tuple(items))
    kept.keep(64, items)
    found = kept.read(64, 3)
    assert [item.tolist() for item in found["sound"]] == [item.tolist() for item in sounds]
    assert found["text"].tolist() == items["text"].tolist()
    assert found["age"].tolist() == [2**60, None, 2]
    np.testing.assert_array_equal(found["day"], items["day"])
    assert kept.read(64, 4) is None
    assert kept.read(0, 3) is None
    kept.keep(0, {**items, "text": np.array([{}, {}, {}], object)})
    assert kept.read(0, 3) is None
    kept.forget()
    assert not (tmp_path / "evaluation").exists()


def test_metrics_see_all_output_fields():
    cards = opened("postcards", limit=70)
    batches = list(batches_of(cards, "picture", None, ("picture", "caption")))
    assert [batch.begin for batch in batches] == [0, 64]
    assert batches[0].fields["picture"] is batches[0].items
    assert [len(batch.fields["caption"]) for batch in batches] == [64, 6]
    people = next(iter(batches_of(opened("people"), "age", None, ("age", "joined"))))
    assert isinstance(people.fields["age"], np.ma.MaskedArray)
