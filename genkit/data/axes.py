"""Which axis of a person's own images is which: checked by what sizes are likely."""

from __future__ import annotations

from genkit.errors import DataError

CHANNELS = range(1, 5)
"""How many channels usual images have: gray, with transparency, colour, both."""


def check_axes(name: str, shape: tuple[int, ...], otherwise: str) -> None:
    """Refuse images that look as if their axes were in another order.

    Axes are expected as ``(items, height, width, channels)`` or ``(items, height, width)``. Many
    channels are taken as they are where the height is not that of a few channels, or equals the
    width: latents of 4x4 with 16 channels are no image of 4 channels.

    Args:
        name: of the array, for the message.
        shape: its shape.
        otherwise: what to do if the axes are right, a sentence.

    Raises:
        DataError: with the way to mend them.
    """
    if len(shape) == 3:  # noqa: PLR2004
        if shape[2] in CHANNELS[2:] and min(shape[:2]) > CHANNELS[-1]:
            raise _unlikely(
                name, shape, "a single image", f"Add an axis: {name}[None]. {otherwise}"
            )
        return
    if len(shape) != 4 or shape[3] in CHANNELS or shape[1] == shape[2]:  # noqa: PLR2004
        return
    if shape[1] in CHANNELS:
        move = f"numpy.moveaxis({name}, 1, -1)"
        raise _unlikely(name, shape, "channels first", f"Move them: {move}. {otherwise}")
    if shape[2] in CHANNELS:
        last = shape[0] == shape[1]  # a square, (height, width, channels, items)
        moved = "items last" if last else "channels before the width"
        move = f"numpy.moveaxis({name}, {'-1, 0' if last else '2, -1'})"
        raise _unlikely(name, shape, moved, f"Move them: {move}. {otherwise}")


def _unlikely(name: str, shape: tuple[int, ...], guess: str, hint: str) -> DataError:
    return DataError(
        f"Expected {name!r} as (items, height, width, channels); the shape {shape} looks like "
        f"{guess}.",
        hint.strip(),
    )
