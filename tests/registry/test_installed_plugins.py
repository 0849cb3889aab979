"""Entry points of installed distributions, in processes of their own."""

import json

import pytest

from genkit.builtin.model_specs import MODELS

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
