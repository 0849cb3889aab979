"""Entry points of installed distributions, in processes of their own."""

import json
import os
import re

import pytest

from genkit.builtin.model_specs import MODELS
from tests.benchmarks import many_plugins

GOOD = """
import genkit
print("hello from a plugin")
@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(name="rings", summary="Rings", model="r:M", config="r:C",
                           accepts=("vector",))
"""


def test_an_installed_plugin_is_listed_and_its_prints_do_not_spoil_json(install, genkit_command):
    env = install("genkit-keras-rings", "genkit_rings", GOOD)
    done = genkit_command("list", "--json", env=env)
    told = json.loads(done.stdout)
    found = next(m for m in told["models"] if m["name"] == "rings")
    assert found["distribution"] == "genkit-keras-rings"
    assert told["broken"] == []


@pytest.mark.slow
def test_a_plugin_that_fails_at_import_is_shown_and_harms_nothing(install, genkit_command):
    env = install("genkit-keras-broken", "genkit_broken", "import no_such_module")
    done = genkit_command("list", env=env)
    assert "dcgan" in done.stdout
    assert "genkit-keras-broken" in done.stderr
    told = json.loads(genkit_command("doctor", "--json", env={**env, "PATH": ""}).stdout)
    assert told["broken"][0]["stage"] == "import"
    assert "no_such_module" in told["broken"][0]["traceback"]


@pytest.mark.parametrize("value", ["genkit_rings", "genkit-keras-rings", "all", "other, all"])
def test_a_plugin_can_be_disabled(install, genkit_command, value):
    env = install("genkit-keras-rings", "genkit_rings", GOOD)
    env["GENKIT_DISABLE_PLUGINS"] = value
    told = json.loads(genkit_command("list", "models", "--json", env=env).stdout)
    names = {m["name"] for m in told["models"]}
    assert names == {spec.name for spec in MODELS}


def test_strict_mode_stops_the_command_in_one_line(install, genkit_command):
    env = install("genkit-keras-broken", "genkit_broken", "import no_such_module")
    env["GENKIT_STRICT_PLUGINS"] = "1"
    done = genkit_command("list", env=env, check=False)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "genkit-keras-broken" in done.stderr


SLEEPER = """
import time
{before}
import genkit
@genkit.hookimpl
def genkit_models():
    {inside}
    return []
"""


@pytest.mark.parametrize(
    ("before", "inside"),
    [("time.sleep(60)", "pass"), ("", "time.sleep(60)")],
    ids=["import", "hook"],
)
def test_a_plugin_that_hangs_is_given_notice_of_and_passed_over(
    before, inside, install, genkit_command
):
    install("genkit-keras-rings", "genkit_rings", GOOD)
    text = SLEEPER.format(before=before, inside=inside)
    env = install("genkit-keras-sleeper", "genkit_sleeper", text)
    env["GENKIT_PLUGIN_SECONDS"] = "1"
    done = genkit_command("list", "--json", env=env)
    assert "GENKIT_DISABLE_PLUGINS=genkit_sleeper" in done.stderr
    told = json.loads(done.stdout)
    assert "rings" in [m["name"] for m in told["models"]]
    assert "longer than 1 seconds" in told["broken"][0]["error"]
    assert told["broken"][0]["distribution"] == "genkit-keras-sleeper"


SHADOW = """
import os, subprocess, sys
os.write(1, b"straight to the descriptor\\n")
subprocess.run([sys.executable, "-c", "print('from a child')"])
import genkit
@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(name="vae", summary="Not the VAE", model="r:M", config="r:C",
                           accepts=("image",), aliases=("dcgan",))
@genkit.hookimpl
def genkit_datasets():
    yield genkit.DatasetSpec(name="digits", summary="Not digits", source="r:o", config="r:C",
                             modality="image")
"""


def test_a_built_in_keeps_its_name_and_json_stays_clean(install, genkit_command):
    env = install("genkit-keras-shadow", "genkit_shadow", SHADOW)
    wish = ["run", "vae", "--dataset", "digits", "--dry-run", "--json"]
    done = genkit_command(*wish, env=env)
    plan = json.loads(done.stdout)
    assert set(plan["distributions"].values()) == {"genkit-keras"}
    assert "straight to the descriptor" in done.stderr
    assert "from a child" in done.stderr
    listed = json.loads(genkit_command("list", "models", "--json", env=env).stdout)["models"]
    assert [m["distribution"] for m in listed if m["name"] == "vae"] == [
        "genkit-keras",
        "genkit-keras-shadow",
    ]


