"""What is done to items before a model sees them: the base of transforms, and those of images."""

from __future__ import annotations

import abc
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from PIL import Image

from genkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from genkit.plugins.specs import Field

_LUMA = (0.299, 0.587, 0.114)
_LARGEST_SIDE = 8192
_LARGEST_WINDOW = 31


class Transform(abc.ABC):
    """One step from items to items, which knows what it does to their field.

    A subclass is a frozen dataclass, or has another ``repr`` that tells its settings: the data's
    fingerprint is made of it. Items that vary in length come one at a time, cut to their own.

    Attributes:
        modality: of the items, as its ``TransformSpec`` says.
        random: whether it draws anew for every batch; then it must leave the field as it is.
    """

    modality: ClassVar[str] = "image"
    random: ClassVar[bool] = False

    @classmethod
    def parse(cls, value: str | None) -> Self:
        """Make the transform that a recipe names.

        Args:
            value: what stands behind the name, ``"32"`` of ``resize=32``; None without ``=``.

        Raises:
            ValueError: no such value; ``parse_transforms`` then tells the usage.
        """
        if value is not None:
            raise ValueError(value)
        return cls()

    @abc.abstractmethod
    def output(self, field: Field) -> Field:
        """Return the field of what comes out.

        Raises:
            DataError: images of this field don't suit the transform.
        """

    @abc.abstractmethod
    def __call__(
        self, images: NDArray[Any], field: Field, rng: Generator | None = None
    ) -> NDArray[Any]:
        """Transform items.

        Args:
            images: the items, shape ``(batch, ...)`` as the field says; never written to.
            field: what they are.
            rng: the stream that random transforms draw from.
        """

    def undo(self, items: NDArray[Any], field: Field) -> NDArray[Any]:
        """Return the items that came in, of those that came out.

        Args:
            items: shape ``(batch, ...)``, as ``output(field)`` says.
            field: what they were before.
        """
        raise NotImplementedError(f"{type(self).__name__} can't be undone.")


class ImageTransform(Transform):
    """A transform that treats every image by itself, whatever its size."""

    @abc.abstractmethod
    def apply(self, image: NDArray[Any]) -> NDArray[Any]:
        """Transform one image of shape ``(height, width, channels)``."""

    @abc.abstractmethod
    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that comes of an image of this shape."""

    def output(self, field: Field) -> Field:
        """Return the field with the new shape."""
        shape = tuple(size for size in field.shape if size is not None)
        if len(shape) != 3:  # noqa: PLR2004
            raise DataError(
                f"Expected images of shape (height, width, channels); received {field.shape}."
            )
        return replace(field, shape=self.output_shape(shape))

    def __call__(
        self,
        images: NDArray[Any],
        field: Field,  # noqa: ARG002
        rng: Generator | None = None,  # noqa: ARG002
    ) -> NDArray[Any]:
        """Transform every image."""
        return np.stack([self.apply(image) for image in images])


@dataclass(frozen=True)
class Resize(ImageTransform):
    """Scale to exactly this height and width (bilinear, antialiased when it shrinks)."""

    height: int
    width: int

    @classmethod
    def parse(cls, value: str | None) -> Self:
        """Read a side, or height x width."""
        return cls(*_sides(value))

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that comes of an image of this shape."""
        return (self.height, self.width, shape[2])

    def apply(self, image: NDArray[Any]) -> NDArray[Any]:
        """Scale one image."""
        values = image if image.dtype == np.uint8 else image.astype(np.float32)
        channels = [np.ascontiguousarray(channel) for channel in np.moveaxis(values, 2, 0)]
        size = (self.width, self.height)
        scaled = [Image.fromarray(c).resize(size, Image.Resampling.BILINEAR) for c in channels]
        made = np.stack([np.asarray(channel) for channel in scaled], axis=-1)
        return made if made.dtype.kind == image.dtype.kind else np.rint(made).astype(image.dtype)


