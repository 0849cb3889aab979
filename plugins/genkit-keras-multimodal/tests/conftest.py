"""Tests run under one backend, named by KERAS_BACKEND; one trained run serves several."""

import random
import sys

import pytest

import genkit
from genkit import cli


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    random.seed(0)  # Keras draws the seeds of initial weights from here


@pytest.fixture(scope="session", autouse=True)
def active_backend():
    return genkit.activate()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with a run that has learned digits and their labels, a little."""
    folder = tmp_path_factory.mktemp("runs")
    genkit.train(
        "jmvae",
        dataset="paired",
        data={"sets": ["digits", "label"]},
        steps=300,
        batch_size=64,
        config={"latent_dim": 8, "networks": "dense", "hidden": 64, "learning_rate": 3e-3,
                "weight": ["label=10"]},
        runs_dir=folder,
        name="it",
        verbose=False,
    )  # fmt: skip
    return folder


@pytest.fixture
def call(capsys, monkeypatch):
    """Call genkit in this process; give what it printed, or of a failure what it said."""

    def called(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["genkit", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert (ended.value.code or 0) == code, told.err
        return told.out if code == 0 else told.err

    return called
