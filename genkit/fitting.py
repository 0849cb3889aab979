"""The old place of ``genkit.plan.fitting``; it goes with the next minor version."""

from genkit import moved

__getattr__ = moved(__name__, "genkit.plan.fitting")
