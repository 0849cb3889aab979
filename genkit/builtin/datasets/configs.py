"""The settings of the built-in data sets, apart from what opens them: told without NumPy."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from genkit.builtin.datasets.folder_layout import split_of
from genkit.plugins.config import AbsolutePath, Config


def _split_words(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    from genkit.data.transform_names import parse_transforms  # with NumPy

    parse_transforms(names)
    return names


def _split_numbers(value: object) -> object:
    return tuple(value.split(",")) if isinstance(value, str) else value


class ImageDataConfig(Config):
    """Settings of any image data set."""

    transforms: Annotated[
        tuple[str, ...],
        pydantic.BeforeValidator(_split_words),
        pydantic.AfterValidator(_known),
    ] = pydantic.Field(
        (),
        description="What is done to the images, in this order: resize=32, resize=32x48, "
        "center-crop=64, grayscale, denoise, denoise=5, normalize=-1,1, flip; "
        "on the command line separated by spaces",
        examples=["resize=32", "center-crop=64", "grayscale", "denoise", "normalize=-1,1", "flip"],
    )
    limit: int | None = pydantic.Field(
        None, ge=1, description="Use only the first so many items; all when left out"
    )
    per_class: int | None = pydantic.Field(
        None, ge=1, description="Use so many items of each class, drawn at random; all if left out"
    )
    subset_seed: int = pydantic.Field(
        0, ge=0, lt=2**31, description="Seed of the draw for per_class"
    )
    subset: int = pydantic.Field(
        0,
        ge=0,
        lt=2**31,
        description="Which draw for per_class: 0, 1, ... share no item, as far as the items go",
    )


class SplitImageDataConfig(ImageDataConfig):
    """Settings of an image data set that is split into training and test items."""

    split: Literal["train", "test", "all"] = pydantic.Field(
        "train", description="Which items: those for training, those for testing, or all"
    )


class MnistConfig(SplitImageDataConfig):
    """Settings of ``mnist``."""


class FashionMnistConfig(SplitImageDataConfig):
    """Settings of ``fashion-mnist``."""


class DigitsConfig(SplitImageDataConfig):
    """Settings of ``digits``; the first 1,500 items are for training."""


class ImageFolderConfig(ImageDataConfig):
    """Settings of ``image-folder``."""

    path: AbsolutePath = pydantic.Field(description="The folder", examples=["FOLDER"])
    split: Annotated[
        Literal["train", "validation", "test", "all"], pydantic.BeforeValidator(split_of)
    ] = pydantic.Field(
        "train", description="Which items: those for training, those held out, or all"
    )
    mode: Literal["RGB", "L"] | None = pydantic.Field(
        None, description="Convert every image to colour (RGB) or gray (L); needed where both occur"
    )


class NpzConfig(ImageDataConfig):
    """Settings of ``npz``."""

    path: AbsolutePath = pydantic.Field(description="The .npz file", examples=["FILE.npz"])
    image: str | None = pydantic.Field(
        None,
        description="Name of the array of images, (items, height, width) or with channels last; "
        "image, images, x, x_train or the only array when left out",
    )
    channels: Literal["first", "last"] | None = pydantic.Field(
        None,
        description="Which axis of an image the channels are; last when left out, and refused "
        "where it looks like first",
    )
    label: str | None = pydantic.Field(
        None, description="Name of the array of class numbers, one an item; none when left out"
    )
    range: Annotated[tuple[float, float] | None, pydantic.BeforeValidator(_split_numbers)] = (
        pydantic.Field(
            None,
            description="Lowest and highest value there can be (0,1 on the command line); 0,255 "
            "for bytes and what the values are for other numbers when left out",
        )
    )

    @pydantic.field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not value[0] < value[1]:
            raise ValueError("expected low,high with low < high")
        return value


class MemoryConfig(ImageDataConfig):
    """Settings of ``memory``."""

    fingerprint: str = pydantic.Field(
        "", description="SHA-256 of the data, by which a process finds what it was handed"
    )
    object: str = pydantic.Field("", description="What was handed over, for people")
