"""The base of every settings class: validated, frozen, free of Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import pydantic

from genkit.errors import UsageError
from genkit.plugins.names import suggestion
from genkit.plugins.text_values import read_text


def _possible(path: object) -> object:
    if path == "" or "\0" in str(path):  # pathlib takes nothing for the current folder
        raise ValueError("expected a path")
    return path


def _absolute(path: Path) -> Path:
    with suppress(RuntimeError):  # "~name" of nobody here is a file's own name
        path = path.expanduser()
    return path.absolute()


AbsolutePath = Annotated[
    Path, pydantic.BeforeValidator(_possible), pydantic.AfterValidator(_absolute)
]
"""The annotation of a path in settings: it still holds when a run is resumed from elsewhere."""

ConfigT = TypeVar("ConfigT", bound="Config")


class Config(pydantic.BaseModel):
    """Base of the settings of a model or data set.

    Give every field a type, a default and a ``description``: ``genkit info`` shows them. Text, as
    flags bring it, is read by the field's type: see ``genkit.plugins.text_values``.

    Example:
        >>> from pydantic import Field
        >>> class TinyConfig(Config):
        ...     latent_dim: int = Field(32, ge=1, description="Length of the noise vector")
        >>> TinyConfig(latent_dim=8).latent_dim
        8
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @pydantic.field_validator("*", mode="wrap")
    @classmethod
    def _read_text(
        cls, value: Any, validate: Callable[[Any], Any], info: pydantic.ValidationInfo
    ) -> Any:
        if not isinstance(value, str) or info.field_name is None:
            return validate(value)
        return read_text(value, cls.model_fields[info.field_name].annotation, validate)


def parse(
    config_class: type[ConfigT], settings: Mapping[str, Any], what: str, flag: str = ""
) -> ConfigT:
    """Validate settings against a config class.

    Args:
        config_class: the class.
        settings: values by field name.
        what: whose settings they are, for the message (``"model dcgan"``).
        flag: what gives one on the command line (``"--set"``), if anything does.

    Raises:
        UsageError: an unknown field or a bad value; one line, the first fault.
    """
    if not isinstance(settings, Mapping):  # a file may say anything
        raise UsageError(f"Expected the settings of the {what} by name; received {settings!r:.80}.")
    try:
        return config_class.model_validate(dict(settings))
    except pydantic.ValidationError as error:
        # What is missing comes last: a misspelt name is missing too.
        first = min(error.errors(), key=lambda fault: fault["type"] == "missing")
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = list(config_class.model_fields)
            raise UsageError(
                f"The {what} has no setting {name!r}.",
                suggestion(name, known) or f"It has: {', '.join(known) or 'none'}.",
            ) from None
        if first["type"] == "missing":
            raise _missing(config_class, name, what, flag) from None
        problem = first["msg"].removeprefix("Value error, ")
        if first["type"] == "path_type":  # pydantic names a Python class
            problem = "expected a path"
        raise UsageError(
            f"The setting {name!r} of the {what}: {_lower_first(problem)}; "
            f"received {first['input']!r:.200}.",
            "It is text: write it in quotes." if first["type"] in _NOT_TEXT else "",
        ) from None


_NOT_TEXT = {"string_type", "path_type"}


def _missing(config_class: type[Config], name: str, what: str, flag: str) -> UsageError:
    """Make the error for a setting without a default that was not given."""
    field = config_class.model_fields.get(name)
    meaning = f" ({field.description})" if field is not None and field.description else ""
    usual = "PATH" if field is not None and field.annotation is Path else "VALUE"
    value = next(iter((field and field.examples) or ()), usual)
    given = f"{flag} {name}={value}".strip()
    return UsageError(f"The {what} needs the setting {name!r}{meaning}.", f"Give it with: {given}")


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
