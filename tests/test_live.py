"""The line that says how far something is: what always fits, and when a time is told."""

import io
import sys
import types

import pytest
from rich.console import Console

from genkit import live
from genkit.live import LiveLine, Pace, Status, clock, plain_text, status_line

LOSSES = ["reconstruction_loss 123.4", "kl_loss 12.34", "loss 135.7", "12.3 steps/s"]


def shown(width, **changes):
    status = {"done": 1200, "total": 1874, "share": 0.64, "seconds_left": 754.0, "more": LOSSES}
    return status_line(Status("step", **{**status, **changes}), width).plain


def test_losses_give_way_first_and_come_back_with_room():
    assert shown(40) == "step 1,200/1,874 ━━━━━━──── 12:34 left"
    assert shown(80) == (
        "step 1,200/1,874 ━━━━━━━━━━━━━─────── 12:34 left  reconstruction_loss 123.4"
    )
    assert shown(140).endswith("12.3 steps/s")


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize("total", [9, 1874, 999_999, 1_234_567])
@pytest.mark.parametrize("left", [None, 3, 754, 35_999, 400_000])
def test_step_bar_and_time_fit_whatever_they_are(width, total, left):
    line = shown(width, done=total - 1, total=total, seconds_left=left)
    assert len(line) <= width
    assert f"{total - 1:,}" in line or f"{total - 1}" in line
    assert line.count("━") + line.count("─") >= 4
    assert left is None or f"{clock(left)} left" in line


@pytest.mark.parametrize("width", [1, 5, 12, 25])
def test_a_line_never_wraps(width):
    assert len(shown(width)) <= width
    assert len(status_line(Status("step", waiting="compiling"), width).plain) <= width


def test_times_are_hours_minutes_and_seconds():
    assert [clock(s) for s in (0, 59.6, 61, 3599, 3600, 90061)] == [
        "0:00", "1:00", "1:01", "59:59", "1:00:00", "25:01:01"
    ]  # fmt: skip


def test_the_pace_is_told_only_when_compilation_is_out_of_it():
    pace = Pace()
    for seconds in (25.0, 3.0):  # compiling, and what the second step compiles
        pace.add(seconds)
        assert pace.seconds() is None
    for _ in range(20):
        pace.add(0.5)
        assert pace.seconds() == pytest.approx(0.5)
    pace.add(30.0)  # a variant of the step is compiled
    assert pace.seconds() == pytest.approx(0.5)


def test_waiting_says_for_what_and_for_how_long():
    status = Status("step", waiting="compiling")
    assert status_line(status, 40, now=12.0).plain.endswith(" compiling, 0:12")
    first, later = (status_line(status, 40, now=now).plain[0] for now in (0.0, 0.2))
    assert first != later, "the spinner stands still"
    assert status_line(status, 40, plain=True).plain.isascii()
    assert status_line(Status("step", 3, 9, 0.3), 40, plain=True).plain.isascii()


@pytest.mark.parametrize("width", [80, 40])
def test_a_terminal_shows_one_line_and_clears_it(width):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, color_system=None)
    line = LiveLine(lambda: Status("step", 3, 9, 1 / 3, 61.0, more=LOSSES), console)
    line.close()
    text = screen.getvalue()
    assert "step 3/9 " in text
    assert "1:01 left" in text
    drawn = [part for part in text.split("\n") if "left" in part]
    assert drawn
    assert text.endswith("\x1b[2K"), "the line stays on the screen"


class Cell:
    """What IPython's display gives: an output that is written anew."""

    def __init__(self, data):
        self.texts = [data["text/plain"]]

    def update(self, data, raw):
        assert raw
        self.texts.append(data["text/plain"])


def test_a_notebook_has_one_output_that_changes(monkeypatch):
    cells = []

    def display(data, raw, display_id):
        assert raw
        assert display_id
        cells.append(Cell(data))
        return cells[-1]

    module = types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    now = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    steps = [0]
    screen = io.StringIO()
    line = LiveLine(
        lambda: Status("step", steps[0], 100, steps[0] / 100),
        Console(file=screen, force_jupyter=True),
    )
    for steps[0] in range(1, 101):
        now[0] += 0.25
        line.tick()
    line.close()
    (cell,) = cells
    assert cell.texts[0].startswith("step 0/100 ")
    assert cell.texts[-1].startswith("step 100/100 ")
    assert len(cell.texts) == 52, "it is written twice a second, however fast steps are"
    assert not screen.getvalue()


def test_a_log_has_a_line_each_ten_seconds_with_everything(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    status = Status("step", 3, 9, 1 / 3, 61.0, more=LOSSES[:1])
    line = LiveLine(lambda: status)
    for _ in range(25):
        now[0] += 1.0
        line.tick()
    line.close()
    told = capsys.readouterr().err.splitlines()
    assert told == [plain_text(status)] * 2
    assert told[0] == "step 3 of 9  reconstruction_loss 123.4  1:01 left"
    assert plain_text(Status("", waiting="computing kid")) == "computing kid ..."


def test_a_notebook_that_waited_last_keeps_nothing_of_it(monkeypatch):
    cells = []
    module = types.ModuleType("IPython.display")
    module.display = lambda data, **_: cells.append(Cell(data)) or cells[-1]
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    console = Console(file=io.StringIO(), force_jupyter=True)
    LiveLine(lambda: Status("", waiting="computing kid"), console).close()
    assert "computing kid" in cells[0].texts[0]
    assert cells[0].texts[-1] == ""
