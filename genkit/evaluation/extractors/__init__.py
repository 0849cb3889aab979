"""Feature extractors by name: what turns images into the numbers that metrics compare."""

from genkit.evaluation.extractors.base import EXTRACTORS, Extractor, open_extractor

__all__ = ["EXTRACTORS", "Extractor", "open_extractor"]
