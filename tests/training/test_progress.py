"""What is shown while a model trains."""

from pathlib import Path

import pytest

from genkit import live
from genkit.live import status_line
from genkit.models.training import progress
from genkit.models.training.progress import Progress


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        for module in (progress, live):
            monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def started(**params):
    shown = Progress()
    given = {"first_step": 0, "first_seconds": 0.0, "total_steps": 100, "seconds": None}
    shown.set_params({**given, **params})
    shown.on_train_begin()
    return shown


def step(shown, clock, seconds, kept=0.0):
    clock.now += kept
    shown.on_train_batch_begin(0)
    clock.now += seconds
    shown.on_train_batch_end(0, {"loss": 0.5})


def test_no_time_is_told_before_compilation_is_out_of_it(clock):
    shown = started()
    clock.now += 20.0
    assert shown._status().waiting == "compiling"
    step(shown, clock, 20.0)  # the first is compiled
    assert shown._status().seconds_left is None
    step(shown, clock, 2.0, kept=9.0)  # its samples are drawn
    assert shown._status().seconds_left is None
    step(shown, clock, 0.1)
    assert shown._status().seconds_left == pytest.approx(9.7)


def test_samples_and_checkpoints_are_no_part_of_a_step(clock):
    shown = started()
    for number in range(20):
        step(shown, clock, 0.1, kept=30.0 if number in (1, 10) else 0.0)
    assert shown._status().seconds_left == pytest.approx(8.0)


def test_a_run_that_goes_on_tells_of_the_whole_run(clock):
    shown = started(first_step=50)
    for _ in range(5):
        step(shown, clock, 1.0)
    status = shown._status()
    assert (status.done, status.total, status.share) == (55, 100, 0.55)
    assert status.seconds_left == pytest.approx(45.0)
    assert list(status.more) == ["loss 0.5", "1 steps/s"]


def test_a_run_that_ends_by_time_tells_the_time_of_all_sittings(clock):
    shown = started(total_steps=None, seconds=600.0, first_seconds=300.0)
    for _ in range(10):
        step(shown, clock, 3.0)
    status = shown._status()
    assert status.share == pytest.approx(0.55)
    assert status.seconds_left == pytest.approx(270.0)
    assert status_line(status, 40).plain == "step 10 ━━━━━━──── 4:30 left  loss 0.5"


def test_where_samples_are_is_told_once(clock, capsys):
    shown = started()
    for number in (1, 10):
        shown.on_samples(number, Path(f"runs/x/samples/{number:08d}.png"))
    told = capsys.readouterr().err
    assert told == "Samples:  runs/x/samples/00000001.png, and later ones beside it\n"


def test_of_two_limits_the_nearer_one_is_told(clock):
    shown = started(total_steps=1000, seconds=60.0)
    for _ in range(10):
        step(shown, clock, 3.0)
    assert shown._status().seconds_left == pytest.approx(30.0)
    shown.close()
