"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable

import genkit

_SPLITS = ("train", "validation")


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register a person's own text, and one to begin with."""
    yield genkit.DatasetSpec(
        name="text",
        summary="Your own text: a file, a folder of .txt files, a column of JSON Lines or Parquet",
        source="genkit_language.data:open_text",
        config="genkit_language.configs:TextConfig",
        modality="text",
        splits=_SPLITS,
        fake="genkit_language.data:write_fake",
    )
    yield genkit.DatasetSpec(
        name="tinyshakespeare",
        summary="A million characters of Shakespeare's plays, a part of the package",
        source="genkit_language.data:open_tinyshakespeare",
        config="genkit_language.configs:ShakespeareConfig",
        modality="text",
        splits=_SPLITS,
        licence="public domain",
        homepage="https://github.com/karpathy/char-rnn",
    )
