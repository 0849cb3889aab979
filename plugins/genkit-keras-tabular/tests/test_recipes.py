"""The recipes of real tables: what they read, and what they count. They need GENKIT_DATA."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from bench.recipes import RECIPES, measured

FILES = {
    "german-credit": ("german-credit/germancredit.csv", 1000, 20),
    "heart-disease": ("heart-disease/cleveland.csv", 303, 14),
    "shop": ("adventureworks-shop", 17_411, 7),
}


@pytest.mark.parametrize("name", FILES)
def test_a_recipe_reads_its_table_and_knows_its_groups(name):
    file, rows, columns = FILES[name]
    recipe = RECIPES[name]
    table = recipe.read(there(file))
    assert table.shape == (rows, columns)
    assert recipe.target[0] in table.column_names
    for group in recipe.groups.values():
        assert 0 < np.asarray(group(table)).mean() < 1


def test_a_recipe_sets_a_model_between_real_rows_and_nothing():
    recipe = RECIPES["heart-disease"]
    table = recipe.read(there(FILES["heart-disease"][0]))
    real, made = measured(recipe, table, ["tab-marginals"], 0)
    assert real["auc"] > 0.8 > made["auc"]
    assert 0 < real["sex 0, women"]["rate"] < real["sex 1, men"]["rate"]
    assert real["sex 0, women"]["share"] + real["sex 1, men"]["share"] == pytest.approx(1)
    assert made["copied"] == made["broken"] == 0


def there(file):
    folder = os.environ.get("GENKIT_DATA")
    if folder is None or not (path := Path(folder) / file).exists():
        pytest.skip(f"needs {file} in the folder that GENKIT_DATA names")
    return path
