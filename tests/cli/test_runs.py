"""`genkit runs` and what it does with runs; what a RUN may be called."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

import genkit
from genkit.errors import RunError, UsageError
from genkit.runs.finding import find_run
from genkit.runs.folder import list_runs
from genkit.runs.locks import holding
from genkit.runs.metrics_log import MetricsLog
from tests.docs.documents import DOCS

pytestmark = pytest.mark.once

FID = {"name": "fid", "value": 23.456, "low": 22.0, "high": 24.0, "direction": "min"}
KID = {"name": "kid", "value": 0.01, "low": 0.0, "high": 0.02, "direction": "min"}
COVERAGE = {"name": "mode-coverage", "value": 0.5, "low": 0.4, "high": 0.6, "direction": "max"}
LONG = "flow-matching-fashion-mnist-20261128-223902"


@pytest.fixture
def three(make_run):
    """A run that was measured, one with a long name, and one that failed, in order of time."""
    make_run("first", figures=[KID, FID], created="2026-01-01T10:00:00+0000")
    make_run(LONG, "dcgan", "mnist", losses=[{"d_loss": 1.386, "g_loss": 0.7}] * 130,
             created="2026-01-02T10:00:00+0000")  # fmt: skip
    make_run("last", "vae", "mnist", state="failed", created="2026-01-03T10:00:00+0000")


def names(**more):
    return [run.name for run in list_runs(Path("runs"), **more)]


@pytest.mark.parametrize(("width", "lines"), [(200, 4), (80, 4), (40, 6)])
def test_a_listing_fits_the_screen(genkit_here, three, monkeypatch, width, lines):
    monkeypatch.setenv("COLUMNS", str(width))
    code, out, _ = genkit_here("runs")
    shown = out.splitlines()
    assert code == 0
    assert len(shown) == lines
    assert max(map(len, shown)) <= width
    for told in ("last", "failed", "1m00s", "loss 0.5", "1h05m", "d_loss 1.39", "done", "fid 23.5"):
        assert told in out, told
    assert "01-03 " in out or "2026-01-03" in out
    assert (LONG in out) == (width > 80)
    assert "20261128-223902" in out, "names differ at their ends: those stay"


def test_what_nobody_watches_is_not_cut(genkit_here, three, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert LONG in genkit_here("runs")[1]


def test_a_long_figure_keeps_its_value(genkit_here, make_run, monkeypatch):
    make_run("mine", figures=[{**COVERAGE, "name": "a-metric-of-some-plugin-of-somebody"}])
    monkeypatch.setenv("COLUMNS", "40")
    assert " 0.5\n" in genkit_here("runs")[1]


def test_a_note_stands_in_the_listing_where_there_is_room(genkit_here, make_run, monkeypatch):
    make_run("mine")
    genkit_here("runs", "note", "mine", "lower rate,\nno dropout " + "at all " * 30)
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = genkit_here("runs")
    assert "lower rate, no dropout" in out
    assert max(map(len, out.splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "40")
    assert "lower" not in genkit_here("runs")[1]


def test_no_name_and_no_note_steers_the_terminal(genkit_here, make_run, monkeypatch, tmp_path):
    run = make_run("mine")
    (tmp_path / run / "note.txt").write_text("red \x1b[31m\x07 text\n")
    (tmp_path / run).rename(tmp_path / "runs" / "two\nlines\x1b[2J")
    monkeypatch.setenv("COLUMNS", "120")
    _, out, _ = genkit_here("runs")
    assert "two lines?[2J" in out
    assert "red ?[31m? text" in out
    assert len(out.splitlines()) == 2


def test_figures_of_older_weights_say_so(genkit_here, make_run, tmp_path):
    run = make_run("mine", figures=[FID])
    with (tmp_path / run / "metrics.jsonl").open("a") as log:
        log.write('{"step": 9, "seconds": 90.0, "loss": 0.1}\n')
    assert "fid 23.5 @2" in genkit_here("runs")[1]


def test_a_damaged_run_is_listed_with_what_is_wrong(genkit_here, make_run, monkeypatch):
    run = make_run("mine")
    (run / "plan.json").write_text("{")
    make_run("other")
    _, out, _ = genkit_here("runs")
    assert "damaged" in out
    assert "mine: The plan is damaged" in out
    assert "other" in out
    monkeypatch.setenv("COLUMNS", "40")
    assert max(map(len, genkit_here("runs")[1].splitlines())) <= 40
    code, out, _ = genkit_here("runs", "rm", "mine")
    assert code == 0, "what is damaged can be put away"


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("date", ["last", LONG, "first"]),
        ("name", ["first", LONG, "last"]),
        ("state", [LONG, "first", "last"]),
        ("model", [LONG, "last", "first"]),
        ("dataset", ["first", "last", LONG]),
        ("duration", [LONG, "last", "first"]),
        ("step", [LONG, "last", "first"]),
        ("figure", ["first", LONG, "last"]),
    ],
)
def test_runs_are_sorted(three, monkeypatch, tmp_path, sort, order):
    monkeypatch.chdir(tmp_path)
    assert names(sort=sort) == order


def test_the_best_figure_comes_first_whichever_way_is_better(make_run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in (("low", 0.2), ("none", None), ("high", 0.9)):
        make_run(name, figures=[{**COVERAGE, "value": value}])
    assert names(sort="figure") == ["high", "low", "none"]
    for name, value in (("worse", 30.0), ("better", 3.0)):
        make_run(name, figures=[{**FID, "value": value}])
    assert names(sort="figure", filters=["name=worse,better"]) == ["better", "worse"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["state=failed"], ["last"]),
        (["dataset=mnist"], ["last", LONG]),
        (["dataset=mnist", "model=*gan"], [LONG]),
        (["model=dcgan,vae", "state=done"], [LONG, "first"]),
        (["FIRST"], ["first"]),
        (["rate"], []),
    ],
)
def test_runs_are_filtered(three, monkeypatch, tmp_path, filters, found):
    monkeypatch.chdir(tmp_path)
    assert names(filters=filters) == found


def test_how_many_runs_a_filter_left_out_is_told(genkit_here, three):
    assert "1 of 3 runs fit" in genkit_here("runs", "--filter", "state=failed")[1]
    assert genkit_here("runs", "--filter", "state=new")[1] == "0 of 3 runs fit the filters.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sort", "nmae"], "Did you mean 'name'"),
        (["--filter", "stat=done"], "Did you mean 'state'"),
        (["renmae", "x"], "Did you mean 'rename'"),
    ],
)
def test_a_mistake_is_answered_with_what_may_be_meant(genkit_here, arguments, message):
    code, _, err = genkit_here("runs", *arguments)
    assert code == 2
    assert message in err


def test_json_has_all_of_a_run(genkit_here, three):
    _, out, _ = genkit_here("runs", "--json", "--filter", "name=first")
    (row,) = json.loads(out)["runs"]
    assert row["run"] == "runs/first"
    assert (row["model"], row["dataset"], row["backend"]) == ("vae", "digits", "jax")
    assert (row["state"], row["step"], row["seconds"]) == ("done", 2, 60.0)
    assert row["metrics"] == {"loss": 0.5}
    assert row["figure"] == {**FID, "step": None}
    assert row["created"].startswith("2026-01-0")


def test_the_screens_in_the_documentation_are_what_is_shown(genkit_here, make_run, monkeypatch):
    page = (DOCS / "how-to" / "keep-order-among-runs.md").read_text(encoding="utf-8")
    wide, narrow = re.findall(r"```text\n(.*?)```", page, re.DOTALL)

    def made(day, hour, minute):
        now = datetime.now().astimezone()
        return now.replace(month=11, day=day, hour=hour, minute=minute).isoformat()

    fid = {**FID, "value": 61.4}
    seconds = [{"seconds": 36.0, "step": 1000, "loss": 20.0}]
    old = make_run("baseline", losses=seconds, figures=[fid], created=made(28, 9, 12))
    kept = old / "evaluation.json"
    kept.write_text(kept.read_text().replace('"step": 1,', '"step": 500,'))
    gone = [{"seconds": 218.0, "step": 900, "d_loss": 1.31}]
    make_run("dcgan-mnist-20261129-170511", "dcgan", "mnist", state="running", losses=gone,
             created=made(29, 17, 5))  # fmt: skip
    make_run("cgan-mnist-20261129-183902", "cgan", "mnist", figures=[{**FID, "value": 7.52}],
             losses=[{"seconds": 252.0, "loss": 1.0}], created=made(29, 18, 39))  # fmt: skip
    run = make_run("wider", state="running", losses=[{"seconds": 171.0, "loss": 24.1}],
                   created=made(29, 19, 20))  # fmt: skip
    with holding(run / ".lock", "it", dict):
        for width, screen in (("80", wide), ("40", narrow)):
            monkeypatch.setenv("COLUMNS", width)
            assert genkit_here("runs")[1] == screen


def test_a_listing_reads_the_end_of_a_log_alone(make_run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run = make_run("mine", losses=[{"loss": 1.0 / (1 + i)} for i in range(3000)])
    with (run / "metrics.jsonl").open("a") as log:
        log.write('{"step": 3001, "se')  # torn by a kill
    monkeypatch.setattr(MetricsLog, "__iter__", lambda _: pytest.fail("it is read whole"))
    (found,) = list_runs(Path("runs"))
    assert (found.step, found.seconds) == (3000, 90000.0)


@pytest.mark.parametrize("size", [0, 1, 100, 2**13 - 1, 2**13, 2**13 + 1, 10**5])
def test_the_last_line_of_a_log_is_found_however_long_it_is(tmp_path, size):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    assert log.last() is None
    rows = [{"step": 1, "loss": 2.0}, {"step": 2, "told": "é" * size}]
    log.path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    assert log.last() == rows[-1]
    with log.path.open("a") as file:
        file.write("x" * size)
    assert log.last() == rows[-1]


# What a RUN may be called


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


# Runs moved


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
