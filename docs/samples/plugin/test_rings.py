"""The plugin's own tests: GenKit's checks of all that it brings, and that its names are found."""

from genkit_rings import plugin

import genkit
from genkit.testing import parametrize_with_checks


@parametrize_with_checks("genkit-keras-rings")
def test_conformance(check):
    check()


def test_the_plugin_registers_its_names():
    registry = genkit.Registry(plugins=[plugin])
    assert not registry.broken
    assert registry.names("models") == ["rings-gan"]
    assert registry.names("datasets") == ["rings"]
