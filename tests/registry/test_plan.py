"""Defaults < preset < recipe < flags; typos die early, with a suggestion. No framework."""

import pytest

from genkit.errors import BackendError, DataError, UsageError
from genkit.plan.plan import load_plan, make_plan, parse_duration, parse_settings, read_recipe
from genkit.plugins.entries import Entry
from genkit.plugins.registry import Registry


@pytest.fixture(scope="module")
def registry():
    from genkit.builtin import plugin

    return Registry([plugin])


def plan(registry, recipe=None, **flags):
    return make_plan(registry, {"model": "vae", **flags}, recipe)


def test_each_layer_wins_over_the_one_below(registry):
    assert plan(registry).config["latent_dim"] == 16  # the config class's default
    reference = plan(registry, preset="reference")
    assert reference.config["latent_dim"] == 2
    recipe = {"preset": "reference", "config": {"latent_dim": 3, "width": 8}}
    assert plan(registry, recipe).config["latent_dim"] == 3
    flagged = plan(registry, recipe, config={"latent_dim": 4})
    assert (flagged.config["latent_dim"], flagged.config["width"]) == (4, 8)
    assert flagged.config["hidden"] == 16, "what the preset says and nothing overrides stays"


def test_the_plan_names_everything_that_decides_the_run(registry):
    p = plan(registry, preset="reference", seed=7)
    assert (p.dataset, p.trainer, p.epochs, p.batch_size, p.seed) == (
        "mnist",
        "gradient",
        30,
        128,
        7,
    )
    assert set(p.distributions) == {"model", "dataset", "trainer"}
    assert load_plan(p.model_dump_json()) == p
    assert p.qualified("dataset") == f"{p.distributions['dataset']}/mnist"


def test_a_length_replaces_all_lengths_below_it(registry):
    p = plan(registry, steps=50)
    assert (p.steps, p.epochs, p.time) == (50, None, None)
    p = plan(registry, {"epochs": 3, "steps": 10})
    assert (p.steps, p.epochs) == (10, 3), "given together, both hold"
    assert plan(registry, {"epochs": 3}, time="10m").time == 600


def test_settings_of_another_data_set_are_dropped(registry):
    recipe = {"dataset": "mnist", "data": {"limit": 5}}
    assert plan(registry, recipe).data["limit"] == 5
    assert plan(registry, recipe, dataset="digits").data["limit"] is None
    assert plan(registry, {"data": {"limit": 5}}, dataset="digits").data["limit"] == 5


def test_an_alias_resolves_to_the_name(registry):
    assert plan(registry, model="gvae").model == "vae"


def test_the_backend_is_flag_then_recipe_then_environment(registry, monkeypatch):
    from genkit.plan import activation

    monkeypatch.setattr(activation, "active_backend", lambda: None)
    monkeypatch.setattr(activation, "find_spec", lambda _: True)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert plan(registry).backend == "torch"
    assert plan(registry, {"backend": "tensorflow"}).backend == "tensorflow"
    assert plan(registry, {"backend": "tensorflow"}, backend="jax").backend == "jax"
    assert plan(registry, {"backend": "tensorflow"}, backend="auto").backend == "tensorflow"
    monkeypatch.delenv("KERAS_BACKEND")
    assert plan(registry, backend="auto").backend == "jax"


def test_a_backend_that_is_not_installed_gives_the_install_line(monkeypatch):
    from genkit.plan import activation

    monkeypatch.setattr(activation, "find_spec", lambda _: None)
    with pytest.raises(BackendError, match=r"pip install 'genkit-keras\[tensorflow\]'"):
        activation.choose_backend("tensorflow")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(activation, "active_backend", lambda: None)
    with pytest.raises(BackendError, match=r"found none.*pip install 'genkit-keras\[jax\]'"):
        activation.choose_backend()


