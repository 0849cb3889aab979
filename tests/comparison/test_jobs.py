"""A job's process: recorded, tried again, stopped."""

import json
import os
import signal
import threading
import time
from dataclasses import replace

import pytest

from genkit.models.training.signals import StopOnSignal
from genkit.workflows.jobs import Job, carry_out, is_done, several_at_once

READ = "import json, os, signal, sys, time; order = json.loads(sys.stdin.readline())\n"
WRITE = "open(order['result'], 'w').write(json.dumps({'settings': order['settings'], **%s}))\n"
DONE = READ + WRITE % "{'done': True, 'pid': os.getpid()}"


@pytest.fixture
def job(tmp_path):
    return Job("made_worker", "train", tmp_path / "result.json", tmp_path / "run", {}, {"n": 1})


@pytest.fixture
def work(monkeypatch, tmp_path):
    """Let jobs be done by a program of few lines."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # two in one second have one time
    return (tmp_path / "made_worker.py").write_text


def test_what_is_done_is_not_done_again(job, work):
    work(DONE)
    first = carry_out(job, StopOnSignal())
    assert is_done(first)
    assert carry_out(job, StopOnSignal()) == first


def test_another_setting_is_done_anew(job, work):
    work(DONE)
    first = carry_out(job, StopOnSignal())
    other = replace(job, settings={"n": 2})
    assert carry_out(other, StopOnSignal())["pid"] != first["pid"]


def test_a_failure_is_recorded_and_tried_again(job, work):
    work(READ + WRITE % "{'error': 'no memory'}" + "sys.exit(1)")
    assert carry_out(job, StopOnSignal())["error"] == "no memory"
    assert not is_done(job.found())
    work(DONE)
    assert is_done(carry_out(job, StopOnSignal()))


@pytest.mark.parametrize(
    ("death", "told"),
    [("os.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9"), ("sys.exit(3)", "code 3")],
)
def test_a_process_that_dies_is_a_failure_that_keeps_what_it_had_told(job, work, death, told):
    work(READ + WRITE % "{'seconds_to_first_step': 2}" + death)
    found = carry_out(job, StopOnSignal())
    assert told in found["error"]
    assert json.loads(job.result.read_text())["seconds_to_first_step"] == 2


def test_a_process_that_dies_before_it_reads_is_a_failure_too(job, work):
    work("import sys; sys.exit(4)")
    assert "code 4" in carry_out(job, StopOnSignal())["error"]


def test_a_process_that_takes_too_long_is_ended(job, work):
    work(READ + "time.sleep(600)")
    assert "longer than 0.5 s" in carry_out(job, StopOnSignal(), timeout=0.5)["error"]


def test_a_signal_is_passed_on_and_is_no_failure(job, work, tmp_path):
    ready, kept = tmp_path / "ready", tmp_path / "kept"
    work(
        READ + f"signal.signal(signal.SIGTERM, lambda *_: (open({str(kept)!r}, 'w'), os._exit(0)))"
        f"\nopen({str(ready)!r}, 'w')\ntime.sleep(600)"
    )

    def interrupt():
        while not ready.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    with StopOnSignal() as stop:
        thread = threading.Thread(target=interrupt)
        thread.start()
        found = carry_out(job, stop)
        thread.join()
    assert stop.received == signal.SIGINT
    assert kept.exists()
    assert found == {}


def test_as_many_as_asked_for_work_at_a_time_each_in_a_place_of_its_own():
    both, places = threading.Barrier(2), []

    def task(place):
        both.wait(timeout=60)  # would break if they came one after the other
        places.append(place)

    several_at_once([task] * 4, 2)
    assert sorted(places) == [0, 0, 1, 1]


def test_what_a_task_raises_is_raised_when_all_have_ended():
    ended = []

    def fails(_):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        several_at_once([fails, ended.append, ended.append], 1)
    assert ended == [0, 0]


def test_a_job_sees_one_of_the_listed_devices(job, work, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    work(READ + WRITE % "{'done': True, 'device': os.environ['CUDA_VISIBLE_DEVICES']}")
    found = carry_out(job, StopOnSignal(), place=3, at_once=4)
    assert (found["device"], found["at_once"]) == ("5", 4)
