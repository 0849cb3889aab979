"""What a comparison consists of, and what may change when it goes on."""

from dataclasses import replace
from pathlib import Path

import pytest

from genkit.builtin import plugin
from genkit.errors import UsageError
from genkit.plan.plan import make_plan
from genkit.plugins.registry import Registry
from genkit.workflows.comparison.cells import Comparison, comparison_name
from genkit.workflows.comparison.running import _chains as chains_of


def comparison(folder, model="gan", **settings):
    flags = {"model": model, "dataset": "digits", "steps": 5, **settings}
    plan = make_plan(Registry(plugins=[plugin]), flags)
    return Comparison(folder, {plan.model: plan}, ("torch", "jax"), 2)


@pytest.fixture(autouse=True)
def _any_backend(monkeypatch):
    monkeypatch.setattr(
        "genkit.plan.activation.choose_backend", lambda requested: requested or "torch"
    )


def test_all_backends_of_a_seed_stand_together(tmp_path):
    names = [cell.name for cell in comparison(tmp_path).cells]
    assert names == ["gan-torch-0", "gan-jax-0", "gan-jax-1", "gan-torch-1"]


def test_each_backend_has_each_place_in_the_order_of_the_seeds(tmp_path):
    backends = ("torch", "jax", "tensorflow")
    asked = replace(comparison(tmp_path), backends=backends, seeds=3)
    for place in range(3):
        assert {cell.backend for cell in asked.cells[place::3]} == set(backends)


def test_parity_is_measured_once_a_backend_before_anything_is_trained(tmp_path):
    asked = replace(comparison(tmp_path), seeds=3)
    done = [(job.do, cell.backend) for cell, jobs in chains_of(asked) for job in jobs]
    assert done[:3] == [("parity", "torch"), ("parity", "jax"), ("train", "torch")]
    assert [do for do, _ in done].count("parity") == 2


def test_cells_of_a_seed_differ_in_the_backend_only_and_share_their_start(tmp_path):
    asked = comparison(tmp_path)
    jax, torch = (asked.plan(cell).model_dump() for cell in asked.cells[2:])
    assert {key for key in torch if torch[key] != jax[key]} == {"backend"}
    assert (torch["seed"], Path(torch["init"])) == (1, asked.start("gan", 1).resolve())


def test_the_same_and_more_may_be_asked_for_again(tmp_path):
    asked = comparison(tmp_path)
    asked.claim()
    asked.claim()
    replace(asked, seeds=5, backends=("tensorflow", "jax")).claim()
    comparison(tmp_path, "vae").claim()


def test_another_plan_under_the_same_name_is_refused_and_says_in_what(tmp_path):
    comparison(tmp_path).claim()
    changed = comparison(tmp_path, steps=6, config={"latent_dim": 7})
    with pytest.raises(UsageError, match=r"config.latent_dim was \d+, now is 7, steps was 5, now"):
        changed.claim()


def test_the_name_follows_from_what_is_compared(tmp_path):
    assert comparison_name(comparison(tmp_path).plans) == "gan-digits"


def test_a_plan_that_ends_by_time_is_refused(tmp_path):
    with pytest.raises(UsageError, match="ends by time"):
        comparison(tmp_path, steps=None, time="10s")


def test_no_seed_is_refused(tmp_path):
    with pytest.raises(UsageError, match="at least one seed"):
        replace(comparison(tmp_path), seeds=0)
