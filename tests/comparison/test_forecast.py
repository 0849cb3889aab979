"""A comparison says what it will do and how long it may take, before it begins."""

from dataclasses import replace

import pytest

from genkit.builtin import plugin
from genkit.files import write_json
from genkit.plan.plan import make_plan
from genkit.plugins.registry import Registry
from genkit.workflows.comparison import running
from genkit.workflows.comparison.cells import Comparison, default_n
from genkit.workflows.comparison.forecast import Forecast, plan_sentence, rough_time

pytestmark = pytest.mark.once


@pytest.fixture
def plans(monkeypatch):
    monkeypatch.setattr(
        "genkit.plan.activation.choose_backend", lambda requested: requested or "torch"
    )

    def make(**settings):
        flags = {"model": "gan", "dataset": "digits", **settings}
        return {"gan": make_plan(Registry(plugins=[plugin]), flags)}

    return make


@pytest.mark.parametrize(
    ("settings", "n"),
    [({"steps": 20}, 500), ({"steps": 300}, 3000), ({"steps": 1000}, 10_000)],
)
def test_few_steps_are_measured_by_few_samples(plans, settings, n):
    assert default_n(plans(**settings)) == n


def test_where_epochs_end_training_as_many_samples_as_ever_are_measured(plans):
    by_epochs = {"gan": plans(steps=1)["gan"].model_copy(update={"steps": None, "epochs": 1})}
    assert default_n(by_epochs) == 10_000


def jobs_of(asked):
    return [(cell, job) for cell, jobs in running._chains(asked) for job in jobs]


def test_the_plan_tells_of_all_that_is_to_be_done(plans, tmp_path):
    asked = Comparison(tmp_path, plans(steps=20), ("torch", "jax"), 2, n=500)
    jobs = jobs_of(asked)
    told = plan_sentence(asked, jobs, Forecast(asked, []).seconds(jobs))
    assert told.startswith(
        "Plan: 4 trainings of 20 steps, 2 checks of parity over 20 steps, 4 measurements of "
        "quality, 500 samples each (--n). One process at a time, about "
    )
    assert "4 processes at a time" in plan_sentence(asked, jobs, 60.0, 4)
    bare = replace(asked, metrics=None, seeds=1)
    assert "quality" not in plan_sentence(bare, jobs_of(bare), 60.0)


def test_what_was_measured_takes_the_place_of_the_rule_of_thumb(plans, tmp_path):
    asked = Comparison(tmp_path, plans(steps=20), ("torch",), 3, metrics=None)
    asked.claim()
    jobs = jobs_of(asked)
    forecast = Forecast(asked, [])
    first = forecast.seconds(jobs)
    trainings = [(cell, job) for cell, job in jobs if job.do == "train"]
    _, job = trainings[0]
    write_json(job.result, {"done": True, "settings": dict(job.settings), "process_seconds": 600.0})
    forecast.add(job)
    assert forecast.seconds(trainings[1:]) > 1200 > first
    assert Forecast(asked, [job]).seconds(trainings[1:]) == forecast.seconds(trainings[1:])


def test_times_are_rough():
    told = [rough_time(s) for s in (1, 44, 100, 3000, 9000)]
    assert told == ["about 10 s", "about 40 s", "about 2 min", "about 50 min", "about 2.5 h"]


def test_the_plan_is_told_before_anything_begins(plans, tmp_path, monkeypatch):
    told = []
    asked = Comparison(tmp_path / "c", plans(steps=20), ("torch",), 1, n=500)

    def carry_out(job, *_):
        assert told, "work begins before the plan is told"
        return {"done": True}

    monkeypatch.setattr(running, "carry_out", carry_out)
    running.run_comparison(asked, told.append)
    assert told[0].startswith("Plan: 1 training of 20 steps")
    assert told[1].startswith("[1/3] parity of gan on torch; about ")
    assert told[1].endswith(" left")
