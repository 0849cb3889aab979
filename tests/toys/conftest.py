"""The toys, installed for these tests: in this process and in those it starts."""

import sys

import pytest

from genkit.plugins.registry import Registry, using
from genkit.testing import choosing

NAME = "genkit-keras-toys"


@pytest.fixture(scope="package", autouse=True)
def toys(tmp_path_factory):
    """Do what `pip install` would: write the metadata of a distribution with one plugin."""
    site = tmp_path_factory.mktemp("site")
    folder = site / f"{NAME.replace('-', '_')}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[genkit.plugins]\ntoys = tests.toys.plugin\n")
    sys.path.insert(0, str(site))
    choosing.subject_of.cache_clear()
    with using(Registry()):
        yield site
    sys.path.remove(str(site))
    choosing.subject_of.cache_clear()
