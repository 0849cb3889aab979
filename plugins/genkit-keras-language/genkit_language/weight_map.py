"""Which of our weights are which of GPT-2's, Llama's and Qwen-2's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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


@dataclass(frozen=True)
class Match:
    """Weights that are the same numbers: ours side by side are theirs side by side.

    Args:
        ours: paths below the network, with their last axes.
        theirs: names without prefix. Several are of one size.
        shape: of ours side by side.
        turned: whether theirs are ``(out, in)``, as PyTorch's Linear has them.
    """

    ours: Mapping[str, int]
    theirs: tuple[str, ...]
    shape: tuple[int, ...]
    turned: bool = False

    @property
    def shape_of_theirs(self) -> tuple[int, ...]:
        """The shape that each of theirs has."""
        shape = (*self.shape[:-1], self.shape[-1] // len(self.theirs))
        return shape[::-1] if self.turned else shape

    @property
    def may_be_longer(self) -> bool:
        """Whether theirs may have more rows than are needed: tokens, or places."""
        return not self.ours.keys().isdisjoint(("table", "head", "places"))

    def to_ours(
        self, arrays: list[NDArray[np.float32]]
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield our paths and arrays.

        Args:
            arrays: theirs, in order.
        """
        whole = np.concatenate([each.T if self.turned else each for each in arrays], axis=-1)
        ends = np.cumsum(list(self.ours.values()))[:-1]
        yield from zip(self.ours, np.split(whole, ends, axis=-1), strict=True)

    def to_theirs(
        self, arrays: Iterable[NDArray[np.float32]]
    ) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield their names, without prefix, and arrays.

        Args:
            arrays: ours, in order.
        """
        whole = np.concatenate(list(arrays), axis=-1)
        for name, part in zip(self.theirs, np.split(whole, len(self.theirs), axis=-1), strict=True):
            yield name, np.ascontiguousarray(part.T if self.turned else part)


def matches(kind: str, config: GPTConfig, size: int) -> list[Match]:
    """Return all weights of a model.

    Args:
        kind: of the architecture.
        config: of ``gpt``.
        size: how many tokens there are.
    """
    found: list[Match] = []
    wide = config.width
    if kind == "gpt2":
        found += [
            Match({"table": wide}, ("wte.weight",), (size, wide)),
            Match({"places": wide}, ("wpe.weight",), (config.context, wide)),
            *_layer_norm("norm", "ln_f", wide),
        ]
    else:
        found += [
            Match({"table": wide}, ("embed_tokens.weight",), (size, wide)),
            Match({"norm/scale": wide}, ("norm.weight",), (wide,)),
        ]
    for number in range(config.layers):
        for each in _gpt2_block(config) if kind == "gpt2" else _llama_block(config):
            ours = {f"blocks/{number}/{path}": last for path, last in each.ours.items()}
            theirs = tuple(f"{_BLOCKS[kind]}.{number}.{name}" for name in each.theirs)
            found.append(replace(each, ours=ours, theirs=theirs))
    if not config.tied:
        found.append(Match({"head": wide}, (HEAD,), (size, wide)))
    return found


def is_unused(kind: str, name: str, *, tied: bool) -> bool:
    """Whether an array of a file isn't needed: a mask, or a head that is the table again."""
    return name.endswith(_UNUSED[kind]) or (tied and name == HEAD)


_BLOCKS = {"gpt2": "h", "llama": "layers", "qwen2": "layers"}


def _layer_norm(ours: str, theirs: str, wide: int) -> Iterator[Match]:
    yield Match({f"{ours}/gamma": wide}, (f"{theirs}.weight",), (wide,))
    yield Match({f"{ours}/beta": wide}, (f"{theirs}.bias",), (wide,))


def _dense(config: GPTConfig) -> dict[str, tuple[int, dict[str, int]]]:
    """Return the dense layers of a block that stand side by side: what goes in, what comes out."""
    wide, hidden = config.width, config.hidden_units
    query = config.heads * config.channels_a_head
    key_value = 2 * (config.kv_heads or config.heads) * config.channels_a_head
    gated = 2 if config.activation == "swiglu" else 1
    return {
        "qkv": (wide, {"attention/query": query, "attention/key_value": key_value}),
        "mixed": (query, {"attention/mixed": wide}),
        "up": (wide, {"up": gated * hidden}),
        "down": (hidden, {"down": wide}),
    }


def _gpt2_block(config: GPTConfig) -> Iterator[Match]:
    yield from _layer_norm("before_attention", "ln_1", config.width)
    yield from _layer_norm("before_dense", "ln_2", config.width)
    names = {"qkv": "attn.c_attn", "mixed": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}
    for part, (into, ours) in _dense(config).items():  # Conv1D is (in, out), as ours
        out = sum(ours.values())
        kernels = {f"{path}/kernel": last for path, last in ours.items()}
        yield Match(kernels, (f"{names[part]}.weight",), (into, out))
        biases = {f"{path}/bias": last for path, last in ours.items()}
        yield Match(biases, (f"{names[part]}.bias",), (out,))


def _llama_block(config: GPTConfig) -> Iterator[Match]:
    wide = config.width
    yield Match({"before_attention/scale": wide}, ("input_layernorm.weight",), (wide,))
    yield Match({"before_dense/scale": wide}, ("post_attention_layernorm.weight",), (wide,))
    names = {
        "attention/query": ("self_attn.q_proj",),
        "attention/key_value": ("self_attn.k_proj", "self_attn.v_proj"),
        "attention/mixed": ("self_attn.o_proj",),
        "up": ("mlp.gate_proj", "mlp.up_proj"),
        "down": ("mlp.down_proj",),
    }
    for part, (into, ours) in _dense(config).items():
        for path, out in ours.items():
            weights = tuple(f"{each}.weight" for each in names[path])
            yield Match({f"{path}/kernel": out}, weights, (into, out), turned=True)
            if config.bias or (config.qkv_bias and part == "qkv"):
                biases = tuple(f"{each}.bias" for each in names[path])
                yield Match({f"{path}/bias": out}, biases, (out,))
