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


@pytest.fixture(scope="module")
def trained(tmp_path_factory, active_backend):
    """Train as ``train`` does, equal settings once a module: runs that tests read or copy."""
    runs = {}

    def run(model="vae", **settings):
        wish = repr((model, sorted(settings.items())))
        if wish not in runs:
            folder = tmp_path_factory.mktemp("trained")
            runs[wish] = genkit.train(model, **{**SMALL, "runs_dir": folder, **settings})
        return runs[wish]

    return run
