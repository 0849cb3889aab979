"""The records of the built-in transforms, all of images."""

from __future__ import annotations

from genkit.plugins.item_specs import TransformSpec

_HOME = "genkit.data.transforms"

TRANSFORMS = (
    TransformSpec(
        name="resize",
        summary="To exactly this height x width, antialiased",
        transform=f"{_HOME}:Resize",
        modality="image",
        examples=("resize=32", "resize=32x48"),
    ),
    TransformSpec(
        name="center-crop",
        summary="The middle, of this height x width",
        transform=f"{_HOME}:CenterCrop",
        modality="image",
        examples=("center-crop=4", "center-crop=4x8"),
        usage="center-crop=32 or center-crop=32x48",
    ),
    TransformSpec(
        name="grayscale",
        summary="One channel: luma of ITU-R BT.601",
        transform=f"{_HOME}:Grayscale",
        modality="image",
        examples=("grayscale",),
        usage="grayscale, without a value",
    ),
    TransformSpec(
        name="denoise",
        summary="Median of an odd window, 3 unless told",
        transform=f"{_HOME}:Denoise",
        modality="image",
        examples=("denoise", "denoise=5"),
        usage="denoise or an odd window such as denoise=5",
    ),
    TransformSpec(
        name="normalize",
        summary="float32, from the field's range to this one",
        transform=f"{_HOME}:Normalize",
        modality="image",
        examples=("normalize=-1,1", "normalize=0,1"),
        undone=True,
    ),
    TransformSpec(
        name="flip",
        summary="Left to right, half of the items, drawn anew for each batch",
        transform=f"{_HOME}:Flip",
        modality="image",
        examples=("flip",),
        usage="flip, without a value",
    ),
)
