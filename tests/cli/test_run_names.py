"""What a RUN may be called, on the command line and in Python."""

import json
import os
from pathlib import Path

import pytest

import genkit
from genkit.errors import RunError
from genkit.runs.finding import find_run
from tests.cli.listed import LONG, names

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("first", "runs/first"),
        ("runs/first", "runs/first"),
        ("latest", "runs/last"),
        ("./runs/first/", "runs/first"),
    ],
)
def test_a_run_is_known_by_path_by_name_and_as_the_latest(
    three, monkeypatch, tmp_path, given, found
):
    monkeypatch.chdir(tmp_path)
    assert find_run(given) == Path(found)
    assert find_run(tmp_path / found) == tmp_path / found


def test_a_directory_that_is_there_comes_before_a_name(make_run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    make_run("mine")
    (tmp_path / "mine").mkdir()
    assert find_run("mine") == Path("runs/mine"), "a folder that is no run is not meant"
    (tmp_path / "mine").rmdir()
    make_run("mine", runs_dir=".")
    assert find_run("mine") == Path("mine")


def test_a_run_made_in_the_same_second_is_the_latest(make_run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(("b", "a", "c")):
        run = make_run(name)
        os.utime(run / "plan.json", (number, number))
    assert names() == ["c", "a", "b"]
    assert find_run("latest") == Path("runs/c")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("frist", "Did you mean 'first'?"),
        ("runs/frist", "Did you mean 'runs/first'?"),
        ("flow", f"Did you mean '{LONG}'?"),
        ("latst", "Did you mean 'latest' or 'last'?"),
        ("runs", "It holds runs. Name one of them, such as 'runs/last'."),
        ("nothing/like/it", "See what is there with: genkit runs"),
        ("", "See what is there with: genkit runs"),
        ("x" * 5000, "See what is there with: genkit runs"),
    ],
)
def test_a_near_miss_is_answered_with_what_may_be_meant(three, monkeypatch, tmp_path, given, hint):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="Expected a run directory with a plan.json") as caught:
        find_run(given)
    assert caught.value.hint == hint


def test_the_latest_of_no_runs(genkit_here):
    code, _, err = genkit_here("resume", "latest")
    assert code == 1
    assert "There is no run in runs yet. Begin with: genkit run vae" in err


RUN_COMMANDS = [
    ["resume"], ["generate"], ["reconstruct"], ["encode"], ["interpolate"], ["evaluate"],
    ["report"], ["runs", "rename"], ["runs", "note"], ["runs", "rm"], ["runs", "diff", "first"],
]  # fmt: skip


@pytest.mark.parametrize("words", RUN_COMMANDS, ids=" ".join)
def test_every_command_that_asks_for_a_run_understands_near_misses(genkit_here, three, words):
    more = ["new"] if words[-1] == "rename" else []
    code, _, err = genkit_here(*words, "frist", *more)
    assert code == 1
    assert "Did you mean 'first'?" in err


def test_every_argument_shown_as_run_is_found_by_name():
    """Of all commands: so none is forgotten above, and none that comes later."""
    import typer

    from genkit.cli import app, run_argument

    def commands(group):
        for command in group.commands.values():
            yield from commands(command) if hasattr(command, "commands") else [command]

    asked = [
        (command.name, parameter)
        for command in commands(typer.main.get_command(app))
        for parameter in command.params
        if (parameter.metavar or "").startswith("RUN") and parameter.param_type_name == "argument"
    ]
    assert len(asked) == len(RUN_COMMANDS)
    for name, parameter in asked:
        assert parameter.callback.__wrapped__ is run_argument.find, name


def test_python_understands_the_same_names(three, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for call in (
        genkit.load, genkit.open_data, genkit.evaluate, genkit.resume,
        lambda run: genkit.train("vae", dataset="digits", init=run, steps=1),
    ):  # fmt: skip
        with pytest.raises(RunError) as caught:
            call("frist")
        assert caught.value.hint == "Did you mean 'first'?"
    assert len(genkit.open_data("first")) == 1500


def test_the_start_of_a_run_is_named_too(genkit_here, three, tmp_path):
    code, out, err = genkit_here("run", "vae", "--init", "first", "--dry-run", "--json")
    assert code == 0, err
    assert json.loads(out)["init"] == str(tmp_path / "runs" / "first")
    (tmp_path / "recipe.toml").write_text('model = "vae"\ninit = "frist"\n')
    code, _, err = genkit_here("run", "--recipe", "recipe.toml", "--dry-run")
    assert code == 1
    assert "Did you mean 'first'?" in err


def test_no_run_is_called_latest(three, monkeypatch, tmp_path, genkit_here):
    for words in (["run", "vae", "--name", "latest"], ["runs", "rename", "first", "latest"]):
        code, _, err = genkit_here(*words)
        assert code == 2
        assert "stands for the newest run" in err
