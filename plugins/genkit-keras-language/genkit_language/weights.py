"""Weights of others: GPT-2, Llama and Qwen-2 become a ``gpt``, and back."""

from __future__ import annotations

import json
import math
import warnings
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray
from safetensors.numpy import save_file

from genkit.errors import DataError, UsageError
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
from genkit_language.gpt import GPT
from genkit_language.network import check_widths
from genkit_language.plugin import genkit_models
from genkit_language.safetensors_files import Tensor
from genkit_language.tokenizer_json import tokenizer_json
from genkit_language.weight_map import HEAD, PREFIXES, Match, is_unused, matches

_FINE_TUNING = {"optimizer": "adamw", "learning_rate": 1e-4, "weight_decay": 0.01}


def read_weights(source: str | Path, *, context: int | None = None) -> GPT:
    """Return a ``gpt`` with the weights of a GPT-2, Llama or Qwen-2; the backend must be active.

    Rows of the table that no token has are left out, as are places beyond the context.

    Args:
        source: a folder in the layout of transformers, with a tokenizer of BPE of bytes; or, where
            there is none and huggingface-hub is installed, a model's id.
        context: tokens to see at once, at most as many as the model was made for; by default all of
            them where places are learned, and at most 2,048 where they are rotary.

    Returns:
        the model, which generates and scores. Its settings of training are for going on from
        such weights.

    Raises:
        DataError: another architecture or format, a damaged file, weights that are missing, are not
            expected or have another shape, or a tokenizer with more tokens than the table has rows;
            all told before memory is taken.
        UsageError: a longer context.
    """
    folder = ForeignFolder(found_folder(str(source)))
    kind = architecture_of(folder.config)
    config = GPTConfig(**{**settings_of(folder.config, context), **_FINE_TUNING})
    check_widths(config)
    tokenizer = BPE.load(folder.path, ends=False, end=_end_of(folder))
    all_ = matches(kind, config, tokenizer.size)
    found = _compared(folder, kind, all_, tied=config.tied)
    schema, assets = schema_of(tokenizer)
    model = GPT(config, schema)
    (record,) = genkit_models()
    model.bind(schema, assets, record)
    for match in all_:
        _fill(model.network, match, [found[name] for name in match.theirs])
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


def _compared(
    folder: ForeignFolder, kind: str, all_: list[Match], *, tied: bool
) -> dict[str, Tensor]:
    """Return a folder's arrays by their names without prefix; names, shapes and sizes are right."""
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
    for match in all_:
        for name in match.theirs:
            _check_shape(match, found[name])
    if (total := sum(math.prod(match.shape) for match in all_)) > folder.holds:
        raise DataError(
            f"Expected files of {total:,} numbers in {folder.path}; they hold {folder.holds:,} at "
            "most, so their headers tell of the same bytes twice."
        )
    return found


def _check_shape(match: Match, tensor: Tensor) -> None:
    expected, shape = match.shape_of_theirs, tensor.shape
    if match.may_be_longer and len(shape) == len(expected) and shape[0] > expected[0]:
        shape = (expected[0], *shape[1:])
    if not match.ours.keys().isdisjoint(("table", "head")) and shape[:1] < expected[:1]:
        raise DataError(
            f"Expected a row for each of the tokenizer's {expected[0]:,} tokens in {tensor.name}; "
            f"its shape is {tensor.shape}.",
            "The tokenizer is of another model.",
        )
    if shape != expected:
        raise DataError(
            f"Expected {tensor.name} in {tensor.file} of shape {expected}; received {tensor.shape}."
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""  # noqa: PLR2004
    return (", ".join(names[:4]) or "none")[:300] + more


def _fill(network: Any, match: Match, tensors: list[Tensor]) -> None:
    arrays = [tensor.read() for tensor in tensors]
    if match.may_be_longer:
        arrays = [array[: match.shape[0]] for array in arrays]
    for path, array in match.to_ours(arrays):
        _at(network, path).assign(array)


def _at(network: Any, path: str) -> Any:
    """Return what is at a path below a network, ``blocks/0/up/kernel``; None if nothing is."""
    return reduce(
        lambda at, part: at[int(part)] if part.isdigit() else getattr(at, part, None),
        path.split("/"),
        network,
    )


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
    if not isinstance(model, GPT):
        raise UsageError(
            f"Expected a gpt to write as others have it; received {type(model).__name__}."
        )
    config, tokenizer = model.config, model.tokenizer
    told = config_of(config, model.network.size, tokenizer.end)
    form, end = tokenizer_json(tokenizer)
    with new_folder(Path(folder)) as place:
        arrays = _theirs(told["model_type"], model)
        save_file(arrays, place / WEIGHTS, metadata={"format": "pt"})
        ends = {} if end is None else {"eos_token_id": tokenizer.end, "bos_token_id": tokenizer.end}
        opens = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": config.context,
            "clean_up_tokenization_spaces": False,
            **({} if end is None else {"eos_token": end, "bos_token": end}),
        }
        for name, content in (
            (CONFIG, told),
            (GENERATION, {"_from_model_config": True, **ends}),
            ("tokenizer.json", form),
            ("tokenizer_config.json", opens),
        ):
            text = json.dumps(content, indent=2, ensure_ascii=False)
            (place / name).write_text(f"{text}\n", encoding="utf-8")


def _theirs(kind: str, model: GPT) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a file by name; offsets that a GPT-2 has and the model hasn't are 0."""
    found = {}
    for match in matches(kind, model.config, model.network.size):
        ours = [_ours(model.network, path, last) for path, last in match.ours.items()]
        for name, array in match.to_theirs(ours):
            found[name if name == HEAD else PREFIXES[kind] + name] = array
    return found


def _ours(network: Any, path: str, last: int) -> NDArray[np.float32]:
    layer, _, name = path.rpartition("/")
    if name == "kernel":
        return merged(_at(network, layer))
    variable = _at(network, path)
    if variable is None:
        return np.zeros(last, np.float32)
    return np.asarray(ops.convert_to_numpy(variable.value), np.float32)
