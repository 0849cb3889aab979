"""Feature extractors by name: what turns items into the numbers that metrics compare."""

from genkit.evaluation.extractors.base import Extractor
from genkit.evaluation.extractors.images import ImageExtractor
from genkit.evaluation.extractors.opening import open_extractor, usual_extractors

__all__ = ["Extractor", "ImageExtractor", "open_extractor", "usual_extractors"]