def test_the_backend_is_never_switched_inside_a_process(monkeypatch):
    from genkit.plan import activation

    monkeypatch.setattr(activation, "active_backend", lambda: "jax")
    monkeypatch.setattr(activation, "find_spec", lambda _: True)
    with pytest.raises(BackendError, match="already runs on 'jax'"):
        activation.activate("torch")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"model": "dcgn"}, "received 'dcgn'. Did you mean 'dcgan'"),
        ({"dataset": "minst"}, "Did you mean 'mnist'"),
        ({"trainer": "gradiant"}, "Did you mean 'gradient'"),
        ({"preset": "fast"}, "has no preset 'fast'; it has default, reference"),
        ({"backend": "jaxx"}, "received 'jaxx'. Did you mean 'jax'"),
        ({"config": {"latent_dmi": 3}}, "no setting 'latent_dmi'. Did you mean 'latent_dim'"),
        (
            {"config": {"latent_dim": 0}},
            "'latent_dim' of the model vae.*greater than or equal to 1",
        ),
        ({"config": {"latent_dim": "many"}}, "valid integer.*received 'many'"),
        ({"config": {"kl_weight": float("nan")}}, "finite"),
        ({"data": {"splitt": "test"}}, "data set mnist has no setting 'splitt'.*'split'"),
        (
            {"dataset": "image-folder", "data": {"paht": "photos"}},
            "has no setting 'paht'. Did you mean 'path'",
        ),
        ({"data": {"split": "half"}}, "'train', 'test' or 'all'"),
        ({"data": {"transforms": ["resise=3"]}}, "resize"),
        ({"callbacks": {"early-stop": {}}}, "Did you mean 'early-stopping'"),
        ({"batch_size": 0}, "'batch_size'.*received 0"),
        ({"seed": 2**31}, "'seed'"),
        ({"seed": -1}, "'seed'"),
        ({"steps": -1}, "'steps'"),
        ({"time": "soon"}, "90s, 10m or 1h30m; received 'soon'"),
        ({"model": None}, "Expected a model"),
    ],
)
def test_a_mistake_is_told_in_one_line(registry, flags, message):
    with pytest.raises(UsageError, match=message) as caught:
        plan(registry, **flags)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_typo_in_a_recipe_is_suggested(registry):
    with pytest.raises(UsageError, match="recipe has no setting 'epoch'. Did you mean 'epochs'"):
        plan(registry, {"epoch": 3})


def test_a_recipe_is_read_from_toml(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text('model = "vae"\n[config]\nlatent_dim = 3\n')
    assert read_recipe(file) == {"model": "vae", "config": {"latent_dim": 3}}
    file.write_text("model = ")
    with pytest.raises(UsageError, match="is not TOML"):
        read_recipe(file)
    with pytest.raises(UsageError, match="can't be read"):
        read_recipe(tmp_path / "none.toml")


def test_settings_stay_the_text_that_was_typed():
    assert parse_settings(["a=3", "b = 2024-01-01", "c=x=1 y"], "--set") == {
        "a": "3",
        "b": " 2024-01-01",
        "c": "x=1 y",
    }
    for pair in ("oops", "=3"):
        with pytest.raises(UsageError, match=f"key=value; received '{pair}'"):
            parse_settings([pair], "--set")


@pytest.mark.parametrize("name", ["2024", "2024-01-01", "true", "1e3", "[a]", "none", '"q"', "a b"])
def test_a_folder_may_be_called_anything(registry, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = parse_settings([f"path={name}", "limit=1e2", "transforms=resize=8"], "--data")
    resolved = plan(registry, dataset="image-folder", data=data).data
    assert resolved["path"] == str(tmp_path / name)
    assert (resolved["limit"], resolved["transforms"]) == (100, ["resize=8"])


def test_a_recipe_that_writes_text_as_a_number_is_told_of_quotes(registry):
    for data in ({"path": 2024}, {"path": "x", "image": 7}):
        with pytest.raises(UsageError, match="received (2024|7).*write it in quotes"):
            plan(registry, dataset="npz", data=data)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), ("45", 45), (1.5, 1.5)]
)
def test_a_duration(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1", "10 m", "1x", "inf", "nan", "m10"])
def test_a_bad_duration(text):
    with pytest.raises(UsageError, match="Expected a time"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"model": "vae"}'])
def test_a_damaged_plan_is_a_data_error(text):
    with pytest.raises(DataError, match="plan is damaged"):
        load_plan(text)


def test_log_names_callbacks_and_leaves_them_the_settings_they_have(registry, monkeypatch):
    monkeypatch.setattr(Entry, "check_packages", lambda _: None)  # whatever is installed here
    flagged = plan(registry, log=["tensorboard", "mlflow"])
    assert flagged.callbacks == {"tensorboard": {}, "mlflow": {}}
    recipe = {"log": ["mlflow"], "callbacks": {"tensorboard": {"every": 100}}}
    assert plan(registry, recipe).callbacks == {"mlflow": {}, "tensorboard": {"every": 100}}
    flagged = plan(registry, recipe, log=["tensorboard"])
    assert flagged.callbacks == {"tensorboard": {"every": 100}}
    with pytest.raises(UsageError, match="Did you mean 'tensorboard'"):
        plan(registry, log=["tensorbord"])


def test_a_setting_of_the_model_at_the_top_of_a_recipe_is_refused_with_its_table(registry):
    with pytest.raises(UsageError, match="the model vae has") as refused:
        make_plan(registry, {"model": "vae"}, {"latent_dim": 8})
    assert "table [config]" in refused.value.hint
    with pytest.raises(UsageError, match="no setting 'latent_dim'"):
        make_plan(registry, {}, {"latent_dim": 8})
    with pytest.raises(UsageError, match="setting 'preset'"):
        make_plan(registry, {"model": "vae"}, {"nothing": 8, "preset": ["a"]})
