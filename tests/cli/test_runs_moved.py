"""What `genkit runs` does with runs: renamed, put away and brought back, noted, compared."""

import json
import subprocess
import sys

import pytest

from genkit.errors import UsageError
from genkit.runs.finding import find_run
from genkit.runs.folder import list_runs
from tests.cli.listed import FID, LONG

pytestmark = pytest.mark.once


def test_a_removed_run_comes_back(genkit_here, three, tmp_path):
    before = sorted(path.name for path in (tmp_path / "runs/first").iterdir())
    code, out, _ = genkit_here("runs", "rm", "first", "latest")
    assert code == 0
    assert "genkit runs restore first" in out
    assert "genkit runs bin --empty" in out
    assert [run.name for run in list_runs(tmp_path / "runs")] == [LONG]
    assert "first" in genkit_here("runs", "bin")[1]
    genkit_here("runs", "restore", "first")
    after = sorted(path.name for path in (tmp_path / "runs/first").iterdir())
    assert set(after) - {".lock"} == set(before)


def test_two_removed_runs_of_one_name_never_meet(genkit_here, make_run, tmp_path):
    for model in ("vae", "dcgan"):
        make_run("mine", model)
        genkit_here("runs", "rm", "mine")
    assert genkit_here("runs", "bin")[1].count("mine") == 2
    genkit_here("runs", "restore", "mine")
    code, _, err = genkit_here("runs", "restore", "mine")
    assert code == 1
    assert "exists already" in err
    genkit_here("runs", "rename", "mine", "second")
    assert genkit_here("runs", "restore", "mine")[0] == 0
    assert {run.model for run in list_runs(tmp_path / "runs")} == {"vae", "dcgan"}


def test_the_bin_is_emptied_only_when_asked(genkit_here, three, tmp_path):
    genkit_here("runs", "rm", "first")
    genkit_here("runs", "bin")
    assert "Deleted 1 run" in genkit_here("runs", "bin", "--empty")[1]
    assert "is empty" in genkit_here("runs", "bin")[1]
    assert not (tmp_path / "runs" / ".bin").exists()
    code, _, err = genkit_here("runs", "restore", "first")
    assert code == 1
    assert "genkit runs bin" in err


def test_a_run_elsewhere_goes_to_a_bin_beside_it(genkit_here, make_run, tmp_path):
    run = make_run("mine", runs_dir="my runs")
    _, out, _ = genkit_here("runs", "rm", run)
    assert "genkit runs --runs-dir 'my runs' restore mine" in out
    assert genkit_here("runs", "--runs-dir", "my runs", "restore", "mine")[0] == 0
    assert (tmp_path / run / "plan.json").exists()
    assert genkit_here("runs", "--runs-dir", "my runs", "rename", "mine", "yours")[0] == 0
    assert (tmp_path / "my runs" / "yours" / "plan.json").exists()


@pytest.mark.parametrize("words", [["rm", "first", "last"], ["rename", "last", "new"]])
def test_a_run_that_is_being_written_stays_where_it_is(genkit_here, three, tmp_path, words):
    held = tmp_path / "runs/last/.lock"
    hold = (
        "import sys; from pathlib import Path; from genkit.runs.locks import holding\n"
        "with holding(Path(sys.argv[1]), 'it', dict):\n    print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(held)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        code, _, err = genkit_here("runs", *words)
        other.stdin.close()
    assert code == 1
    assert "is being written by process" in err
    assert {run.name for run in list_runs(tmp_path / "runs")} == {"first", "last", LONG}


def test_the_folder_one_is_in_can_be_put_away(genkit_here, three, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "runs" / "first")
    code, _, err = genkit_here("runs", "rm", ".")
    assert code == 0, err
    monkeypatch.chdir(tmp_path)
    assert genkit_here("runs", "restore", "first")[0] == 0


def test_a_rename_keeps_the_run_and_takes_no_name(genkit_here, three, tmp_path):
    assert genkit_here("runs", "rename", "first", "baseline")[0] == 0
    assert find_run("baseline", tmp_path / "runs") == tmp_path / "runs" / "baseline"
    for name, message in (("last", "exists already"), ("a/b", "without slashes")):
        code, _, err = genkit_here("runs", "rename", "baseline", name)
        assert code
        assert message in err
    assert (tmp_path / "runs" / "baseline" / "metrics.jsonl").exists()


def test_a_note_is_kept_shown_found_and_removed(genkit_here, three, tmp_path):
    genkit_here("runs", "note", "first", "the one without dropout")
    assert genkit_here("runs", "note", "first")[1] == "the one without dropout\n"
    assert [r.name for r in list_runs(tmp_path / "runs", filters=["dropout"])] == ["first"]
    genkit_here("runs", "note", "first", "")
    assert "has no note" in genkit_here("runs", "note", "first")[1]
    assert not (tmp_path / "runs/first/note.txt").exists()


# Runs compared


def test_a_diff_shows_settings_versions_and_figures_that_differ(genkit_here, make_run, tmp_path):
    card = {"n_generated": 1000, "seed": 1}
    make_run("a", config={"latent_dim": 8}, figures=[{**FID, "card": card}])
    make_run("b", steps=7, figures=[{**FID, "value": 20.0, "card": {**card, "n_generated": 50}}])
    environment = tmp_path / "runs/b/environment.json"
    environment.write_text(environment.read_text().replace("3.15.0", "3.16.0"))
    _, out, _ = genkit_here("runs", "diff", "a", "b", "--json")
    told = json.loads(out)
    assert told["runs"] == ["runs/a", "runs/b"]
    settings = {row["name"]: (row["first"], row["second"]) for row in told["settings"]}
    assert settings == {"config.latent_dim": (8, 16), "epochs": (5, None), "steps": (None, 7)}
    (version,) = told["versions"]
    assert version["name"] == "versions.keras"
    (figure,) = told["figures"]
    assert (figure["first"]["value"], figure["second"]["value"]) == (23.456, 20.0)
    assert figure["remark"] == "n_generated: 1000 and 50"
    _, out, _ = genkit_here("runs", "diff", "a", "b")
    assert "was measured in different ways" in out


def test_a_diff_fits_the_screen(genkit_here, three, monkeypatch):
    for width in (80, 40):
        monkeypatch.setenv("COLUMNS", str(width))
        _, out, _ = genkit_here("runs", "diff", "first", LONG)
        assert max(map(len, out.splitlines())) <= width
        shown = " ".join(out.split())
        assert ("dataset digits mnist" if width == 80 else "dataset A digits B mnist") in shown


def test_runs_that_are_alike_dont_differ(genkit_here, make_run):
    make_run("a", figures=[FID])
    make_run("b", figures=[FID])
    assert "They don't differ." in genkit_here("runs", "diff", "a", "b")[1]


def test_python_lists_runs_too(three, tmp_path):
    with pytest.raises(UsageError, match="--sort"):
        list_runs(tmp_path / "runs", sort="size")
    assert list_runs(tmp_path / "nowhere") == []
