"""Weights of others: GPT-2, Llama and Qwen-2 become a ``gpt``, and back."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from genkit.engine.state import ModelState
from genkit.errors import DataError, UsageError
from genkit.files import write_json
from genkit.runs.inputs import build_model
from genkit_language.adapters import merged
from genkit_language.architectures import architecture_of, config_of, settings_of
from genkit_language.bpe import BPE
from genkit_language.configs import GPTConfig
from genkit_language.data import schema_of
from genkit_language.foreign_folder import (
    CONFIG,
    GENERATION,
    WEIGHTS,
    ForeignFolder,
    found_folder,
    new_folder,
)
from genkit_language.safetensors_files import Tensor
from genkit_language.tokenizer_json import tokenizer_json
from genkit_language.weight_map import PREFIXES, Match, is_unused, matches

MODEL = ("gpt", "genkit-keras-language")
_OURS = "network/"
_ROWS = ("table", "head")  # a row a token
_LONGER = (*_ROWS, "places")  # there may be more of than is needed
_FINE_TUNING = {"optimizer": "adamw", "learning_rate": 1e-4, "weight_decay": 0.01}


def read_weights(source: str | Path, *, context: int | None = None) -> Any:
    """Return a ``gpt`` with the weights of a GPT-2, Llama or Qwen-2; the backend must be active.

    Rows of the table that no token has are left out, as are places beyond the context.

    Args:
        source: a folder in the layout of transformers, with a tokenizer of BPE of bytes; or, where
            there is none and huggingface-hub is installed, a model's id.
        context: tokens to see at once, at most as many as the model was made for; by default all of
            them where places are learned, and at most 2,048 where they are rotary.

    Returns:
        a ``genkit.Model`` that generates and scores. Its settings of training are for going on from
        such weights.

    Raises:
        DataError: another architecture or format, a damaged file, weights that are missing, are not
            expected or have another shape, or a tokenizer with more tokens than the table has rows.
        UsageError: a longer context.
        RunError: links lead out of the folder.
    """
    folder = ForeignFolder(found_folder(str(source)))
    kind = architecture_of(folder.config)
    settings = {**settings_of(folder.config, context), **_FINE_TUNING}
    all_ = matches(kind, GPTConfig(**settings))
    found = _expected(folder, kind, all_, tied=settings["tied"])
    tokenizer = BPE.load(folder.path, ends=False, end=_end_of(folder))
    schema, assets = schema_of(tokenizer)
    model: Any = build_model(*MODEL, settings, schema, assets=assets, at_most=folder.holds)
    weights = {key.removeprefix(_OURS): each for key, each in ModelState(model).weights.items()}
    _fill(weights, all_, found)
    if surplus := found[all_[0].theirs[0]].shape[0] - tokenizer.size:
        warnings.warn(
            f"The table of {folder.path} has {surplus:,} rows that no token has: left out.",
            stacklevel=2,
        )
    return model


def _end_of(folder: ForeignFolder) -> Any:
    """Return the number of the token that ends a text, as the files say; the first of several."""
    for told in (folder.config, folder.generation):
        end = told.get("eos_token_id")
        end = end[0] if isinstance(end, list) and end else end
        if end is not None:
            return end
    return None


def _expected(
    folder: ForeignFolder, kind: str, all_: list[Match], *, tied: bool
) -> dict[str, Tensor]:
    """Return a folder's arrays by their names without prefix, after these were compared."""
    found: dict[str, Tensor] = {}
    for name, tensor in folder.tensors.items():
        short = name.removeprefix(PREFIXES[kind])
        if found.setdefault(short, tensor) is not tensor:
            raise DataError(f"Expected {short!r} once in {folder.path}; it is there twice.")
    found = {name: found[name] for name in found if not is_unused(kind, name, tied=tied)}
    names = [name for each in all_ for name in each.theirs]
    missing, surplus = [n for n in names if n not in found], sorted(found.keys() - {*names})
    if missing or surplus:
        raise DataError(
            f"Expected the weights of a {kind} in {folder.path}: missing {_some(missing)}; not "
            f"expected {_some(surplus)}."
        )
    return found


