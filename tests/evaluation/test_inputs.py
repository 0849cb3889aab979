"""What an evaluation compares with, where nobody says it."""

from typing import Literal

import numpy as np
import pytest

import genkit
from genkit.data import ArraySource
from genkit.evaluation.inputs import open_reference
from genkit.evaluation.results import Weights
from genkit.plugins.registry import Registry

pytestmark = pytest.mark.once


class Parts(genkit.Config):
    split: Literal["train", "validation", "test"] = "train"


def open_parts(config):
    row = np.full((2, 3), ["train", "validation", "test"].index(config.split), "float32")
    return ArraySource({"x": row}, genkit.Schema({"x": genkit.Field((3,), "float32", "vector")}))


class WithParts:
    def __init__(self, *splits):
        self.splits = splits

    @genkit.hookimpl
    def genkit_datasets(self):
        here = "tests.evaluation.test_inputs"
        yield genkit.DatasetSpec(
            name="parts",
            summary="Parts",
            source=f"{here}:open_parts",
            config=f"{here}:Parts",
            modality="vector",
            splits=self.splits,
        )


@pytest.mark.parametrize(
    ("splits", "asked", "right"),
    [
        (("train", "validation"), None, "validation"),
        (("train", "validation", "test"), None, "test"),
        (("train", "test", "validation"), None, "test"),
        (("train", "validation"), "train", "train"),
    ],
)
def test_items_are_compared_with_those_held_out_unless_others_are_named(
    tmp_path, splits, asked, right
):
    registry = Registry(plugins=[WithParts(*splits)])
    reference = open_reference(Weights(tmp_path, None, ""), registry, "parts", {}, asked)
    assert reference.split == right
    assert reference.source.arrays["x"][0, 0] == ["train", "validation", "test"].index(right)
