"""Language: tokenizers, text as data, and a small GPT.

The names below are public: other distributions build on them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genkit_language.configs import GPTConfig
    from genkit_language.network import Decoder
    from genkit_language.optimizing import optimizer_for, rate_factor
    from genkit_language.sampling import next_tokens
    from genkit_language.weights import read_weights, write_weights

# What needs Keras loads on its first use: every genkit command imports this package.
_HOME = {
    "Decoder": "network",
    "GPTConfig": "configs",
    "next_tokens": "sampling",
    "optimizer_for": "optimizing",
    "rate_factor": "optimizing",
    "read_weights": "weights",
    "write_weights": "weights",
}

__all__ = [
    "Decoder",
    "GPTConfig",
    "next_tokens",
    "optimizer_for",
    "rate_factor",
    "read_weights",
    "write_weights",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
