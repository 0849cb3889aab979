"""One text is printed as it is made, and is what would have been written whole."""

import os

import numpy as np
import pytest

from genkit.plan.plan import make_plan
from genkit.plugins.entry_points import Plugin
from genkit.plugins.registry import Registry, installed, using
from genkit.report.refilling import Request
from genkit.report.reviewing import Reviews
from genkit.runs.export import write_export
from genkit.runs.inputs import new_model, open_data
from tests.toys import makers
from tests.toys.writer import Writer

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("active_backend", "compiled_fast")]
ASKED = ("--prompt", "well ", "--seed", 3, "--temperature", 2)


@pytest.fixture(scope="module")
def run(toys, tmp_path_factory, active_backend):
    """A model that is exported as a run's is, without the run."""
    settings = {"model": "writer", "config": {"width": 16, "context": 16, "layers": 1}}
    plan = make_plan(installed(), {**settings, "backend": active_backend})
    model = new_model(plan, open_data(plan, installed()))
    folder = tmp_path_factory.mktemp("export") / "writer"
    write_export(folder, model, *plan.model_record())
    return folder


@pytest.fixture
def pieces(monkeypatch):
    """What was handed back piece by piece."""
    handed = []
    stream = Request.pieces

    def recorded(request):
        for piece in stream(request):
            handed.append(piece)
            yield piece

    monkeypatch.setattr(Request, "pieces", recorded)
    return handed


def test_pieces_are_what_is_written_whole(genkit_here, run, pieces, tmp_path):
    code, out, error = genkit_here("generate", run, *ASKED, "--n", 1)
    assert code == 0, error
    assert len(pieces) > 5
    assert out == f"{''.join(pieces)}\n"
    assert out.startswith("well ")
    handed = len(pieces)
    whole = tmp_path / "whole.txt"
    for more in (["--out", whole], ["--json", "--format", "txt", "--out", whole], ["--out", "-"]):
        code, printed, error = genkit_here("generate", run, *ASKED, "--n", 1, *more)
        assert code == 0, error
        assert (printed if "-" in more else whole.read_text()) == out
        whole.unlink(missing_ok=True)
    assert genkit_here("generate", run, *ASKED, "--n", 2)[1].splitlines()[0] == out[:-1]
    assert len(pieces) == handed, "only one item that is printed comes in pieces"


def test_one_text_keeps_its_line_breaks_and_several_have_a_line_each(
    genkit_here, run, monkeypatch, tmp_path
):
    def broken(model, items):
        return {model.text: np.array(["well\nbegun"] * len(items[model.text]), object)}

    monkeypatch.setattr(Writer, "present", broken)
    assert genkit_here("generate", run, "--n", 1)[1] == "well\nbegun\n"
    monkeypatch.setattr(Reviews, "has_reviewers", True)
    assert genkit_here("generate", run, "--n", 1)[1] == "well\nbegun\n"
    assert genkit_here("generate", run, "--n", 2)[1] == "well\\nbegun\n" * 2
    genkit_here("generate", run, "--n", 1, "--out", tmp_path / "one.txt")
    assert (tmp_path / "one.txt").read_text() == "well\\nbegun\n"


def test_what_a_reviewer_looks_at_is_printed_whole(genkit_here, run, pieces):
    registry = Registry()
    registry.add(makers, Plugin("makers", "genkit-keras-makers", "1.0"))
    with using(registry):
        code, out, error = genkit_here("generate", run, "--n", 1, "--prompt", "a stitch")
    assert (code, out) == (0, "")
    assert "Refused 1 of 1: no-t: has a t" in error
    assert pieces == []


def test_an_interrupt_ends_the_line(genkit_here, run, monkeypatch):
    def interrupted(_):
        yield "well\nbe"
        raise KeyboardInterrupt

    monkeypatch.setattr(Request, "pieces", interrupted)
    code, out, error = genkit_here("generate", run, "--n", 1)
    assert (code, out) == (130, "well\nbe\n")
    assert error.startswith("error: Interrupted.")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_a_reader_that_goes_away_ends_it_in_silence(genkit_here, run, pieces):
    theirs, ours = os.pipe()
    os.close(theirs)
    kept = os.dup(1)
    os.dup2(ours, 1)
    try:
        code, _, error = genkit_here("generate", run, "--n", 1)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(ours)
    assert (code, error) == (0, "")
    assert len(pieces) == 1
