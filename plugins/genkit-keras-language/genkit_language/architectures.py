"""What the settings of GPT-2, Llama and Qwen-2 are called elsewhere, and here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from genkit.errors import DataError, UsageError
from genkit_language.configs import GPTConfig

ARCHITECTURES = ("gpt2", "llama", "qwen2")
_CLASSES = {"gpt2": "GPT2LMHeadModel", "llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM"}
_MOST_CONTEXT = 2048
_GELU = {"gelu_new": "gelu-tanh", "gelu": "gelu", "relu2": "squared-relu"}
_ALIASES = {"gelu_pytorch_tanh": "gelu_new"}

# Ours, theirs. What a file leaves out is as in transformers' own classes.
_NAMES = {
    "gpt2": {
        "context": "n_positions",
        "layers": "n_layer",
        "heads": "n_head",
        "width": "n_embd",
        "hidden": "n_inner",
        "norm_epsilon": "layer_norm_epsilon",
        "tied": "tie_word_embeddings",
    },
    "llama": {
        "context": "max_position_embeddings",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "kv_heads": "num_key_value_heads",
        "head_size": "head_dim",
        "width": "hidden_size",
        "hidden": "intermediate_size",
        "norm_epsilon": "rms_norm_eps",
        "tied": "tie_word_embeddings",
    },
}
_NAMES["qwen2"] = _NAMES["llama"]
_LEFT_OUT = {
    "gpt2": {"norm_epsilon": 1e-5, "tied": True, "hidden": None},
    "llama": {"norm_epsilon": 1e-6, "tied": False, "kv_heads": None, "head_size": None},
}
_LEFT_OUT["qwen2"] = _LEFT_OUT["llama"]
_FIXED = {
    "gpt2": {"places": "learned", "norm": "layer", "bias": True, "qkv_bias": False},
    "llama": {"places": "rotary", "norm": "rms", "activation": "swiglu", "qkv_bias": False},
    "qwen2": {
        "places": "rotary", "norm": "rms", "activation": "swiglu", "qkv_bias": True, "bias": False,
    },
}  # fmt: skip
_STRETCH = (
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_max_position_embeddings",
)
# Settings that ask for what isn't built, unless they have one of these values.
_PLAIN: dict[str, dict[str, tuple[Any, ...]]] = {
    "gpt2": {
        "scale_attn_weights": (True,),
        "scale_attn_by_inverse_layer_idx": (False,),
        "add_cross_attention": (False,),
    },
    "llama": {"hidden_act": ("silu",), "partial_rotary_factor": (1, None)},
    "qwen2": {"hidden_act": ("silu",), "use_sliding_window": (False,)},
}


def architecture_of(config: Mapping[str, Any]) -> str:
    """Return which of the architectures a ``config.json`` is of.

    Raises:
        DataError: none of them.
    """
    kind = config.get("model_type")
    if kind not in ARCHITECTURES:
        raise DataError(
            f"Expected weights of one of {', '.join(ARCHITECTURES)}; received {str(kind)[:60]!r}."
        )
    return str(kind)


def settings_of(config: Mapping[str, Any], context: int | None = None) -> dict[str, Any]:
    """Return the settings of ``gpt`` that compute what a ``config.json`` describes.

    Args:
        config: its contents.
        context: tokens to see at once, at most as many as the model was made for; by default all of
            them where places are learned, and at most 2,048 where they are rotary.

    Raises:
        DataError: it describes none of the architectures, or one with parts that aren't built.
        UsageError: a longer context.
    """
    kind = architecture_of(config)
    given = {ours: config.get(theirs) for ours, theirs in _NAMES[kind].items()}
    for ours, value in given.items():
        if value is None:
            if ours not in _LEFT_OUT[kind]:
                raise DataError(f"Expected {_NAMES[kind][ours]} in the model's config.json.")
            given[ours] = _LEFT_OUT[kind][ours]
    for name, plain in _PLAIN[kind].items():
        if config.get(name, plain[0]) not in plain:
            raise _not_built(f"{name} {config[name]!r}")
    more = _of_gpt2(config) if kind == "gpt2" else _of_llama(config, kind)
    settings = {**given, **_FIXED[kind], **more, "normed_heads": False}
    settings["context"] = _context(settings["context"], context, rotary=kind != "gpt2")
    try:
        return GPTConfig(**settings).model_dump(include=set(settings))
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0])
        raise DataError(
            f"Expected {_NAMES[kind].get(name, name)} in the model's config.json as gpt takes its "
            f"{name}: {fault['msg']}; received {str(settings[name])[:60]}."
        ) from error


def _context(most: Any, asked: int | None, *, rotary: bool) -> Any:
    if asked is None or type(most) is not int:
        return min(most, _MOST_CONTEXT) if rotary and type(most) is int else most
    if asked > most:
        raise UsageError(
            f"Expected a context of at most {most}, as the model has; received {asked}."
        )
    return asked


def _of_gpt2(config: Mapping[str, Any]) -> dict[str, Any]:
    name = config.get("activation_function", "gelu_new")
    name = _ALIASES.get(name, name) if isinstance(name, str) else ""
    if name not in _GELU:
        raise _not_built(f"activation_function {config['activation_function']!r}")
    return {"activation": _GELU[name]}


def _of_llama(config: Mapping[str, Any], kind: str) -> dict[str, Any]:
    rotary = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(rotary, Mapping):
        raise DataError(f"Expected rope_parameters by name; received {str(rotary)[:60]}.")
    found: dict[str, Any] = {"rotary_stretch": _stretch(rotary)}
    kinds = config.get("layer_types") or []
    if not isinstance(kinds, list) or any(each != "full_attention" for each in kinds):
        raise _not_built("attention to a sliding window")
    found["rotary_base"] = rotary.get("rope_theta", config.get("rope_theta", 10_000.0))
    if kind == "llama":
        biases = {bool(config.get("attention_bias")), bool(config.get("mlp_bias"))}
        if len(biases) > 1:
            raise _not_built("attention_bias without mlp_bias, or the other way round,")
        found["bias"] = biases.pop()
    return found


def _stretch(rotary: Mapping[str, Any]) -> tuple[Any, ...] | None:
    kind = rotary.get("rope_type", rotary.get("type", "default"))
    if kind == "default":
        return None
    if kind != "llama3" or not all(name in rotary for name in _STRETCH):
        raise _not_built(f"rotary places of the type {kind!r}")
    return tuple(rotary[name] for name in _STRETCH)


def _not_built(what: str) -> DataError:
    return DataError(f"Expected a model as `gpt` computes it; {str(what)[:80]} is not built.")


def config_of(config: GPTConfig, size: int, end: int | None) -> dict[str, Any]:
    """Return the ``config.json`` of a model with these settings.

    Args:
        config: of ``gpt``.
        size: how many tokens there are.
        end: number of the token that ends a document.

    Raises:
        UsageError: none of the architectures computes that; with what keeps it from the nearest.
    """
    kind = _nearest(config)
    settings = {
        **config.model_dump(),
        "hidden": config.hidden_units,
        "kv_heads": config.kv_heads or config.heads,
        "head_size": config.channels_a_head,
    }
    found: dict[str, Any] = {
        "architectures": [_CLASSES[kind]],
        "model_type": kind,
        "vocab_size": size,
        "bos_token_id": end,
        "eos_token_id": end,
        "dtype": "float32",
        **{theirs: settings[ours] for ours, theirs in _NAMES[kind].items()},
    }
    if kind == "gpt2":
        names = {ours: theirs for theirs, ours in _GELU.items()}
        return {**found, "activation_function": names[config.activation]}
    biased = {"attention_bias": config.bias, "mlp_bias": config.bias} if kind == "llama" else {}
    rotary: dict[str, Any] = {"rope_type": "default", "rope_theta": config.rotary_base}
    if config.rotary_stretch is not None:
        stretch = dict(zip(_STRETCH, config.rotary_stretch, strict=True))
        stretch["original_max_position_embeddings"] = int(config.rotary_stretch[-1])
        rotary |= {"rope_type": "llama3", **stretch}
    return {**found, **biased, "hidden_act": "silu", "rope_parameters": rotary} | {
        "rope_theta": config.rotary_base  # where versions before 5 look for it
    }


def _nearest(config: GPTConfig) -> str:
    if config.places == "learned":
        kind, wanted = "gpt2", {"norm": "layer", "qkv_bias": config.bias and config.qkv_bias}
        wanted |= {"activation": "gelu-tanh"} if config.activation == "swiglu" else {}
        if (config.kv_heads or config.heads) != config.heads:
            wanted["kv_heads"] = config.heads
        if config.channels_a_head * config.heads != config.width:
            wanted["head_size"] = None
    else:
        kind = "qwen2" if config.qkv_bias and not config.bias else "llama"
        wanted = {"norm": "rms", "activation": "swiglu"}
    wanted["normed_heads"] = False
    other = {name: value for name, value in wanted.items() if getattr(config, name) != value}
    if other:
        listed = ", ".join(f"{name}={value}" for name, value in other.items())
        raise UsageError(
            f"Expected a model that {kind} computes too, with {listed}; received "
            f"{', '.join(f'{name}={getattr(config, name)}' for name in other)}.",
            "The presets gpt2-124m, llama-like and nanogpt-cpu are of that kind.",
        )
    return kind
