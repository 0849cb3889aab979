"""Items of text as metrics see them: as models present them, or as tokens, as data has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from genkit.evaluation import Context
from genkit_language.kept_tokenizer import read_tokenizer


def texts_of(items: Iterable[Any], context: Context) -> list[str]:
    """Return items as text.

    Args:
        items: ``str``, or numbers of tokens.
        context: has the tokenizer, for the latter.

    Raises:
        DataError: numbers without a tokenizer.
    """
    items = list(items)
    if all(isinstance(item, str) for item in items):
        return items
    tokenizer = read_tokenizer(context.assets)
    return [item if isinstance(item, str) else tokenizer.decode(item) for item in items]
