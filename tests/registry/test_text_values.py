"""Text from flags is read by a setting's type, never by how it looks."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BeforeValidator, Field

from genkit.errors import UsageError
from genkit.plugins.config import AbsolutePath, Config, parse

pytestmark = pytest.mark.once


class Tried(Config):
    path: AbsolutePath = Path("/x")
    maybe: AbsolutePath | None = None
    name: str | None = None
    time: str | float | None = None
    count: int = Field(1, ge=1)
    limit: int | None = None
    rate: float = 0.5
    switch: bool = False
    mode: Literal["RGB", "L"] | None = None
    steps: Literal["auto"] | int = "auto"
    three: tuple[float, float, float] | None = None
    names: list[str] = Field([])
    words: Annotated[
        tuple[str, ...], BeforeValidator(lambda v: v.split() if isinstance(v, str) else v)
    ] = ()
    table: dict[str, Any] = Field({})


def read(name, text):
    return getattr(parse(Tried, {name: text}, "model tried"), name)


@pytest.mark.parametrize("text", ["2024", "2024-01-01", "true", "1e3", "inf", "[1]", "none", "'q'"])
def test_text_and_paths_are_as_typed(text):
    assert read("name", text) == text
    assert read("time", text) == text
    for setting in ("path", "maybe"):
        assert read(setting, text) == Path.cwd() / text


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        ("count", "64", 64),
        ("count", "1e3", 1000),
        ("count", "0x10", 16),
        ("limit", "none", None),
        ("limit", "7", 7),
        ("rate", "1e-3", 1e-3),
        ("rate", "2024", 2024.0),
        ("switch", "true", True),
        ("switch", "no", False),
        ("mode", "L", "L"),
        ("mode", '"L"', "L"),
        ("mode", "None", None),
        ("steps", "auto", "auto"),
        ("steps", "3", 3),
        ("three", "1, 2,3", (1, 2, 3)),
        ("three", "[1, 2, 3]", (1, 2, 3)),
        ("names", "2024,true", ["2024", "true"]),
        ("names", '["a, b", "c"]', ["a, b", "c"]),
        ("words", "resize=32 flip", ("resize=32", "flip")),
        ("words", '["resize=32", "flip"]', ("resize=32", "flip")),
        ("table", '{a = 1, b = "x"}', {"a": 1, "b": "x"}),
        ("path", "~nobody-of-this-name/x", Path.cwd() / "~nobody-of-this-name/x"),
    ],
)
def test_other_settings_are_read_by_their_type(setting, text, value):
    made = read(setting, text)
    assert made == value
    assert type(made) is type(value) or isinstance(value, Path)


@pytest.mark.parametrize(
    ("setting", "text", "message"),
    [
        ("count", "true", "valid integer.*received 'true'"),
        ("count", "2024-01-01", "valid integer"),
        ("count", "1.5", "fractional part; received 1.5"),
        ("count", "none", "valid integer"),
        ("count", "0", "greater than or equal to 1"),
        ("count", "[" * 2000, "valid integer"),
        ("rate", "nan", "finite"),
        ("rate", "0,5", "valid number"),
        ("switch", "maybe", "valid boolean"),
        ("mode", "rgb", "'RGB' or 'L'; received 'rgb'"),
        ("three", "1,x,3", "'three.1'.*received 'x'"),
        ("three", "1,2", "'three.2'"),
        ("names", '["a", b]', "valid list"),
        ("table", "a=1", "valid dictionary"),
        ("path", "", "expected a path; received ''"),
        ("maybe", "", "expected a path; received ''"),
        ("path", "a\0b", "expected a path"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(setting, text, message):
    with pytest.raises(UsageError, match=message):
        read(setting, text)
