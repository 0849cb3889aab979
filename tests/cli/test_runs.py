"""`genkit runs`: which there are, how they are sorted and filtered, what fits the screen."""

import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from genkit.runs.folder import list_runs
from genkit.runs.locks import holding
from genkit.runs.metrics_log import MetricsLog
from tests.cli.listed import COVERAGE, FID, LONG, names
from tests.docs.documents import DOCS

pytestmark = pytest.mark.once


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
