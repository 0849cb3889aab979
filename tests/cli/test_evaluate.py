"""``genkit evaluate`` on the command line."""

import json

import pytest

from genkit.cli.evaluate import _show
from genkit.evaluation import Figure

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_figures_are_printed_kept_and_not_measured_again(genkit_command, tmp_path):
    genkit_command(
        "run", "vae", "--dataset", "digits", "--steps", 2, "--set", "width=4", "--name", "x"
    )
    run = tmp_path / "runs" / "x"
    command = ("evaluate", run, "--metrics", "fid,prdc", "--n", 100)

    shown = genkit_command(*command)
    assert "precision" in shown.stdout
    assert "Against 297 items of digits (test), seed 1, features by pixels." in shown.stdout
    assert "fid ..." in shown.stderr

    again = genkit_command(*command, "--json")
    assert "fid ..." not in again.stderr
    figures = json.loads(again.stdout)["metrics"]
    assert [figure["name"] for figure in figures] == [
        "fid",
        "precision",
        "recall",
        "coverage",
        "density",
    ]
    for figure in figures:
        assert figure.keys() >= {"name", "value", "low", "high", "card"}
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert json.loads((run / "evaluation.json").read_text())["metrics"] == figures

    for arguments, said in (
        (("--extractor", "inceptions"), "Did you mean 'inception'"),
        (("--n", 1), "n of at least 2"),
    ):
        done = genkit_command("evaluate", run, *arguments, check=False)
        assert done.returncode == 2
        assert said in done.stderr


def test_the_reference_is_told_only_of_figures_that_were_compared_with_it(capsys):
    alone = Figure("brightness", 1, 0, 2, "max", {"seed": 3})
    card = {"seed": 3, "against": "digits", "split": "test", "n_real": 297}
    _show([alone, Figure("fid", 1, 0, 2, "min", card)])
    assert "Against 297 items of digits (test), seed 3." in capsys.readouterr().out
    _show([alone])
    assert "Seed 3. The whole cards: --json." in capsys.readouterr().out
