"""The old place of ``genkit.plugins.config``; it goes with the next minor version."""

from genkit import moved

__getattr__ = moved(__name__, "genkit.plugins.config")
