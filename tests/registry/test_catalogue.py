"""What Python is told of what is installed: the rows of ``genkit list``, the facts of ``info``."""

import subprocess
import sys

import pytest

import genkit
from genkit.errors import UnknownNameError
from genkit.plugins.display import Description, Rows

pytestmark = pytest.mark.once


def test_models_and_data_sets_are_rows_that_print_as_a_table():
    models, datasets = genkit.list_models(), genkit.list_datasets()
    assert {"vae", "dcgan"} <= {row["name"] for row in models}
    assert {"mnist", "digits"} <= {row["name"] for row in datasets}
    head, first, *_ = repr(models).splitlines()
    assert head.split()[:2] == ["name", "summary"]
    assert first.startswith(models[0]["name"])
    assert f"<td>{models[0]['summary']}</td>" in models._repr_html_()


def test_a_model_is_described_with_its_settings_and_presets():
    told = genkit.info("vae")
    assert (told["kind"], told["name"]) == ("model", "vae")
    assert "default" in told["presets"]
    assert "latent_dim" in {row["name"] for row in told["config"]}
    text = repr(told)
    assert "\npresets default" in text
    assert "\nconfig\nname " in text
    assert "Length of the latent vector" in told._repr_html_()


def test_a_plugin_is_described_and_an_unknown_name_is_refused():
    assert genkit.info("builtin")["kind"] == "plugin"
    with pytest.raises(UnknownNameError) as refused:
        genkit.info("vea")
    assert "vae" in refused.value.hint


def test_what_comes_from_a_plugin_is_escaped():
    row = {"name": "<b>x", "summary": "a & b"}
    for shown in (Rows([row]), Description(row), Description(config=[row])):
        assert "&lt;b&gt;x" in shown._repr_html_()
        assert "<b>x" not in shown._repr_html_()


def test_rows_leave_out_what_is_empty_and_cut_what_is_long():
    rows = Rows([{"name": "a", "empty": [], "summary": "word " * 30}])
    assert repr(rows).splitlines()[0] == "name  summary"
    assert repr(rows).endswith("...")
    assert repr(Rows()) == "none"
    assert "none" in Rows()._repr_html_()


def test_asking_what_is_installed_imports_nothing_heavy():
    program = "import genkit, sys; repr(genkit.list_models()); repr(genkit.list_datasets());"
    program += "print(sorted({'numpy', 'keras', 'pydantic', 'PIL'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
