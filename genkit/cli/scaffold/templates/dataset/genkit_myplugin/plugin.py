"""What the entry point names. Every genkit command imports it, so it imports nothing heavy."""

from collections.abc import Iterable

import genkit


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register the data set."""
    yield genkit.DatasetSpec(
        name="myplugin",
        summary="Gray images in a CSV file, a row each: label, then the pixels",
        source="genkit_myplugin.data:open_table",
        config="genkit_myplugin.settings:TableConfig",
        modality="image",
        splits=("train", "test"),
        subset=("limit",),
        fake="genkit_myplugin.fake:write_table",
    )