@dataclass(frozen=True)
class CenterCrop(ImageTransform):
    """Keep the middle of this height and width."""

    height: int
    width: int

    @classmethod
    def parse(cls, value: str | None) -> Self:
        """Read a side, or height x width."""
        return cls(*_sides(value))

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that comes of an image of this shape."""
        if self.height > shape[0] or self.width > shape[1]:
            raise DataError(
                f"Expected images of at least {self.height}x{self.width} to crop; "
                f"received {shape[0]}x{shape[1]}.",
                "Crop less, or put a resize=... before it.",
            )
        return (self.height, self.width, shape[2])

    def apply(self, image: NDArray[Any]) -> NDArray[Any]:
        """Crop one image."""
        self.output_shape(image.shape)
        top = (image.shape[0] - self.height) // 2
        left = (image.shape[1] - self.width) // 2
        return image[top : top + self.height, left : left + self.width]


@dataclass(frozen=True)
class Grayscale(ImageTransform):
    """Turn colour into one channel of luma; one channel stays as it is."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that comes of an image of this shape."""
        if shape[2] not in (1, 3):
            raise DataError(f"Expected images of 1 or 3 channels; received {shape[2]}.")
        return (*shape[:2], 1)

    def apply(self, image: NDArray[Any]) -> NDArray[Any]:
        """Turn one image gray."""
        if self.output_shape(image.shape) == image.shape:
            return image
        luma = image @ np.array(_LUMA, np.float32)
        if image.dtype == np.uint8:
            luma = np.rint(luma)
        return luma[..., None].astype(image.dtype)


@dataclass(frozen=True)
class Denoise(ImageTransform):
    """Replace each value by the median of its neighbourhood, a channel at a time."""

    window: int = 3

    @classmethod
    def parse(cls, value: str | None) -> Self:
        """Read an odd window; 3 without a value."""
        window = 3 if value is None else int(value)
        if window % 2 == 0 or not 1 < window <= _LARGEST_WINDOW:
            raise ValueError(value)
        return cls(window)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape that comes of an image of this shape."""
        return shape

    def apply(self, image: NDArray[Any]) -> NDArray[Any]:
        """Filter one image."""
        from scipy.ndimage import median_filter  # type: ignore[import-untyped,unused-ignore]

        size = (self.window, self.window, 1)
        return np.asarray(median_filter(image, size=size, mode="nearest"))


@dataclass(frozen=True)
class Normalize(Transform):
    """Map the field's range to ``low`` to ``high``, as float32."""

    low: float
    high: float

    @classmethod
    def parse(cls, value: str | None) -> Self:
        """Read the bounds."""
        low, high = (float(part) for part in (value or "").split(","))
        if not (low < high and math.isfinite(high - low)):
            raise ValueError(value)
        return cls(low, high)

    def output(self, field: Field) -> Field:
        """Return the field with the new range and dtype."""
        if field.range is None:
            raise DataError(f"Expected a field with a range to normalize; received {field}.")
        return replace(field, dtype="float32", range=(self.low, self.high))

    def __call__(
        self,
        images: NDArray[Any],
        field: Field,
        rng: Generator | None = None,  # noqa: ARG002
    ) -> NDArray[Any]:
        """Map the values."""
        low, _ = field.range or (0.0, 1.0)
        scale = (self.high - self.low) / field.span
        values = (images.astype(np.float32) - np.float32(low)) * np.float32(scale)
        values += np.float32(self.low)
        # Rounding may step over a bound by one unit in the last place.
        return np.clip(values, self.low, self.high, out=values)

    def undo(self, items: NDArray[Any], field: Field) -> NDArray[Any]:
        """Map the values back, to whole numbers where those were integers."""
        unit = (items.astype(np.float64) - self.low) / (self.high - self.low)
        low, high = field.range or (0.0, 1.0)
        values = low + unit * (high - low)
        whole = np.issubdtype(np.dtype(field.dtype), np.integer)
        return (np.rint(values) if whole else values).astype(field.dtype)


@dataclass(frozen=True)
class Flip(Transform):
    """Mirror left to right half of the images, drawn anew for each batch."""

    random: ClassVar[bool] = True

    def output(self, field: Field) -> Field:
        """Return the field, which stays the same."""
        return field

    def __call__(
        self,
        images: NDArray[Any],
        field: Field,  # noqa: ARG002
        rng: Generator | None = None,
    ) -> NDArray[Any]:
        """Mirror some images."""
        if rng is None:
            raise UsageError("Expected a random stream to draw flips from; received none.")
        mirrored = rng.random(len(images)) < 0.5  # noqa: PLR2004
        return np.where(mirrored[:, None, None, None], images[:, :, ::-1], images)


def _sides(value: str | None) -> tuple[int, int]:
    matched = re.fullmatch(r"([0-9]{1,5})(?:x([0-9]{1,5}))?", value or "")
    if not matched:
        raise ValueError(value)
    height, width = int(matched[1]), int(matched[2] or matched[1])
    if not (0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE):
        raise ValueError(value)
    return height, width
