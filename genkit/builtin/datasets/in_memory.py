"""Data that a Python program hands over: opened by its fingerprint, where the process has it."""

from __future__ import annotations

import numpy as np

from genkit.builtin.datasets.configs import MemoryConfig
from genkit.builtin.datasets.images import balanced
from genkit.data.file_source import FileSource
from genkit.data.held import find_held
from genkit.data.pipeline import transformed
from genkit.data.source import ArraySource, Source
from genkit.data.subset import Subset
from genkit.data.transform_names import parse_transforms
from genkit.errors import UsageError


def open_memory(config: MemoryConfig) -> Source:
    """Open data that this process was handed: a part of it, if the settings say so.

    Raises:
        DataError: this process was not handed it.
        UsageError: settings that choose items, of a source that can't.
    """
    source = find_held(config.fingerprint, config.object)
    if config.limit is not None and config.limit < len(source):
        first = np.arange(config.limit)
        if isinstance(source, (ArraySource, FileSource)):
            source = source.select(first)
        else:
            source = Subset(source, first)
    if config.per_class is not None:
        if not isinstance(source, (ArraySource, FileSource)):
            raise UsageError(
                f"Expected no per_class for a {type(source).__name__}; received one.",
                "Choose the items before you hand the data over.",
            )
        source = balanced(source, config)
    return transformed(source, parse_transforms(config.transforms))
