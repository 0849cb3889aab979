"""The base of every settings class: validated, frozen, free of Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import pydantic

from genkit.errors import UsageError
from genkit.plugins.names import suggestion

AbsolutePath = Annotated[Path, pydantic.AfterValidator(lambda path: path.expanduser().absolute())]
"""The annotation of a path in settings: it still holds when a run is resumed from elsewhere."""

ConfigT = TypeVar("ConfigT", bound="Config")


class Config(pydantic.BaseModel):
    """Base of the settings of a model or data set.

    Give every field a type, a default and a ``description``: ``genkit info`` shows them.

    Example:
        >>> from pydantic import Field
        >>> class TinyConfig(Config):
        ...     latent_dim: int = Field(32, ge=1, description="Length of the noise vector")
        >>> TinyConfig(latent_dim=8).latent_dim
        8
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def parse(config_class: type[ConfigT], settings: Mapping[str, Any], what: str) -> ConfigT:
    """Validate settings against a config class.

    Args:
        config_class: the class.
        settings: values by field name.
        what: whose settings they are, for the message (``"model dcgan"``).

    Raises:
        UsageError: an unknown field or a bad value; one line, the first fault.
    """
    if not isinstance(settings, Mapping):  # a file may say anything
        raise UsageError(f"Expected the settings of the {what} by name; received {settings!r:.80}.")
    try:
        return config_class.model_validate(dict(settings))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = list(config_class.model_fields)
            raise UsageError(
                f"The {what} has no setting {name!r}.",
                suggestion(name, known) or f"It has: {', '.join(known) or 'none'}.",
            ) from None
        problem = first["msg"].removeprefix("Value error, ")
        raise UsageError(
            f"The setting {name!r} of the {what}: {_lower_first(problem)}; "
            f"received {first['input']!r:.200}."
        ) from None


def describe(config_class: type[Config]) -> list[dict[str, str]]:
    """List a config's fields for people: name, type, default, meaning."""
    return [
        {
            "name": name,
            "type": _type_in_words(field),
            "default": "required" if field.is_required() else repr(field.get_default()),
            "meaning": field.description or "",
        }
        for name, field in config_class.model_fields.items()
    ]


_LIMITS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def _type_in_words(field: Any) -> str:
    """Write a field's type and limits, ``int >= 1, <= 4096`` or ``'RGB' or 'L' or None``."""
    if get_origin(field.annotation) in (Literal, Union, UnionType):
        words = " or ".join(_part_in_words(part) for part in get_args(field.annotation))
    else:
        words = _part_in_words(field.annotation)
    return f"{words} {_limits_in_words(field.metadata)}".strip()


def _limits_in_words(metadata: Iterable[Any]) -> str:
    limits = [
        f"{sign} {getattr(limit, name)}"
        for limit in metadata
        for name, sign in _LIMITS.items()
        if hasattr(limit, name)
    ]
    return ", ".join(limits)


def _part_in_words(part: Any) -> str:
    if part is NoneType:
        return "None"
    if isinstance(part, str):
        return repr(part)
    if get_origin(part) is Literal:
        return " or ".join(repr(choice) for choice in get_args(part))
    if get_origin(part) is Annotated:
        plain, *metadata = get_args(part)
        each = [m for m in metadata for m in getattr(m, "metadata", [m])]
        return f"{_part_in_words(plain)} {_limits_in_words(each)}".strip()
    if get_origin(part) in (tuple, list):
        return f"list of {_part_in_words(get_args(part)[0])}"
    return str(getattr(part, "__name__", part))


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
