"""``genkit evaluate`` on the command line."""

import json

import pytest

from genkit.runs.statement import Statement, write_statement

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_figures_are_printed_kept_and_not_measured_again(genkit_command, tmp_path):
    genkit_command(
        "run", "vae", "--dataset", "digits", "--steps", 2, "--set", "width=4", "--name", "x"
    )
    run = tmp_path / "runs" / "x"
    command = ("evaluate", run, "--metrics", "fid,prdc", "--n", 100)

    shown = genkit_command(*command)
    assert "precision" in shown.stdout
    told = " ".join(shown.stdout.split())
    assert "100 samples, against 297 items of digits (test), seed 1, features by pixels." in told
    assert "measured before" not in shown.stderr

    again = genkit_command(*command, "--json")
    assert "All of it was measured before: nothing is measured again." in again.stderr
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

    write_statement(run, Statement(protects_data=True, facts={"guarantee": "(1.5, 1e-05)-private"}))
    assert "vae on digits, step 2, (1.5, 1e-05)-private" in genkit_command(*command).stdout

    for arguments, said in (
        (("--extractor", "inceptions"), "Did you mean 'inception'"),
        (("--n", 1), "n of at least 2"),
    ):
        done = genkit_command("evaluate", run, *arguments, check=False)
        assert done.returncode == 2
        assert said in done.stderr
