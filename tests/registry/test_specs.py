"""Records are frozen, valid from the start, and light."""

import dataclasses
import json
from typing import Annotated

import pytest
from pydantic import Field

import genkit
from genkit.errors import DataError, PluginError
from genkit.plugins.config import Config, describe
from genkit.plugins.specs import Schema, resolve


def model_spec(**changes):
    fields = {
        "name": "tiny",
        "summary": "A tiny model",
        "model": "tiny.model:Tiny",
        "config": "tiny.config:TinyConfig",
        "accepts": ("image",),
    }
    return genkit.ModelSpec(**{**fields, **changes})


def test_a_record_can_not_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        model_spec().name = "other"
    with pytest.raises(TypeError):
        model_spec().presets["default"] = {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "Tiny Model"}, "name: lower case"),
        ({"summary": "two\nlines"}, "summary: one line"),
        ({"model": "tiny.model"}, "'module:attribute' reference"),
        ({"model": "os; import sys:x"}, "'module:attribute' reference"),
        ({"config": print}, "'module:attribute' reference"),
        ({"presets": {"quick": {}}}, "one called 'default'"),
        ({"accepts": "image"}, "accepts: a tuple"),
    ],
)
def test_a_bad_record_says_what_was_expected_and_shows_itself(change, expected):
    with pytest.raises(PluginError, match=expected) as caught:
        model_spec(**change)
    assert "ModelSpec(" in str(caught.value)


def test_a_reference_is_imported_only_when_used():
    spec = model_spec(model="no.such.module:Thing")
    with pytest.raises(PluginError, match=r"no\.such\.module:Thing.*can't be imported"):
        resolve(spec.model)
    assert resolve("json:dumps") is json.dumps


CAPTIONED = Schema(
    {
        "caption": genkit.Field((), "string", "text"),
        "label": genkit.Field((), "int32", "label", classes=("a", "b")),
        "photo": genkit.Field((8, 8, 3), "uint8", "image", (0, 255)),
        "drawing": genkit.Field((8, 8, 1), "uint8", "image", (0, 255)),
    }
)


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"accepts": ("image",)}, ("photo",)),
        ({"accepts": ("text", "image")}, ("caption",)),
        ({"accepts": ("image",), "generates": ("image",)}, ("photo", "drawing")),
        ({"accepts": ("image",), "generates": ("image", "text")}, ("caption", "photo", "drawing")),
    ],
)
def test_a_record_and_a_schema_fix_the_output_fields(said, fields):
    assert model_spec(**said).output_fields(CAPTIONED) == fields


def test_data_without_what_a_model_generates_is_refused():
    with pytest.raises(DataError, match="modality 'audio'"):
        model_spec(generates=("audio",)).output_fields(CAPTIONED)


def test_no_modality_comes_first_where_no_record_says_what_is_generated():
    assert CAPTIONED.main_field() == "caption"


@pytest.mark.parametrize(
    ("splits", "held_out"),
    [((), ""), (("train", "test"), "test"), (("train", "test", "extra"), "test"),
     (("train", "validation"), "validation")],
)  # fmt: skip
def test_a_record_of_data_says_what_training_does_not_see(splits, held_out):
    spec = genkit.DatasetSpec(
        name="d", summary="D", source="a:b", config="a:c", modality="text", splits=splits
    )
    assert spec.held_out == held_out


def test_a_schema_survives_json():
    schema = Schema(
        {
            "image": genkit.Field((28, 28, 1), "uint8", "image", (0, 255)),
            "label": genkit.Field((), "int32", "label", classes=("a", "b")),
        }
    )
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"image": {}},
        {"image": {"shape": [0], "dtype": "uint8", "modality": "image"}},
        {"image": {"shape": [2], "dtype": "object", "modality": "image"}},
        {"image": {"shape": [2], "dtype": "uint8", "modality": "image", "range": [2, 1]}},
        {"image": {"shape": 3, "dtype": "uint8", "modality": "image"}},
        {"image": "nonsense"},
        [1, 2],
    ],
)
def test_a_damaged_schema_is_a_data_error(data):
    with pytest.raises(DataError):
        Schema.from_dict(data)


def test_a_missing_modality_is_named_with_what_there_is():
    schema = Schema({"text": genkit.Field((None,), "int32", "text")})
    with pytest.raises(DataError, match=r"modality 'image'.*text \(text\)"):
        schema.name_of("image")
    with pytest.raises(DataError, match=r"sub-folders, one a class"):
        schema.name_of("label")


def test_limits_are_described_where_they_are_written():
    class Limited(Config):
        one: int = Field(1, ge=1, description="A count")
        maybe: Annotated[float, Field(gt=0, le=2)] | None = Field(None, description="A rate")

    types = {row["name"]: row["type"] for row in describe(Limited)}
    assert types == {"one": "int >= 1", "maybe": "float > 0, <= 2 or None"}
