"""An evaluation: what metrics are shown, what figures say, and what is kept."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import genkit
from genkit.data import with_vocabulary
from genkit.errors import RunError, UsageError
from genkit.evaluation import check_comparable
from genkit.evaluation.inputs import check_alike
from genkit.evaluation.results import results
from genkit.plugins.registry import Plugin, Registry, using
from tests.docs.documents import SAMPLES
from tests.evaluation import small_metrics

pytestmark = pytest.mark.usefixtures("compiled_fast")

SMALL = {"metrics": ["brightness", "distance"], "n": 100, "verbose": False}


class SmallMetrics(Registry):
    """What is installed, with small metrics in the place of the slow built-in ones."""

    only = None  # the names of those metrics that are left, if not all

    def entries(self, kind):
        found = super().entries(kind)
        if kind != "metrics":
            return found
        small = [each for each in found if each.distribution == "small"]
        return [each for each in small if self.only is None or each.spec.name in self.only]


@pytest.fixture(autouse=True)
def registry():
    registry = SmallMetrics()
    registry.add(small_metrics, Plugin("small", "small", "1.0"))
    small_metrics.shown.clear()
    with using(registry):
        yield registry


@pytest.fixture(scope="module")
def trained(tmp_path_factory, active_backend):
    def train(model, **settings):
        return genkit.train(
            model,
            **{"dataset": "digits", "steps": 2, "config": {"width": 4}, "verbose": False}
            | {"backend": active_backend, "runs_dir": tmp_path_factory.mktemp("runs")}
            | settings,
        ).path

    return train


@pytest.fixture(scope="module")
def original(trained):
    return trained("vae")


@pytest.fixture
def run(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


def test_all_metrics_that_fit_are_taken_and_the_others_named(run, capsys):
    figures = genkit.evaluate(run, n=100)
    assert [f.name for f in figures] == ["brightness", "distance-to-real", "distance-to-training"]
    told = capsys.readouterr().err
    assert "Features: pixels; others with: genkit evaluate --extractor NAME" in told
    assert "Left out: unfit: it wants more than Pixels." in told
    assert "faulty is left out, it failed: of its own" in told
    assert "computing brightness ..." in told.splitlines()  # at once: it may take minutes


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("unfit", UsageError, "it wants more than Pixels"),
        ("of-text", UsageError, "measures text; the model generates image"),
        ("brightnes", UsageError, "Did you mean 'brightness'"),
        ("faulty", ZeroDivisionError, "of its own"),
    ],
)
def test_what_was_asked_for_by_name_and_cannot_be_is_an_error(run, name, error, said):
    with pytest.raises(error, match=said):
        genkit.evaluate(run, metrics=["brightness", name], n=100, verbose=False)


def test_the_card_says_how_a_figure_was_made(run):
    brightness, to_real, _ = genkit.evaluate(run, **SMALL)
    of_real = {"against": "digits", "split": "test", "n_real": 297}
    wanted = {
        "metric": "small/brightness 1.0",
        "n_generated": 100,
        "seed": 1,
        "extractor": "pixels",
        "resize": "none",
        "interval": "t",
    }
    assert wanted.items() <= brightness.card.items()
    assert len(to_real.card["fingerprint"]) == len(brightness.card["extractor_hash"]) == 64
    assert not {"n_training", "fingerprint", *of_real} & brightness.card.keys()
    assert of_real.items() <= to_real.card.items()
    assert to_real.card["n_training"] == 1500
    json.dumps(to_real.to_dict())


def test_the_figures_are_right_and_the_same_twice(run):
    first = genkit.evaluate(run, **SMALL)
    (run / "evaluation.json").unlink()
    assert genkit.evaluate(run, **SMALL) == first
    samples = genkit.load(run).generate(100, seed=1)
    assert first[0].value == pytest.approx(samples.mean(), rel=1e-5)


def test_what_is_there_is_not_measured_again_and_what_is_missing_is(run):
    brightness, *_ = genkit.evaluate(run, **{**SMALL, "metrics": ["brightness"]})
    assert genkit.evaluate(run, **SMALL)[0] == brightness
    assert small_metrics.shown["brightness"] == 1
    genkit.evaluate(run, **{**SMALL, "seed": 2})
    assert small_metrics.shown["brightness"] == 2
    assert len(results(run)) == 6
    assert not (run / "evaluation").exists()


def test_figures_of_other_cards_are_not_compared(run):
    (one,) = genkit.evaluate(run, **{**SMALL, "metrics": ["brightness"]})
    (other,) = genkit.evaluate(run, **{**SMALL, "metrics": ["brightness"], "n": 64})
    with pytest.raises(UsageError, match="n_generated: 100 and 64"):
        check_comparable(one, other)
    check_comparable(one, one)


@pytest.mark.slow
def test_two_models_measured_alike_are_compared(run, trained):
    other = trained("vae", seed=5, config={"width": 8})
    for one, two in zip(
        genkit.evaluate(run, **SMALL), genkit.evaluate(other, **SMALL), strict=True
    ):
        assert one.value != two.value
        check_comparable(one, two)


def test_an_interrupted_evaluation_goes_on_with_the_items_that_it_has(run, monkeypatch):
    whole = genkit.evaluate(run, **SMALL)
    (run / "evaluation.json").unlink()
    update = small_metrics.Brightness.update
    seen = []

    def interrupted(self, stream, batch):
        if seen:
            raise KeyboardInterrupt
        seen.append(len(batch))
        update(self, stream, batch)

    monkeypatch.setattr(small_metrics.Brightness, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        genkit.evaluate(run, **SMALL)
    monkeypatch.setattr(small_metrics.Brightness, "update", update)
    assert len(list(run.glob("evaluation/*/*.npy"))) == 2

    model = type(genkit.load(run))
    monkeypatch.setattr(model, "generate_items", None)
    assert genkit.evaluate(run, **SMALL) == whole
    assert not (run / "evaluation").exists()


@pytest.mark.parametrize("content", [b"", b"torn", b"\x93NUMPY"])
def test_kept_items_that_are_damaged_are_generated_again(run, monkeypatch, content):
    whole = genkit.evaluate(run, **SMALL)
    (run / "evaluation.json").unlink()
    compute = small_metrics.Brightness.compute
    monkeypatch.setattr(small_metrics.Brightness, "compute", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        genkit.evaluate(run, **SMALL)
    monkeypatch.setattr(small_metrics.Brightness, "compute", compute)
    next(run.glob("evaluation/*/000000064.npy")).write_bytes(content)
    assert genkit.evaluate(run, **SMALL) == whole


def test_figures_of_older_weights_are_not_passed_off_as_new(run):
    genkit.evaluate(run, **SMALL)
    assert json.loads((run / "evaluation.json").read_text())["step"] == 2
    older = results(run)
    genkit.resume(run, 2, verbose=False)
    assert results(run) == []
    assert results(run, checkpoint=2) == older
    newer = genkit.evaluate(run, **SMALL)
    assert newer[0].value != older[0].value
    assert results(run) == newer


def test_a_damaged_file_of_figures_is_told(run):
    assert results(run) == []
    for content in ("{", '{"metrics": 3}', "[]"):
        (run / "evaluation.json").write_text(content)
        with pytest.raises(RunError):
            results(run)


@pytest.mark.slow
def test_a_conditional_model_is_asked_for_classes_as_often_as_the_data_has_them(trained, tmp_path):
    seven, three = np.zeros((150, 8, 8), "uint8"), np.ones((50, 8, 8), "uint8")
    labels = np.repeat([0, 1], [150, 50])
    data = tmp_path / "uneven.npz"
    np.savez(data, image=np.concatenate([seven, three]), label=labels)
    run = trained("cvae", dataset="npz", data={"path": str(data), "label": "label"})
    figures = genkit.evaluate(run, metrics=["brightness"], n=400, verbose=False)
    assert np.bincount(small_metrics.shown["labels"]).tolist() == [300, 100]
    assert "labels" not in figures[0].card


@pytest.mark.slow
def test_classes_take_turns_where_the_data_has_none(trained, tmp_path):
    data = tmp_path / "unlabelled.npz"
    np.savez(data, image=np.zeros((20, 8, 8), "uint8"))
    figures = genkit.evaluate(
        trained("cvae"),
        against="npz",
        data={"path": str(data), "range": "0,16"},
        metrics=["brightness"],
        n=70,
        verbose=False,
    )
    assert small_metrics.shown["labels"] == [i % 10 for i in range(70)]
    assert figures[0].card["labels"] == "the classes take turns"


def test_other_data_of_the_same_form_can_be_compared_with(run):
    mnist = {"against": "mnist", "data": {"limit": 70}}
    with pytest.raises(
        UsageError,
        match=r"with image as 8x8x1, uint8 from 0 to 16; received 28x28x1, .*--data transforms",
    ):
        genkit.evaluate(run, **SMALL, **mnist)
    *_, figure = genkit.evaluate(run, **SMALL, against="digits", data={"limit": 200})
    assert (figure.card["split"], figure.card["n_real"]) == ("test", 200)


def test_what_no_batch_holds_may_be_missing_from_other_data_unless_it_is_generated():
    image = genkit.Field((8, 8, 3), "uint8", "image", (0, 255))
    captioned = genkit.Schema({"image": image, "caption": genkit.Field((), "string", "text")})
    bare = genkit.Schema({"image": image})
    check_alike(captioned, bare, ("image",))
    with pytest.raises(UsageError, match="caption as one value, string; received none"):
        check_alike(captioned, bare, ("image", "caption"))


def test_data_whose_numbers_have_other_names_is_refused():
    bare = genkit.Field((None,), "int32", "interactions")
    ours, theirs = (
        genkit.Schema({"history": with_vocabulary("history", bare, names)[0]})
        for names in (("a", "b"), ("a", "c"))
    )
    named = r"any, int32 from 0 to 1, vocabulary [0-9a-f]{8}"
    with pytest.raises(UsageError, match=rf"history as {named}; received {named}\."):
        check_alike(ours, theirs, ())


def test_other_data_is_no_held_out_data(run, registry):
    digits = registry.find("datasets", "digits")
    other = replace(digits.spec, name="other-digits")
    others = SimpleNamespace(genkit_datasets=genkit.hookimpl(lambda: [other]))
    registry.add(others, Plugin("others", "others", "1.0"))
    with pytest.raises(UsageError, match="the reference is not the data set that the model was"):
        genkit.evaluate(run, **SMALL, against="other-digits")


@pytest.mark.parametrize("split", ["train", "all"])
def test_a_reference_that_was_trained_on_is_not_held_out(run, capsys, split):
    with pytest.raises(UsageError, match="shares .* of its items with the training data"):
        genkit.evaluate(run, **SMALL, split=split)
    figures = genkit.evaluate(run, n=100, split=split)
    assert [figure.name for figure in figures] == ["brightness"]
    assert "Left out: distance: the reference shares" in capsys.readouterr().err


def test_training_on_all_items_leaves_none_held_out(trained):
    with pytest.raises(UsageError, match="shares 100% of its items with the training data"):
        genkit.evaluate(trained("vae", data={"split": "all"}), **SMALL)


def test_the_choice_of_training_items_is_not_made_of_the_test_items(trained):
    limited = trained("vae", data={"limit": 150})
    *_, figure = genkit.evaluate(limited, **SMALL)
    assert (figure.card["n_training"], figure.card["n_real"]) == (150, 297)


def test_training_data_that_has_changed_is_not_looked_at(run, capsys):
    environment = json.loads((run / "environment.json").read_text())
    environment["data"]["fingerprint"] = "0" * 64
    (run / "environment.json").write_text(json.dumps(environment))
    figures = genkit.evaluate(run, n=100)
    assert [figure.name for figure in figures] == ["brightness"]
    told = capsys.readouterr().err
    assert "The data set digits is not what the run was trained on." in told
    assert "the training data has changed since training" in told


def test_an_exported_model_is_measured_against_a_named_data_set(run):
    model = run / "model"
    with pytest.raises(UsageError, match="--against DATASET"):
        genkit.evaluate(model, **SMALL)
    (figure,) = genkit.evaluate(
        model, metrics=["brightness"], n=100, against="digits", verbose=False
    )
    assert figure == genkit.evaluate(run, **SMALL)[0]
    with pytest.raises(UsageError, match="training data is not at hand"):
        genkit.evaluate(model, **SMALL, against="digits")


@pytest.mark.slow
def test_data_that_is_no_image_needs_no_extractor(trained, registry, monkeypatch):
    monkeypatch.syspath_prepend(str(SAMPLES / "plugin"))
    from genkit_rings import plugin

    registry.add(plugin, Plugin("rings", "rings", "1.0"))
    rings = trained("rings-gan", dataset="rings", config={})
    (figure,) = genkit.evaluate(rings, n=100, verbose=False)
    assert figure.name == "weights"
    assert not {"extractor", "n_generated"} & figure.card.keys()
    with pytest.raises(UsageError, match="The extractor pixels takes image; the items are vector"):
        genkit.evaluate(rings, n=100, extractor="pixels", verbose=False)


@pytest.mark.parametrize("metrics", [None, ["brightness"]])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_items_that_are_not_finite_are_an_error_of_the_model(run, monkeypatch, metrics, value):
    def spoilt(model, n, seed, label, **options):
        yield {"image": np.full((n, 8, 8, 1), value, "float32")}

    monkeypatch.setattr(type(genkit.load(run)), "generate_items", spoilt)
    with pytest.raises(RunError, match="Expected finite values from the model; it gave NaN"):
        genkit.evaluate(run, metrics=metrics, n=50, verbose=False)
    assert not (run / "evaluation").exists()


def test_no_figure_at_all_is_an_error(run, registry):
    registry.only = {"faulty"}
    with pytest.raises(RunError, match="No metric gave a figure"):
        genkit.evaluate(run, n=100, verbose=False)


@pytest.mark.parametrize("wrong", [{"n": 1}, {"seed": -1}, {"seed": 2**31}])
def test_numbers_out_of_range_are_refused(run, wrong):
    with pytest.raises(UsageError, match="Expected n of at least 2"):
        genkit.evaluate(run, **{**SMALL, **wrong})
