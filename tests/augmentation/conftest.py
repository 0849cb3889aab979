"""Small augmentations of digits with generators of known worth."""

import pytest

from tests.augmentation import generator_plugin

TINY = {"per_class": 3, "ratios": [5.0], "seeds": 3, "classifier_steps": 120}


@pytest.fixture(scope="session")
def registry():
    from genkit.builtin import plugin
    from genkit.plugins.registry import Registry

    return Registry([plugin, generator_plugin])


@pytest.fixture(scope="module")
def plugins(registry, compiled_fast):
    """Have the plugin installed."""
    from genkit.plugins.registry import using

    with using(registry):
        yield


@pytest.fixture(scope="module")
def settings(registry, plugins):
    """Make the settings of a tiny augmentation."""
    from genkit.workflows.augmentation.settings import make_settings

    def make(model="perfect", config=None, **changes):
        flags = {"model": model, "dataset": "digits", "config": config or {}}
        return make_settings(registry, flags, **{**TINY, **changes})

    return make
