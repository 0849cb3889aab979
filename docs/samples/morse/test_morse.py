"""The plugin's own test: what it brings, and that the review refuses what it should."""

import numpy as np
from genkit_morse import plugin
from genkit_morse.data import open_morse, signal_of
from genkit_morse.review import NoFalseAlarm
from genkit_morse.settings import MorseConfig

import genkit


def test_the_plugin_registers_its_names():
    registry = genkit.Registry(plugins=[plugin])
    assert not registry.broken
    assert registry.names("commands") == ["transcribe"]


def test_calls_for_help_are_refused():
    schema = open_morse(MorseConfig(signals=1)).schema
    signals = np.stack([signal_of("ok"), signal_of("sos")])
    assert NoFalseAlarm(schema, "signal").review(signals) == ["", "calls for help"]
