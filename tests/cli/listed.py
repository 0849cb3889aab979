"""Runs that tests list: figures, and what they are called."""

from pathlib import Path

from genkit.runs.folder import list_runs

FID = {"name": "fid", "value": 23.456, "low": 22.0, "high": 24.0, "direction": "min"}
KID = {"name": "kid", "value": 0.01, "low": 0.0, "high": 0.02, "direction": "min"}
COVERAGE = {"name": "mode-coverage", "value": 0.5, "low": 0.4, "high": 0.6, "direction": "max"}
LONG = "flow-matching-fashion-mnist-20261128-223902"


def names(**more):
    return [run.name for run in list_runs(Path("runs"), **more)]
