"""What isn't installed is a hint: plugins of the repository, extras of a distribution."""

import importlib
import json
import tomllib
from pathlib import Path

import pytest

import genkit
from genkit.builtin import plugin as builtin
from genkit.builtin.zoo import zoo_models
from genkit.cli import info, listing
from genkit.errors import RunError, UnknownNameError, UsageError
from genkit.plan.plan import make_plan
from genkit.plugins import entries, registry, repository
from genkit.plugins.entries import KINDS
from genkit.plugins.entry_points import Plugin
from genkit.plugins.names import near_misses
from genkit.plugins.registry import Registry
from genkit.runs.inputs import model_entry

pytestmark = pytest.mark.once

FOLDERS = sorted((Path(__file__).parents[2] / "plugins").glob("*/pyproject.toml"))


@pytest.fixture
def bare(monkeypatch):
    """A base install, whatever is installed here."""
    monkeypatch.setattr(repository.RepositoryPlugin, "is_installed", lambda self: False)
    found = Registry([])
    found.add(builtin, Plugin("builtin", "genkit-keras", "0.1"))
    with registry.using(found):
        yield found


@pytest.mark.parametrize("file", FOLDERS, ids=lambda file: file.parent.name)
def test_what_a_plugin_of_the_repository_brings_is_known(file, monkeypatch):
    monkeypatch.syspath_prepend(str(file.parent))
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    (module,) = project["entry-points"]["genkit.plugins"].values()
    found = Registry([importlib.import_module(module)])
    known = {plugin.distribution: plugin for plugin in repository.REPOSITORY}[project["name"]]
    assert {k: list(names) for k, names in known.brings.items()} == {
        kind: found.names(kind) for kind in KINDS if found.names(kind)
    }
    others = [each.partition(">")[0] for each in project["dependencies"]]
    needed = [each.parent for each in FOLDERS if each.parent.name in others]
    root = FOLDERS[0].parents[2]
    paths = [f"./{folder.relative_to(root)}" for folder in (*needed, file.parent)]
    assert known.install_command == " ".join(["pip install", *paths])


def test_no_plugin_of_the_repository_is_forgotten():
    assert [file.parent.name for file in FOLDERS] == [p.distribution for p in repository.REPOSITORY]


@pytest.mark.parametrize("name", ["ease", "genkit-keras-recsys/ease"])
def test_a_model_of_a_plugin_that_is_not_here_names_the_plugin(bare, name):
    with pytest.raises(UnknownNameError, match=r"genkit-keras-recsys, which is not installed") as e:
        bare.find("models", name)
    assert e.value.hint.endswith("pip install ./plugins/genkit-keras-recsys")


def test_a_plugin_that_is_there_and_does_not_answer_is_not_to_be_installed(bare, monkeypatch):
    monkeypatch.setattr(repository.RepositoryPlugin, "is_installed", lambda self: True)
    with pytest.raises(UnknownNameError, match="is left out or failed. See: genkit doctor"):
        bare.find("models", "ease")


def test_a_run_of_a_model_that_is_not_here_says_what_installs_it(bare):
    with pytest.raises(RunError, match=r"pip install \./plugins/genkit-keras-points"):
        model_entry("points-gan", "genkit-keras-points")
    with pytest.raises(RunError, match="pip install genkit-keras-other"):
        model_entry("other", "genkit-keras-other")


@pytest.mark.parametrize(
    ("name", "near"),
    [("VAE", ["vae"]), ("Mnist", ["mnist"]), ("dc_gan", ["dcgan", "cgan"]), ("xyz", [])],
)
def test_a_near_miss_is_found_whatever_its_case(name, near):
    assert near_misses(name, ["vae", "dcgan", "cgan", "mnist"]) == near


def test_list_and_info_show_what_is_not_installed(bare, capsys):
    listing.list_specs("models", as_json=True)
    told = json.loads(capsys.readouterr().out)["not_installed"]
    assert [row["name"] for row in told] == [
        "genkit-keras-language", "genkit-keras-multimodal", "genkit-keras-points",
        "genkit-keras-recsys", "genkit-keras-style", "genkit-keras-tabular",
        "genkit-keras-text2image",
    ]  # fmt: skip
    assert "ease" in told[3]["brings"]["models"]
    assert set(told[2]["brings"]) == {"models"}
    listing.list_specs("models")
    assert "pip install ./plugins/" in capsys.readouterr().out
    info.info("genkit-keras-dp")
    assert "pip install ./plugins/genkit-keras-dp" in capsys.readouterr().out


@pytest.fixture
def without_loggers(bare, monkeypatch):
    """An install without the extras."""
    real = entries.find_spec
    absent = {"tensorboard", "mlflow"}
    monkeypatch.setattr(entries, "find_spec", lambda n: None if n in absent else real(n))
    return bare


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_logger_that_is_not_installed_is_refused_by_the_plan(without_loggers, name):
    with pytest.raises(UsageError, match=f"{name} needs {name}.*not installed here") as refused:
        make_plan(without_loggers, {"model": "vae", "log": [name]})
    assert refused.value.hint == f"Install it with: pip install 'genkit-keras[{name}]'"


def test_list_and_info_show_extras(without_loggers, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    listing.list_specs("callbacks")
    out = " ".join(capsys.readouterr().out.split())
    assert "genkit-keras[mlflow], not installed" in out
    info.info("mlflow")
    assert "pip install 'genkit-keras[mlflow]'" in capsys.readouterr().out


def test_the_extras_that_records_name_are_there():
    file = Path(__file__).parents[2] / "pyproject.toml"
    extras = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    found = Registry([builtin])
    named = {e.spec.extra for kind in KINDS for e in found.entries(kind)} - {""}
    assert named == {"tensorboard", "mlflow"}
    assert named <= extras.keys()


def test_a_record_with_packages_names_their_extra():
    with pytest.raises(genkit.GenkitError, match="extra: what installs the packages"):
        genkit.CallbackSpec(name="a", summary="A", callback="a:B", packages=("b",))


def test_presets_are_a_table_with_what_to_expect(bare, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    (known,) = (m for m in zoo_models() if (m.model, m.preset) == ("gan", "default"))
    info.info("gan")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["name", "data", "set", "length", "time", "FID", "settings"] in rows
    (row,) = (row for row in rows if row[:2] == ["default", "mnist"])
    assert row[4:7] == [f"{known.seconds / 60:.1f}", "min", f"{known.figures['fid']:.3g}"]
    info.info("gan", as_json=True)
    told = json.loads(capsys.readouterr().out)["expected"]
    assert told["default"]["seconds"] == known.seconds


def test_a_model_of_another_distribution_has_no_figures_of_the_zoo():
    presets = {"default": {"dataset": "mnist"}}
    asked = {"name": "vae", "distribution": "genkit-keras-mine", "presets": presets}
    assert info._expected(asked) == {}
    assert "default" in info._expected({**asked, "distribution": "genkit-keras"})
