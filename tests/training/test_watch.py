"""Metrics that are measured while training goes on."""

import numpy as np
import pytest

import genkit
from genkit.errors import UsageError
from genkit.plugins.registry import Plugin, Registry, using
from genkit.runs import checkpoint_files
from tests.training import closed_form_plugin, validation_plugin, watch_plugin

pytestmark = pytest.mark.usefixtures("active_backend")


@pytest.fixture
def overfit(tmp_path, active_backend):
    """Train a model whose weight after n steps is n."""
    registry = Registry()
    registry.add(validation_plugin, Plugin("overfits", "overfits", "1.0"))
    registry.add(watch_plugin, Plugin("watching", "watching", "1.0"))
    registry.add(closed_form_plugin, Plugin("mean", "mean", "1.0"))

    def run(name="run", **settings):
        usual = {"steps": 9, "watch": ["distance"], "watch_every": 2, "verbose": False}
        place = {"runs_dir": tmp_path, "name": name, "backend": active_backend}
        return genkit.train("overfits", **{**usual, **place, **settings})

    with using(registry):
        yield run


def checkpoints(result):
    return sorted(int(path.name) for path in (result.path / "checkpoints").iterdir())


def logged(result, name):
    return {row["step"]: row[name] for row in result.run.metrics() if name in row}


def test_figures_are_logged_as_losses_are(overfit):
    result = overfit()
    assert logged(result, "distance") == {1: 16, 2: 9, 4: 1, 6: 1, 8: 9, 9: 16}
    assert logged(result, "closeness")[8] == -9
    assert not logged(result, "endless"), "no finite number is none"
    assert result.outcome.metrics["distance"] == 16


@pytest.mark.parametrize("name", ["distance", "closeness"])
def test_the_best_checkpoint_is_where_the_figure_was_best(overfit, name):
    result = overfit(watch_every=5, checkpoint_every=8, keep_best=name)
    assert checkpoints(result) == [5, 8, 9]
    best = genkit.load(result, checkpoint="best")
    assert best.trained_steps == 5


def test_early_stopping_ends_on_it_and_passes_over_epochs_without(overfit):
    stopping = {"early-stopping": {"monitor": "closeness", "mode": "max", "patience": 1}}
    result = overfit(steps=None, epochs=20, batch_size=1500, watch_every=3, callbacks=stopping)
    assert result.outcome.steps == 9  # 6 was as near as 4 would be; seen at 1, 3, 6 and 9


def test_a_metric_that_fails_costs_its_figure_alone(overfit):
    with pytest.warns(UserWarning, match=r"distance has no figure, it failed: .*it is seven"):
        result = overfit(watch_every=7)
    assert sorted(logged(result, "distance")) == [1, 9]


def test_stopped_and_resumed_it_is_measured_the_same(overfit):
    whole = overfit("whole", keep_best="distance")
    overfit("parts", steps=3, keep_best="distance")
    parts = genkit.resume(whole.path.parent / "parts", 6, verbose=False)
    assert {**logged(parts, "distance"), 3: 0} == {**logged(whole, "distance"), 3: 0}
    assert checkpoints(parts) == checkpoints(whole)


def test_a_checkpoint_from_before_there_were_figures_is_read(overfit):
    import json

    result = overfit(steps=2)
    folder = result.path / "checkpoints" / "00000002"
    state = json.loads((folder / "state.json").read_text())
    for key in ("watched", "watched_at", "higher_is_better"):
        del state[key]
    (folder / "state.json").write_text(json.dumps(state))
    assert checkpoint_files.read_position(folder).watched == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"watch": ["fd"]}, "Did you mean 'fid'"),
        ({"watch": ["fid"]}, "fid can't measure this: the model can nothing; not generate"),
        ({"watch": ["memorisation"]}, "memorisation can't measure this"),
        ({"watch": ["loss"]}, "The model logs loss"),
        ({"keep_best": "fid"}, r"received 'fid'.*--watch METRIC"),
    ],
)
def test_what_can_not_be_measured_is_refused_before_training(overfit, tmp_path, settings, message):
    with pytest.raises(UsageError, match=message):
        overfit(**settings)
    assert not (tmp_path / "run").exists()


def test_a_trainer_without_a_loop_can_not_watch(overfit, active_backend):
    with pytest.raises(UsageError, match="closed-form can't watch a metric: it has no loop"):
        genkit.train("mean-image", watch=["fid"], backend=active_backend, verbose=False)


def test_a_trainer_that_protects_its_data_lets_no_figure_out(overfit, tmp_path):
    with pytest.raises(UsageError, match=r"discreet lets nothing out .* genkit evaluate"):
        overfit(trainer="discreet")
    assert not (tmp_path / "run").exists()


def test_what_looks_at_training_items_is_left_to_an_evaluation(train, tmp_path):
    with pytest.raises(UsageError, match="memorisation can't .* measure it with genkit evaluate"):
        train(steps=2, watch=["memorisation"])
    assert not (tmp_path / "runs").exists()


def test_measuring_changes_nothing_of_what_is_learned(train):
    shared = {"steps": 4, "validate_every": 2}
    seen = train(name="seen", watch=["fid"], watch_every=2, keep_best="fid", **shared)
    plain = train(name="plain", **shared)
    assert seen.history["loss"].tolist() == plain.history["loss"].tolist()
    ours, theirs = (
        (each.run.checkpoints / "00000004/model.safetensors").read_bytes() for each in (seen, plain)
    )
    assert ours == theirs
    assert sorted(logged(seen, "fid")) == [1, 2, 4]
    card = seen.run.environment()["watch"]["fid"]
    assert (card["split"], card["n_generated"], card["extractor"]) == (
        "held-out items", 1000, "pixels",
    )  # fmt: skip
    assert card["n_real"] == seen.run.environment()["data"]["held_out"]
    page = (seen.path / "report.html").read_text()
    assert "fid, each time: against digits, split held-out items, n_generated 1000" in page
    assert "--watch fid" in page


def test_without_held_out_items_it_is_training_items_and_the_card_says_so(train):
    result = train(steps=2, watch=["fid"])
    card = result.run.environment()["watch"]["fid"]
    assert (card["split"], card["n_real"]) == ("training items", 1000)
    assert np.isfinite(result.history["fid"]).all()
