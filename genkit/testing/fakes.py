"""Toy data for any schema that the kit knows how to make, in memory and in files.

Items are noise around a pattern of their class, so that there is something to learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.plugins.specs import Field, Schema

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.data import ArraySource

CLASSES = ("circle", "square", "star")
MODALITIES = ("image", "label", "vector", "text", "number")
SMALL_IMAGE = (8, 8, 1)
ODD_IMAGE = (12, 20, 3)
_VECTOR = 6


def toy_schema(
    modalities: Sequence[str] = ("image", "label"), image: tuple[int, int, int] = SMALL_IMAGE
) -> Schema:
    """Return a schema with a field of each modality, named after it.

    Args:
        modalities: some of image, label, vector, text and number.
        image: height, width and channels of images.
    """
    fields = {
        "image": Field(image, "uint8", "image", (0, 255)),
        "label": Field((), "int32", "label", classes=CLASSES),
        "vector": Field((_VECTOR,), "float32", "vector"),
        "text": Field((), "string", "text"),
        "number": Field((), "float32", "number", (0, 1)),
    }
    return Schema({modality: fields[modality] for modality in modalities})


def toy_source(schema: Schema | None = None, items: int = 64, seed: int = 0) -> ArraySource:
    """Make a little data of a schema.

    Args:
        schema: fields of these modalities; images with labels if not given.
        items: how many.
        seed: of the items.
    """
    from genkit.data import ArraySource

    schema = schema or toy_schema()
    rng = np.random.default_rng(seed)
    numbers = np.arange(items, dtype=np.int32) % len(CLASSES)
    arrays = {name: _array(field, numbers, rng) for name, field in schema.fields.items()}
    return ArraySource(arrays, schema)


def write_image_folder(folder: Path, items: int = 12) -> dict[str, Any]:
    """Write PNG files in a sub-folder a class, below ``train`` and ``test``; give the settings."""
    from PIL import Image

    for split, seed in (("train", 0), ("test", 1)):
        made = toy_source(items=items, seed=seed).arrays
        for number, (image, label) in enumerate(zip(made["image"], made["label"], strict=True)):
            place = folder / split / CLASSES[int(label)]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image[..., 0]).save(place / f"{number:03d}.png")
    return {"path": str(folder)}


def write_npz(folder: Path, items: int = 12) -> dict[str, Any]:
    """Write an ``.npz`` file of images and labels; give the settings that open it."""
    path = folder / "toy.npz"
    made = toy_source(items=items).arrays
    np.savez(path, image=made["image"], label=made["label"])
    return {"path": str(path), "label": "label"}


def hold_images(folder: Path, items: int = 12) -> dict[str, Any]:  # noqa: ARG001 - no file
    """Hold images and labels in this process; give the settings that open them."""
    from genkit.data.held import hold

    return {"fingerprint": hold(toy_source(items=items))}


def _array(field: Field, numbers: NDArray[np.int32], rng: np.random.Generator) -> NDArray[Any]:
    if field.dtype == "string":
        return np.array([CLASSES[number] for number in numbers], object)
    if field.modality == "label":
        return (numbers % max(1, len(field.classes))).astype(field.dtype)
    low, high = field.range or (-1.0, 1.0)
    shape = tuple(int(size or 1) for size in field.shape)
    patterns = np.random.default_rng(0).random((len(CLASSES), *shape))
    values = 0.7 * patterns[numbers] + 0.3 * rng.random((len(numbers), *shape))
    array: NDArray[Any] = (low + (high - low) * values).astype(field.dtype)
    return array
