"""The plugin's own test: it registers, and its names resolve."""

from genkit_rings import plugin

import genkit


def test_the_plugin_registers_its_names():
    registry = genkit.Registry(plugins=[plugin])
    assert not registry.broken
    assert registry.names("models") == ["rings-gan"]
    assert registry.names("datasets") == ["rings"]
