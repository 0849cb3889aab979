"""What the image data sets share: the way from arrays to a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.builtin.datasets.configs import ImageDataConfig
from genkit.data.file_source import FileSource
from genkit.data.pipeline import transformed
from genkit.data.source import ArraySource, Source
from genkit.data.subset import rows_per_class
from genkit.data.transform_names import parse_transforms
from genkit.plugins.specs import Field, Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def open_labelled(
    images: NDArray[Any],
    labels: NDArray[Any],
    classes: Sequence[str],
    value_range: tuple[float, float],
    config: ImageDataConfig,
) -> Source:
    """Make a source of images with labels.

    Args:
        images: shape ``(items, height, width, channels)``, uint8.
        labels: class numbers, shape ``(items,)``.
        classes: their names.
        value_range: what black and white are.
        config: the limit and the transforms to apply.
    """
    schema = Schema(
        {
            "image": Field(images.shape[1:], str(images.dtype), "image", value_range),
            "label": Field((), "int32", "label", classes=tuple(classes)),
        }
    )
    arrays = {"image": images[: config.limit], "label": labels[: config.limit].astype(np.int32)}
    chosen = balanced(ArraySource(arrays, schema), config)
    return transformed(chosen, parse_transforms(config.transforms))


def balanced(source: ArraySource | FileSource, config: ImageDataConfig) -> Source:
    """Keep as many items of each class as the settings say; all where they say nothing.

    Raises:
        DataError: the data has no labels, or too few items of a class.
    """
    if config.per_class is None:
        return source
    label = source.schema.name_of("label")
    classes = len(source.schema[label].classes)
    rows = rows_per_class(
        source.arrays[label], classes, config.per_class, config.subset_seed, config.subset
    )
    return source.select(rows)


def rows_of(split: str, n_train: int) -> slice:
    """Return the rows of a split, where the training items come first."""
    return {"train": slice(0, n_train), "test": slice(n_train, None), "all": slice(None)}[split]