LEAVER = "import genkit, sys\n@genkit.hookimpl\ndef genkit_models():\n    sys.exit(3)\n"


def test_a_plugin_that_leaves_is_a_fault_like_others(install, genkit_command):
    env = install("genkit-keras-leaver", "genkit_leaver", LEAVER)
    told = json.loads(genkit_command("list", "--json", env=env).stdout)
    assert told["broken"][0]["error"].startswith("SystemExit")


def test_a_hundred_plugins_are_listed_and_the_five_broken_ones_named(tmp_path, genkit_command):
    many_plugins.install(tmp_path / "site")
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    done = genkit_command("list", "--json", env={"PYTHONPATH": path})
    told = json.loads(done.stdout)
    named = {f"toy-{number:03d}" for number in many_plugins.BROKEN}
    assert {fault["plugin"] for fault in told["broken"]} == named
    stages = [fault["stage"] for fault in sorted(told["broken"], key=lambda f: f["plugin"])]
    assert stages == ["import", "import", "call", "record", "hooks"]
    good = many_plugins.PLUGINS - len(many_plugins.BROKEN)
    assert len([m for m in told["models"] if m["name"].startswith("toy-")]) == good
    rows = {row["name"]: row for row in told["plugins"]}
    assert len(rows) == many_plugins.PLUGINS + 1
    assert {name for name, row in rows.items() if row["faults"]} == named
    assert rows["toy-000"]["brings"] == {"models": ["toy-0"]}
    assert rows["toy-007"]["version"] == "1.0"
    assert "no_such_module" in rows["toy-007"]["faults"][0]["error"]


@pytest.mark.parametrize("wanted", ["genkit-keras>=99", "genkit_keras[jax] (<0.0.1)"])
def test_a_plugin_that_knows_other_versions_only_is_named_and_not_imported(
    wanted, install, genkit_command
):
    env = install("genkit-keras-ahead", "genkit_ahead", "print('imported')", (wanted,))
    done = genkit_command("list", "plugins", "--json", env=env)
    (row,) = [r for r in json.loads(done.stdout)["plugins"] if r["name"] == "genkit_ahead"]
    assert row["faults"][0]["stage"] == "version"
    assert "It knows genkit-keras" in row["faults"][0]["error"]
    assert "imported" not in done.stderr


@pytest.mark.parametrize(
    "wanted",
    ["genkit-keras", "genkit-keras>=0.0.1", "genkit-keras>=99; python_version<'3'", "genkit-x>=99"],
)
def test_a_plugin_that_knows_this_version_is_loaded(wanted, install, genkit_command):
    env = install("genkit-keras-rings", "genkit_rings", GOOD, (wanted,))
    told = json.loads(genkit_command("list", "models", "--json", env=env).stdout)
    assert told["broken"] == []
    assert "rings" in [m["name"] for m in told["models"]]


def test_a_trace_tells_of_each_import_and_hook_call_with_its_duration(install, genkit_command):
    env = install("genkit-keras-rings", "genkit_rings", GOOD)
    env["GENKIT_TRACE_PLUGINS"] = "1"
    done = genkit_command("list", "--json", env=env)
    lines = [x for x in done.stderr.splitlines() if x.startswith("genkit-keras-rings")]
    pattern = r"genkit-keras-rings genkit_rings: (import genkit_rings|genkit_models) \d+\.\d ms"
    assert [re.fullmatch(pattern, line)[1] for line in lines] == [
        "import genkit_rings",
        "genkit_models",
    ]
    assert json.loads(done.stdout)["broken"] == []


def test_info_tells_all_about_a_plugin(install, genkit_command):
    env = install("genkit-keras-rings", "genkit_rings", GOOD)
    told = json.loads(genkit_command("info", "genkit-keras-rings", "--json", env=env).stdout)
    assert told["kind"] == "plugin"
    assert (told["version"], told["brings"]) == ("1.2", {"models": ["rings"]})
    env = install("genkit-keras-broken", "genkit_broken", "import no_such_module")
    done = genkit_command("info", "genkit_broken", env=env)
    assert "Failed at import" in done.stdout
