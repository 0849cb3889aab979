"""The unsound plugin, installed for these tests: in this process and in those it starts."""

import os
import sys

import pytest

from genkit.plugins.registry import Registry, using
from genkit.testing import choosing

NAME = "genkit-keras-unsound"


@pytest.fixture(scope="package", autouse=True)
def unsound(tmp_path_factory):
    """Do what `pip install` would: write the metadata of a distribution with two plugins."""
    site = tmp_path_factory.mktemp("site")
    folder = site / f"{NAME.replace('-', '_')}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[genkit.plugins]\n"
        "unsound = tests.testing.unsound_plugin\n"
        "heavy = tests.testing.heavy_plugin\n"
    )
    sys.path.insert(0, str(site))
    choosing.subject_of.cache_clear()
    with using(Registry()):
        yield site
    sys.path.remove(str(site))
    choosing.subject_of.cache_clear()


@pytest.fixture
def unsound_path(unsound):
    """The environment in which a process of its own finds the unsound plugin."""
    return {"PYTHONPATH": os.pathsep.join([str(unsound), *filter(None, sys.path)])}
