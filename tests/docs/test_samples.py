"""Every sample in the documentation runs as it stands there.

KERAS_BACKEND chooses the backend; without it GenKit does.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import variables
from tests.docs import warm
from tests.docs.documents import SAMPLES, path_with

pytestmark = pytest.mark.slow

# What is ported from another framework needs that one; nox -s tests(all) has all of them.
PORTED = ("port_keras.py", "port_torch.py", "port_jax.py")
PYTHON = [
    pytest.param(name, marks=pytest.mark.cross_backend) if name in PORTED else name
    for name in sorted(p.name for p in SAMPLES.glob("*.py"))
    if name != "in_a_notebook.py"  # runs as the notebook that it is
]
# The tutorial that installs what it makes has a test and an environment of its own.
SHELL = sorted(p.name for p in SAMPLES.glob("*.sh") if p.name != "first_generator.sh")
# A sample's time is that of its imports and compilations; the tutorial trains longer.
FEW_STEPS = "--steps 20"
# The plugins in the documentation, by the sample that needs them installed.
PLUGINS = {"plugin.sh": "plugin", "morse.sh": "morse"}


def environment(**more: str) -> dict[str, str]:
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {k: v for k, v in variables().items() if not k.startswith("GENKIT_")}
    return {**kept, "PATH": scripts, "TF_CPP_MIN_LOG_LEVEL": "3", **more}


def check(command: list[str], folder: Path, **more: str) -> str:
    return passed(
        subprocess.run(
            command, cwd=folder, env=environment(**more), capture_output=True, text=True,
            check=False,
        )
    )  # fmt: skip


def passed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PYTHON)
def test_python_sample_runs(name, tmp_path, commands):
    if name in PORTED or sys.platform != "linux":
        check([sys.executable, str(SAMPLES / name)], tmp_path)
    else:
        passed(warm.run_python(commands, SAMPLES / name, tmp_path))


@pytest.mark.parametrize("name", SHELL)
def test_shell_sample_runs(name, tmp_path, commands):
    text = (SAMPLES / name).read_text(encoding="utf-8")
    wanted = set(re.findall(r"--backend (\w+)", text))
    if missing := sorted(b for b in wanted if importlib.util.find_spec(b) is None):
        pytest.skip(f"not installed: {', '.join(missing)}")
    for recipe in (SAMPLES / "recipes").glob("*.toml"):
        shutil.copy(recipe, tmp_path)
    # A sample that names its backends must not need the variable: a reader has not set it.
    more = {"KERAS_BACKEND": ""} if wanted else {}
    if name in ("own_images.sh", "transfer.sh"):
        check([sys.executable, str(SAMPLES / "make_images.py")], tmp_path)
    if name in PLUGINS:
        more["PYTHONPATH"] = path_with(PLUGINS[name], tmp_path / "site")
    text = re.sub(r"--steps \d+", FEW_STEPS, text)
    if more or sys.platform != "linux":
        check(["bash", "-ec", text], tmp_path, **more)
    else:
        passed(warm.run_shell(commands, text, tmp_path))


@pytest.mark.parametrize("name", sorted(p.name for p in (SAMPLES / "recipes").glob("*.toml")))
def test_recipe_is_valid(name, tmp_path):
    check(["genkit", "run", "--recipe", str(SAMPLES / "recipes" / name), "--dry-run"], tmp_path)


@pytest.mark.parametrize("folder", PLUGINS.values())
def test_the_plugin_passes_its_own_test(folder, tmp_path):
    (own_test,) = (SAMPLES / folder).glob("test_*.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--rootdir", str(tmp_path), str(own_test)]
    path = path_with(folder, tmp_path / "site")
    check(command, tmp_path, PYTHONPATH=path, PYTHONDONTWRITEBYTECODE="1")


def test_the_plugin_can_be_disabled_by_entry_point_and_by_distribution(tmp_path):
    path = path_with("plugin", tmp_path / "site")
    command = ["genkit", "list", "plugins"]
    assert "genkit-keras-rings" in check(command, tmp_path, PYTHONPATH=path)
    for name in ("rings", "genkit-keras-rings", "all"):
        shown = check(command, tmp_path, PYTHONPATH=path, GENKIT_DISABLE_PLUGINS=name)
        assert "genkit-keras-rings" not in shown
