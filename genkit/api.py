"""The old place of ``genkit.workflows.train``; it goes with the next minor version."""

from genkit import moved

__getattr__ = moved(__name__, "genkit.workflows.train")