def _fill(weights: Mapping[str, Any], all_: list[Match], found: Mapping[str, Tensor]) -> None:
    """Read each array into the variables that it is for, after all shapes were compared."""
    shapes = {key: tuple(variable.shape) for key, variable in weights.items()}
    for match in all_:
        for name in match.theirs:
            _check_shape(match, found[name], match.shape_of_theirs(shapes))
    for match in all_:
        arrays = [found[name].read() for name in match.theirs]
        if match.ours[0] in _LONGER:
            arrays = [array[: shapes[match.ours[0]][0]] for array in arrays]
        for key, array in match.to_ours(arrays, shapes):
            weights[key].assign(array)


def _check_shape(match: Match, tensor: Tensor, expected: tuple[int, ...]) -> None:
    right = tensor.shape == expected
    if match.ours[0] in _LONGER and len(tensor.shape) == len(expected):
        right = tensor.shape[0] >= expected[0] and tensor.shape[1:] == expected[1:]
        if match.ours[0] in _ROWS and tensor.shape[0] < expected[0]:
            raise DataError(
                f"Expected a row for each of the tokenizer's {expected[0]:,} tokens in "
                f"{tensor.name}; it has {tensor.shape[0]:,}.",
                "The tokenizer is of another model.",
            )
    if not right:
        raise DataError(
            f"Expected {tensor.name} in {tensor.file} of shape {expected}; received {tensor.shape}."
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""  # noqa: PLR2004
    return (", ".join(names[:4]) or "none")[:300] + more


def write_weights(model: Any, folder: str | Path) -> None:
    """Write a ``gpt`` as GPT-2, Llama or Qwen-2, in the layout that transformers opens.

    Weights are float32; narrow matrices of fine-tuning are added to those beside them. The
    tokenizer, of any kind, goes along as ``tokenizer.json``.

    Args:
        model: as ``genkit.load`` or ``read_weights`` give it.
        folder: a new one.

    Raises:
        UsageError: the model is no ``gpt``, or has a part that none of the three has; or the folder
            exists.
    """
    from genkit_language.gpt import GPT

    if not isinstance(model, GPT):
        raise UsageError(
            f"Expected a gpt to write as others have it; received {type(model).__name__}."
        )
    config, tokenizer = model.config, model.tokenizer
    hidden = model.network.blocks[0].hidden
    told = config_of(config, model.network.size, tokenizer.end, hidden)
    form, end = tokenizer_json(tokenizer)
    weights = {k.removeprefix(_OURS): each for k, each in ModelState(model).read()[0].items()}
    if config.lora_rank:
        weights = merged(weights, config.lora_alpha / config.lora_rank)
    arrays = _theirs(told["model_type"], model, weights)
    with new_folder(Path(folder)) as place:
        save_file(arrays, place / WEIGHTS, metadata={"format": "pt"})
        write_json(place / CONFIG, told)
        ends = {} if end is None else {"eos_token_id": tokenizer.end, "bos_token_id": tokenizer.end}
        write_json(place / GENERATION, {"_from_model_config": True, **ends})
        (place / "tokenizer.json").write_text(json.dumps(form, ensure_ascii=False), "utf-8")
        write_json(
            place / "tokenizer_config.json",
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": config.context,
                "clean_up_tokenization_spaces": False,
                **({} if end is None else {"eos_token": end, "bos_token": end}),
            },
        )


def _theirs(
    kind: str, model: Any, weights: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a file by name; offsets that a GPT-2 has and the model hasn't are 0."""
    config, found = model.config, {}
    full = config if kind != "gpt2" else config.model_copy(update={"bias": True})
    for match in matches(kind, full):
        ours = {key: weights[key] for key in match.ours if key in weights}
        if len(ours) < len(match.ours):
            ours = _zeros(match, weights)
        for name, array in match.to_theirs(ours):
            prefix = "" if name.startswith("lm_head") else PREFIXES[kind]
            found[prefix + name] = array
    return found


def _zeros(match: Match, weights: Mapping[str, NDArray[np.float32]]) -> dict[str, Any]:
    """Return offsets that change nothing, as wide as what they stand beside."""
    found = {}
    for key in match.ours:
        home, _, name = key.rpartition("/")
        beside = weights[f"{home}/{'gamma' if name == 'beta' else 'kernel'}"]
        found[key] = weights.get(key, np.zeros(beside.shape[-1], np.float32))
    return found
