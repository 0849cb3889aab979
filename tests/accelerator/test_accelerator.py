"""The script for whoever has a GPU: what it judges, what it tells, and that it ends in time."""

import json
import math
import sys
import time
from pathlib import Path

import pytest

from tests.accelerator import __main__ as script
from tests.accelerator import page
from tests.accelerator.judgement import differences

pytestmark = pytest.mark.once


def losses(*values):
    return {"vae": {"loss": list(values)}}


@pytest.mark.parametrize(
    ("ours", "theirs", "agrees"),
    [
        ((500.0, 400.0), (500.1, 400.2), True),
        ((500.0, 400.0), (501.0, 400.0), False),  # the first step is held to 1e-3
        ((0.5, 0.4), (0.5, 0.407), True),  # later ones to 1e-2
        ((0.5, 0.4), (0.5, 0.42), False),
        ((0.5, math.nan), (0.5, 0.4), False),
        ((0.5, math.nan), (0.5, math.nan), False),
    ],
)
def test_losses_are_held_to_the_bands(ours, theirs, agrees):
    assert differences(losses(*ours), losses(*theirs))["vae"]["agrees"] is agrees


def test_what_comes_after_the_bands_is_told_and_not_judged():
    ours, theirs = [0.5] * 5 + [0.9], [0.5] * 5 + [0.5]
    found = differences(losses(*ours), losses(*theirs))["vae"]
    assert found == {"first": {"1": 0.0, "5": 0.0}, "all": pytest.approx(0.4), "agrees": True}


def report(**parts):
    return {
        "machine": "a machine",
        "date": "2026-11-30",
        "minutes": 1.0,
        "small": True,
        "backends": {"jax": parts},
    }


def test_a_part_that_found_nothing_is_told_and_fails():
    found = report(bits={"missing": "it did not end in time"})
    assert "Bits: nothing, it did not end in time." in page.report(found)
    assert page.failed(found)


def test_bits_that_differ_are_told_and_no_failure():
    found = report(bits={"digests": {}, "repeats": True, "resumes": False})
    assert "twice from one seed: the same bits" in page.report(found)
    assert "resumed: other bits" in page.report(found)
    assert not page.failed(found)


def test_no_part_begins_when_time_is_over():
    assert script._part("bits", "jax", 6, time.monotonic() - 1) == {"missing": "no time was left"}


def test_a_part_that_takes_too_long_is_ended():
    found = script._part("training", "jax", 10**6, time.monotonic() + 2)
    assert found == {"missing": "it did not end in time"}


def test_a_report_is_kept_in_place_of_the_machines_earlier_one(tmp_path, monkeypatch):
    monkeypatch.setattr(script, "KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(script, "PAGE", tmp_path / "page.md")
    (tmp_path / "kept.json").write_text("[]")
    for repeats in (False, True):
        found = report(bits={"digests": {}, "repeats": repeats, "resumes": True})
        (tmp_path / "report.json").write_text(json.dumps(found))
        monkeypatch.setattr(sys, "argv", ["tests.accelerator", "--keep", str(tmp_path)])
        assert script.main() == 0
    assert (tmp_path / "page.md").read_text().count("## a machine") == 1
    assert "other bits" not in (tmp_path / "page.md").read_text()


def test_the_page_holds_the_reports_that_are_kept():
    reports = json.loads(Path("docs/accelerators.json").read_text())
    assert Path("docs/accelerators.md").read_text() == page.render(reports)


@pytest.mark.full
def test_the_small_form_passes_on_the_processor(tmp_path, monkeypatch):
    arguments = ["--out", str(tmp_path), "--small", "--backend", "jax"]
    monkeypatch.setattr(sys, "argv", ["tests.accelerator", *arguments])
    assert script.main() == 0
    found = json.loads((tmp_path / "report.json").read_text())["backends"]["jax"]
    assert set(found) == {"training", "agreement", "bits", "generation"}
    assert found["bits"]["repeats"]
    assert found["bits"]["resumes"]
