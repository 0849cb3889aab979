"""What the image models ask of a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genkit.errors import DataError

if TYPE_CHECKING:
    from genkit.plugins.specs import Schema


def image_shape(schema: Schema, model: str, multiple_of: int = 1) -> tuple[int, int, int]:
    """Return the ``(height, width, channels)`` of the schema's image field.

    Raises:
        DataError: no image field, sizes that vary or that the model can't halve often enough, or
            no range.
    """
    name = schema.name_of("image")
    shape, limits = schema[name].shape, schema[name].range
    if len(shape) != 3 or None in shape or limits is None:  # noqa: PLR2004
        raise DataError(
            f"{model} needs images of one size (height, width, channels) with a range; "
            f"received {schema[name]}."
        )
    height, width, channels = (int(size or 0) for size in shape)
    if height % multiple_of or width % multiple_of:
        up = [-(-size // multiple_of) * multiple_of for size in (height, width)]
        raise DataError(
            f"{model} needs a height and width that are multiples of {multiple_of}; "
            f"received {height}x{width}.",
            f"Add: --data transforms=resize={up[0]}x{up[1]}",
        )
    return height, width, channels
