"""What tests of runs share: a small model on small data."""

import pytest

import genkit
from tests.training.small import SMALL


@pytest.fixture
def train(tmp_path):
    """Train a small model in a folder of the test's own; settings as for ``genkit.train``."""

    def run(model="vae", **settings):
        return genkit.train(model, **{**SMALL, "runs_dir": tmp_path / "runs", **settings})

    return run
