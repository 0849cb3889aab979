"""Which held-out items are training items: whole items are compared, and chance is taken off."""

import numpy as np
import pytest

from genkit import Field, Schema
from genkit.data import ArraySource
from genkit.evaluation.held_out import shared_items

FIELDS = ("age", "height")
SCHEMA = Schema({name: Field((), "float64", "number") for name in FIELDS})


def people(age, height):
    return ArraySource({"age": np.float64(age), "height": np.float64(height)}, SCHEMA)


def test_people_of_one_age_are_not_the_same_people():
    rng = np.random.default_rng(0)
    height = rng.normal(170, 10, 200)
    training = people(np.arange(100) % 10, height[:100])
    others = people(np.arange(100) % 10, height[100:])
    assert shared_items(training, others, FIELDS) == 0
    assert shared_items(training, training, FIELDS) == 1
    half = people(np.arange(100) % 10, np.concatenate([height[:50], height[100:150]]))
    assert shared_items(training, half, FIELDS) == 0.5


def test_rows_of_few_categories_are_alike_by_chance():
    rng = np.random.default_rng(0)
    training = people(rng.integers(0, 3, 500), rng.integers(0, 3, 500))
    others = people(rng.integers(0, 3, 500), rng.integers(0, 3, 500))
    assert shared_items(training, others, FIELDS) == pytest.approx(0, abs=0.02)
