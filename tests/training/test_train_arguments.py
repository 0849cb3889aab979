"""``genkit.train`` has an argument for all that a recipe says, and says where others belong."""

import inspect

import pytest

import genkit
from genkit.errors import UsageError
from genkit.plan.plan import Recipe

pytestmark = pytest.mark.once


def test_every_setting_of_a_recipe_is_an_argument_that_an_editor_completes():
    arguments = inspect.signature(genkit.train).parameters
    assert set(Recipe.model_fields) <= set(arguments)
    told = inspect.getdoc(genkit.train)
    for name, argument in arguments.items():
        assert argument.annotation is not argument.empty, name
        assert f"{name}: " in told, name


@pytest.mark.parametrize(
    ("settings", "message", "hint"),
    [
        ({"latent_dim": 8}, "the model vae has", "Write config={'latent_dim': 8};"),
        ({"split": "train"}, "the data set mnist has", "Write data={'split': 'train'};"),
        ({"dataset": "npz", "path": "a.npz"}, "the data set npz has", "data={'path': 'a.npz'}"),
        ({"stesp": 3}, "no setting 'stesp'", "Did you mean 'steps'?"),
    ],
)
def test_a_setting_that_is_none_of_a_run_is_refused_with_where_it_belongs(
    settings, message, hint, tmp_path
):
    with pytest.raises(UsageError, match=message) as refused:
        genkit.train("vae", runs_dir=tmp_path, **settings)
    assert hint in refused.value.hint
    assert not list(tmp_path.iterdir())
