"""Cells with made-up figures, without a process or a file."""

from pathlib import Path

from genkit.evaluation import Figure
from genkit.workflows.comparison import statistics
from genkit.workflows.comparison.cells import Cell
from genkit.workflows.comparison.measuring import Measured
from genkit.workflows.comparison.sentences import Evidence


def fid(value, card=None):
    return Figure("fid", value, value - 1, value + 1, "min", card or {"n": 100})


def cell(backend, seed=0, *, speed=10.0, fids=None, loss=1.0, card=None):
    return Measured(
        Cell("gan", backend, seed),
        "done",
        Path("cells") / backend,
        steps=300,
        steps_per_second=speed,
        seconds_to_first_step=4.0,
        peak_memory_mib=600.0,
        losses={"g_loss": loss},
        quality=() if fids is None else (fid(fids, card),),
    )


def failed(backend, seed=0, error="out of memory"):
    return Measured(Cell("gan", backend, seed), "failed", Path("cells") / backend, error)


def agreeing(backend, against="torch", relative=3e-6, early=None):
    return {
        "model": "gan",
        "backend": backend,
        "against": against,
        "random_layers": [],
        "difference": relative,
        "relative": relative,
        "early": relative if early is None else early,
        "loss": "d_loss",
        "step": 7,
        "steps": 20,
    }


def evidence(cells, parities=(), *, wants_quality=True):
    backends = list(dict.fromkeys(each.cell.backend for each in cells))
    means, differences = statistics.means(cells), statistics.differences(cells)
    return Evidence("gan", backends, cells, means, differences, parities, wants_quality)
