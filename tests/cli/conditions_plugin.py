"""A plugin whose model shows the conditions that it is given: two columns and a prompt."""

import numpy as np
from keras import ops

import genkit
from genkit.data import ColumnSource, Ragged

LABEL = genkit.Condition("label", modality="label")
CONDITIONS = (
    genkit.Condition("income", required=True),
    genkit.Condition("age"),
    genkit.Condition("prompt", modality="text", longest=12),
)


def open_records(_):
    """Open a little table: what somebody earns, how old they are, what they say, and a vector."""
    schema = genkit.Schema(
        {
            "income": genkit.Field((), "int32", "category", classes=("<=50K", ">50K")),
            "age": genkit.Field((), "int32", "number", (17, 90)),
            "words": genkit.Field((None,), "int32", "text", (0, 25)),
            "label": genkit.Field((), "int32", "label", classes=("ant", "bee", "cat")),
            "shown": genkit.Field((4,), "float32", "vector"),
        }
    )
    columns = {
        "income": np.array([0, 1], np.int32),
        "age": np.array([17, 90], np.int32),
        "words": Ragged.of([[1, 2], [3]], "int32"),
        "label": np.array([0, 1], np.int32),
        "shown": np.ones((2, 4), np.float32),
    }
    return ColumnSource(columns, schema)


class Shown(genkit.Model):
    """Generates label, income, age (-1 where it isn't given) and the prompt's length."""

    conditional = True
    conditions = CONDITIONS

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.mean = self.add_weight(shape=(4,), initializer="zeros", name="mean")

    def solve(self, source):
        return {"items": len(source)}

    def encode_condition(self, name, values):
        if name == "prompt" and all(isinstance(text, str) for text in values):
            return [np.array([ord(c) % 26 for c in text]) for text in values]
        return super().encode_condition(name, values)

    def decode(self, *, label, income, age, age_missing, prompt_length, **_):
        columns = [label, income, ops.where(age_missing, -1, age), prompt_length]
        return ops.stack([ops.cast(each, "float32") for each in columns], 1) + self.mean


@genkit.hookimpl
def genkit_datasets():
    yield genkit.DatasetSpec(
        name="records", summary="Two records", modality="vector",
        source=f"{__name__}:open_records", config="genkit.plugins.config:Config",
    )  # fmt: skip


@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(
        name="shown", summary="Its conditions", accepts=("vector",),
        model=f"{__name__}:Shown", config="genkit.plugins.config:Config",
        trainer="closed-form", presets={"default": {"dataset": "records"}},
        conditions=(LABEL, *CONDITIONS),
    )  # fmt: skip
