"""What notebooks and the prompt show of runs, results, models and figures."""

import re

import numpy as np
import pytest
from PIL import Image

import genkit
from genkit.errors import UsageError
from genkit.evaluation.figure import Figure, Figures
from genkit.runs.run import Run
from tests.engine.small import mlp_gan

SETTINGS = {"dataset": "digits", "batch_size": 100, "verbose": False}


@pytest.fixture(scope="module")
def result(tmp_path_factory, active_backend):
    config = {"width": 4, "latent_dim": 4}
    folder = tmp_path_factory.mktemp("runs")
    return genkit.train("vae", **SETTINGS, steps=3, config=config, runs_dir=folder, name="mine")


@pytest.fixture(scope="module")
def model(result):
    return genkit.load(result)


def test_a_result_and_its_run_say_what_they_are(result):
    what = rf"{re.escape(str(result.path))}: vae on digits with \w+; done, 3 steps"
    assert re.fullmatch(rf"<Run {what}>", repr(result.run))
    assert re.fullmatch(rf"<Result {what} in [\d.]+ s; loss=[\d.]+, .*>", repr(result))


def test_a_run_is_displayed_with_its_last_grid_its_curves_and_its_figures(result):
    shown = result._repr_html_()
    assert shown == Run.open(result.path)._repr_html_()
    assert shown.count("data:image/png") == 1
    assert shown.count("<svg") == len(result.outcome.metrics)
    assert f"genkit evaluate {result.path}" in shown
    assert "<script" not in shown


def test_a_run_without_samples_or_losses_is_displayed_too(result, tmp_path):
    run = Run.create(tmp_path / "<b>new", result.run.plan, result.run.environment())
    assert "&lt;b&gt;new" in run._repr_html_()
    assert "<b>new" not in run._repr_html_()
    assert repr(run).endswith("; new, 0 steps>")


def test_runs_are_listed_as_a_table_and_each_is_opened_loaded_and_displayed(result, tmp_path):
    runs = genkit.list_runs(result.path.parent)
    assert isinstance(runs, list)
    head, line = repr(runs).splitlines()
    assert head.split()[:4] == ["run", "created", "model", "data"]
    assert line.split()[0] == "mine"
    assert "<td>mine</td>" in runs._repr_html_()
    assert genkit.open_run(runs[0]).history["step"].tolist() == [1, 2, 3]
    assert runs[0]._repr_html_() == result._repr_html_()
    assert genkit.load(runs[0]).trained_steps == 3
    assert repr(genkit.list_runs(tmp_path / "nothing")) == "none"


def test_a_run_whose_plan_is_damaged_is_displayed_with_what_is_wrong(result, tmp_path):
    run = Run.create(tmp_path / "run", result.run.plan, {})
    (run.path / "plan.json").write_text("{}")
    (shown,) = genkit.list_runs(tmp_path)
    assert "damaged" in shown._repr_html_()


def test_the_history_has_a_column_for_each_number_of_the_log(result):
    history = result.history
    assert list(history) == ["step", "epoch", "seconds", *result.outcome.metrics]
    assert history["step"].tolist() == [1, 2, 3]
    assert history["loss"][-1] == pytest.approx(result.outcome.metrics["loss"])
    assert {column.dtype.name for column in history.values()} == {"float64"}


def test_the_history_has_no_number_where_a_line_has_none(result, tmp_path):
    run = Run.create(tmp_path / "run", result.run.plan, {})
    for row in ({"step": 1, "loss": 2.0}, {"step": 2, "loss": float("nan"), "new": 1}, {"step": 3}):
        run.log(row)
    run._metrics.flush()
    np.testing.assert_array_equal(run.history["loss"], [2.0, np.nan, np.nan])
    np.testing.assert_array_equal(run.history["new"], [np.nan, 1, np.nan])


def test_a_loaded_model_says_its_size_its_data_and_its_training(model):
    weights = f"{model.count_params():,} weights"
    assert repr(model) == f"<VAE: {weights}; image 8x8x1, label; trained for 3 steps>"
    shown = model._repr_html_()
    assert "latent_dim=4" in shown
    assert "model.show(16)" in shown


def test_a_model_without_data_says_so_and_shows_nothing():
    model = genkit.Model()
    assert repr(model) == "<Model: 0 weights>"
    assert "<Model" not in model._repr_html_()
    with pytest.raises(UsageError, match="knows no data yet"):
        model.show()


def test_a_model_is_shown_as_a_picture_of_what_it_generates(model):
    picture = model.show(6, seed=3, columns=3)
    assert isinstance(picture, Image.Image)
    assert picture.width > picture.height
    assert picture.tobytes() == model.show(6, seed=3, columns=3).tobytes()
    assert picture.tobytes() != model.show(6, seed=4, columns=3).tobytes()
    assert model.show().size == model.show(16).size != picture.size
    with pytest.raises(UsageError, match="at least 1"):
        model.show(0)


def test_items_that_nothing_draws_are_refused():
    model = mlp_gan()
    with pytest.raises(UsageError, match="vector.* can't be drawn"):
        model.show(2)


def test_figures_print_as_a_table_and_are_a_list():
    card = {"interval": "jackknife", "n": 10}
    figures = Figures([Figure("fid", 12.345, 11, 13, "min", card), Figure("a", 0.5, 0, 1, "max")])
    assert isinstance(figures, list)
    assert repr(figures).splitlines() == [
        "metric  value  95 % from  to  better is",
        "fid     12.35  11         13  lower",
        "a       0.5    0          1   higher",
    ]
    assert "jackknife" in figures._repr_html_()
    assert repr(Figures()) == "no figures"
    assert "no figures" in Figures()._repr_html_()
