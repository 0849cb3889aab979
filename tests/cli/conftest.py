"""Runs that nobody had to train."""

from pathlib import Path

import pytest

from genkit.plan.plan import make_plan
from genkit.plugins.registry import installed
from genkit.runs.kept_figures import KeptFigures, write_figures
from genkit.runs.run import Run
from tests.cli.listed import FID, KID, LONG


@pytest.fixture
def make_run(tmp_path):
    """Make a run directory as training would leave it, but for its weights."""

    def make(name, model="vae", dataset="digits", *, losses=None, created=None, **more):
        figures, state, runs_dir = (
            more.pop(key, usual)
            for key, usual in (("figures", ()), ("state", "done"), ("runs_dir", "runs"))
        )
        settings = {"model": model, "dataset": dataset, "backend": "jax", **more}
        environment = {
            "created": created or "2026-01-02T03:04:05+0000",
            "genkit": "0.1.0",
            "versions": {"keras": "3.15.0"},
        }
        plan = make_plan(installed(), settings)
        run = Run.create(tmp_path / runs_dir / name, plan, environment)
        rows = losses or [{"loss": 1.0}, {"loss": 0.5}]
        for step, row in enumerate(rows, 1):
            run.log({"step": step, "epoch": 1, "seconds": 30.0 * step, **row})
        run._metrics.flush()
        run.set_status(state, len(rows))
        if figures:
            write_figures(run.path, KeptFigures(figures, len(rows), "digest"))
        return Path(runs_dir, name)

    return make


@pytest.fixture
def three(make_run):
    """A run that was measured, one with a long name, and one that failed, in order of time."""
    make_run("first", figures=[KID, FID], created="2026-01-01T10:00:00+0000")
    make_run(LONG, "dcgan", "mnist", losses=[{"d_loss": 1.386, "g_loss": 0.7}] * 130,
             created="2026-01-02T10:00:00+0000")  # fmt: skip
    make_run("last", "vae", "mnist", state="failed", created="2026-01-03T10:00:00+0000")
