"""A few small runs, for all tests of pages."""

import shutil

import pytest

import genkit
from tests.compiling import compiled_fast


@pytest.fixture(scope="session")
def runs(tmp_path_factory, active_backend):
    """Three runs of few steps: ``vae``, ``cgan``, ``gan``; tests write into copies."""
    folder = tmp_path_factory.mktemp("runs")
    small = {"dataset": "digits", "batch_size": 100, "steps": 60, "sample_every": 20}
    configs = {
        "vae": {"width": 4, "latent_dim": 4, "hidden": 16},
        "cgan": {"width": 4},
        "gan": {"hidden": 16},
    }
    with compiled_fast(active_backend):
        for model, config in configs.items():
            genkit.train(
                model, config=config, runs_dir=folder, name=model, verbose=False, seed=3, **small
            )
    return folder


@pytest.fixture
def copied(runs, tmp_path):
    """Copy a run under a name of one's own."""

    def copy(model, name=None):
        return shutil.copytree(runs / model, tmp_path / (name or model))

    return copy
