"""Values that come as text, from flags: read by the setting's type, never by how they look."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pydantic

_NOT_A_LIST = {"list_type", "tuple_type", "set_type", "frozen_set_type"}


def read_text(text: str, kind: Any, validate: Callable[[Any], Any]) -> Any:
    """Return the value that a text stands for.

    A setting that takes text or a path takes it as it was typed. Of the others, numbers and truth
    values may be written as TOML writes them (``0x10``, ``1e3``), lists as TOML or with commas,
    tables as TOML, and ``none`` is the value None where the setting has it.

    Args:
        text: what was typed.
        kind: the setting's type.
        validate: returns a value as the setting has it, or raises.

    Raises:
        pydantic.ValidationError: the text stands for no value of that type.
    """
    kinds = _alternatives(kind)
    if any(_takes_text(each) for each in kinds):
        return validate(text)
    written = _toml(text)
    if isinstance(written, (list, dict)):
        return validate(written)
    try:
        return validate(text)
    except pydantic.ValidationError as error:
        if NoneType in kinds and text.strip().lower() == "none":
            return validate(None)
        if isinstance(written, (float, int, str)) and not isinstance(written, bool):
            return validate(written)
        if error.errors()[0]["type"] in _NOT_A_LIST and not text.lstrip().startswith("["):
            return validate([part.strip() for part in text.split(",")])
        raise


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the types of a union, each without its annotations; of another type, itself."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return tuple(part for each in get_args(kind) for part in _alternatives(each))
    return (kind,)


def _takes_text(kind: Any) -> bool:
    return kind is Any or (isinstance(kind, type) and issubclass(kind, (str, PurePath)))


def _toml(text: str) -> Any:
    """Return the value that TOML reads in a text; None where it reads none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
