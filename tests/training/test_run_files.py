"""A run's files are read in one place; one that is damaged is named, with what to do."""

import json
from pathlib import Path

import pytest

from genkit.errors import RunError
from genkit.plan.plan import make_plan
from genkit.plugins.registry import installed
from genkit.report.inputs import of_files
from genkit.runs.kept_figures import KeptFigures
from genkit.runs.run import Run
from genkit.runs.saved_model import saved_model_entry
from genkit.runs.statement import Statement


@pytest.fixture
def run(tmp_path, active_backend):
    plan = make_plan(installed(), {"model": "vae", "dataset": "digits", "steps": 1})
    return Run.create(tmp_path / "run", plan, {"created": "now"})


def test_what_was_not_written_is_nothing(run):
    assert run.figures() == KeptFigures()
    assert run.statement() == Statement()
    assert run.metrics() == []


def test_a_statement_keeps_a_promise_of_privacy(run):
    text = json.dumps({"protects_data": True, "facts": {"epsilon": "2.0"}})
    (run.path / "statement.json").write_text(text)
    assert run.statement() == Statement(True, {"epsilon": "2.0"})
    assert of_files(run).protects_data


@pytest.mark.parametrize(
    ("read", "file", "text", "remedy"),
    [
        ("environment", "environment.json", "{", "copy"),
        ("environment", "environment.json", "[]", "copy"),
        ("figures", "evaluation.json", "{", "genkit evaluate"),
        ("figures", "evaluation.json", "[]", "genkit evaluate"),
        ("figures", "evaluation.json", "{}", "genkit evaluate"),
        ("figures", "evaluation.json", '{"metrics": [1]}', "genkit evaluate"),
        ("figures", "evaluation.json", '{"metrics": [], "step": "two"}', "genkit evaluate"),
        ("figures", "evaluation.json", '{"metrics": [], "weights": 2}', "genkit evaluate"),
        ("statement", "statement.json", "{", "copy"),
        ("statement", "statement.json", "{}", "copy"),
        ("statement", "statement.json", '{"protects_data": "no", "facts": {}}', "copy"),
        ("statement", "statement.json", '{"protects_data": true, "facts": []}', "copy"),
    ],
)
def test_a_damaged_file_is_named_with_its_remedy(run, read, file, text, remedy):
    (run.path / file).write_text(text)
    with pytest.raises(RunError) as caught:
        getattr(run, read)()
    assert str(run.path / file) in caught.value.message
    assert remedy in caught.value.hint


def test_a_report_doesnt_pass_over_a_damaged_promise_of_privacy(run):
    (run.path / "statement.json").write_text('{"protects_data": 1}')
    with pytest.raises(RunError, match=r"statement\.json is damaged"):
        _ = of_files(run).protects_data


def test_the_model_that_is_saved_at_a_path_is_found_by_name(run, tmp_path):
    assert saved_model_entry(run.path).qualified_name == "genkit-keras/vae"
    assert saved_model_entry(tmp_path) is None
    assert saved_model_entry(Path("vae")) is None


def test_a_saved_model_whose_files_are_damaged_is_named(run):
    run.export.mkdir()
    (run.export / "weights.safetensors").touch()
    (run.export / "config.json").write_text('{"model": "vae"}')
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        saved_model_entry(run.export)
    (run.path / "plan.json").write_text("{")
    with pytest.raises(RunError, match=r"plan\.json.*copy"):
        saved_model_entry(run.path)
