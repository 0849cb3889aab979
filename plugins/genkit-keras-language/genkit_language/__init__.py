"""Language: tokenizers, text as data, and a small GPT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genkit_language.weights import read_weights, write_weights

__all__ = ["read_weights", "write_weights"]


def __getattr__(name: str) -> Any:
    """Load what needs Keras on its first use: every genkit command imports this package."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from genkit_language import weights

    return getattr(weights, name)
