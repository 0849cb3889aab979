"""Which of our weights are which of GPT-2's, Llama's and Qwen-2's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genkit_language.configs import GPTConfig

PREFIXES = {"gpt2": "transformer.", "llama": "model.", "qwen2": "model."}
"""What names begin with, in files of whole models; those of the body alone leave it out."""

HEAD = "lm_head.weight"
_UNUSED = {  # of files by older versions: masks and rates, which follow from the settings
    "gpt2": (".attn.bias", ".attn.masked_bias"),
    "llama": (".rotary_emb.inv_freq",),
    "qwen2": (".rotary_emb.inv_freq",),
}
Arrays = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Match:
    """Weights that are the same numbers: ours side by side are theirs side by side.

    Args:
        ours: keys below ``network/``.
        theirs: names without prefix. Several are of one size.
        turned: whether theirs are ``(out, in)``, as PyTorch's Linear has them.
    """

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    turned: bool = False

    def shape_of_theirs(self, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
        """Return the shape that each of theirs must have.

        Args:
            shapes: of ours.
        """
        first = shapes[self.ours[0]]
        last = sum(shapes[key][-1] for key in self.ours) // len(self.theirs)
        shape = (*first[:-1], last)
        return shape[::-1] if self.turned else shape

    def to_ours(
        self, arrays: list[NDArray[np.float32]], shapes: Mapping[str, tuple[int, ...]]
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield our keys and arrays.

        Args:
            arrays: theirs, in order.
            shapes: of ours.
        """
        whole = np.concatenate([each.T if self.turned else each for each in arrays], axis=-1)
        ends = np.cumsum([shapes[key][-1] for key in self.ours])[:-1]
        yield from zip(self.ours, np.split(whole, ends, axis=-1), strict=True)

    def to_theirs(self, arrays: Arrays) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield their names, without prefix, and arrays.

        Args:
            arrays: ours by key.
        """
        whole = np.concatenate([arrays[key] for key in self.ours], axis=-1)
        for name, part in zip(self.theirs, np.split(whole, len(self.theirs), axis=-1), strict=True):
            yield name, np.ascontiguousarray(part.T if self.turned else part)


def matches(kind: str, config: GPTConfig) -> list[Match]:
    """Return all weights of a model.

    Args:
        kind: of the architecture.
        config: of ``gpt``.
    """
    found = [*_outside(kind)]
    for number in range(config.layers):
        found += [
            replace(
                each,
                ours=tuple(f"blocks/{number}/{key}" for key in each.ours),
                theirs=tuple(f"{_BLOCKS[kind]}.{number}.{name}" for name in each.theirs),
            )
            for each in (_gpt2_block() if kind == "gpt2" else _llama_block(config))
        ]
    if not config.tied:
        found.append(Match(("head",), (HEAD,)))
    return found


def is_unused(kind: str, name: str, *, tied: bool) -> bool:
    """Whether an array of a file isn't needed: a mask, or a head that is the table again."""
    return name.endswith(_UNUSED[kind]) or (tied and name == HEAD)


_BLOCKS = {"gpt2": "h", "llama": "layers", "qwen2": "layers"}


def _outside(kind: str) -> Iterator[Match]:
    if kind == "gpt2":
        yield Match(("table",), ("wte.weight",))
        yield Match(("places",), ("wpe.weight",))
        yield from _layer_norm("norm", "ln_f")
    else:
        yield Match(("table",), ("embed_tokens.weight",))
        yield Match(("norm/scale",), ("norm.weight",))


def _layer_norm(ours: str, theirs: str) -> Iterator[Match]:
    yield Match((f"{ours}/gamma",), (f"{theirs}.weight",))
    yield Match((f"{ours}/beta",), (f"{theirs}.bias",))


def _gpt2_block() -> Iterator[Match]:
    yield from _layer_norm("before_attention", "ln_1")
    yield from _layer_norm("before_dense", "ln_2")
    for ours, theirs in (("kernel", "weight"), ("bias", "bias")):  # Conv1D is (in, out), as ours
        both = (f"attention/query/{ours}", f"attention/key_value/{ours}")
        yield Match(both, (f"attn.c_attn.{theirs}",))
        yield Match((f"attention/mixed/{ours}",), (f"attn.c_proj.{theirs}",))
        yield Match((f"up/{ours}",), (f"mlp.c_fc.{theirs}",))
        yield Match((f"down/{ours}",), (f"mlp.c_proj.{theirs}",))


def _llama_block(config: GPTConfig) -> Iterator[Match]:
    yield Match(("before_attention/scale",), ("input_layernorm.weight",))
    yield Match(("before_dense/scale",), ("post_attention_layernorm.weight",))
    parts = {
        "attention/query": ("self_attn.q_proj",),
        "attention/key_value": ("self_attn.k_proj", "self_attn.v_proj"),
        "attention/mixed": ("self_attn.o_proj",),
        "up": ("mlp.gate_proj", "mlp.up_proj"),
        "down": ("mlp.down_proj",),
    }
    for ours, theirs in parts.items():
        yield Match((f"{ours}/kernel",), tuple(f"{each}.weight" for each in theirs), turned=True)
        of_heads = ours in ("attention/query", "attention/key_value")
        if config.bias or (config.qkv_bias and of_heads):
            yield Match((f"{ours}/bias",), tuple(f"{each}.bias" for each in theirs))
