"""Tests run under one backend, named by KERAS_BACKEND; `nox -s tests` goes through all."""

import os
import random
import sys
import tempfile
import warnings
from functools import partial
from pathlib import Path

import pytest

from genkit import cli
from genkit.plan import activation
from tests import balance, browser, compiling
from tests.commands import Commands
from tests.scaffold.environments import Environment

# JAX compiles each distinct step once a test session, not once a process.
_CACHE = tempfile.TemporaryDirectory(prefix="genkit-tests-jax-")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", _CACHE.name)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def pytest_report_header() -> str:
    there = ", ".join(activation.installed_backends())
    return f"backend: {activation.choose_backend()}; installed: {there}"


def pytest_configure(config: pytest.Config) -> None:
    for plugin in (balance, browser):
        if not config.pluginmanager.is_registered(plugin):
            config.pluginmanager.register(plugin)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = len(activation.installed_backends()) < len(activation.BACKENDS)
    skip = pytest.mark.skipif(missing, reason="needs all three backends installed")
    for item in items:
        if item.get_closest_marker("cross_backend"):
            item.add_marker(skip)
        if item.get_closest_marker("cross_backend") or item.get_closest_marker("full"):
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    random.seed(0)  # Keras draws the seeds of initial weights from here


@pytest.fixture(scope="session")
def active_backend() -> str:
    return activation.activate()


@pytest.fixture(scope="module")
def compiled_fast(active_backend):
    """Let XLA leave optimisation out: see ``tests.compiling``."""
    with compiling.compiled_fast(active_backend):
        yield


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real raw data, named by GENKIT_DATA."""
    folder = os.environ.get("GENKIT_DATA")
    if not folder:
        pytest.skip("GENKIT_DATA names no folder of real data")
    return Path(folder)


@pytest.fixture(scope="session")
def _made_environment(tmp_path_factory) -> Environment:
    return Environment(tmp_path_factory.mktemp("environment"), activation.choose_backend())


@pytest.fixture
def clean_environment(_made_environment):
    """A virtual environment with GenKit and one backend alone; needs a package index."""
    yield _made_environment
    _made_environment.clean()


@pytest.fixture(scope="session")
def commands():
    """The command line, warm: see ``Commands``."""
    with Commands() as commands:
        yield commands


@pytest.fixture
def genkit_command(commands, request, tmp_path):
    """Run the command line in an empty folder; optimised where backends are compared."""
    compared = request.node.get_closest_marker("cross_backend") is not None
    return partial(commands.run, tmp_path, optimised=compared)


@pytest.fixture
def genkit_here(monkeypatch, capfd, tmp_path):
    """Run the command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["genkit", *map(str, arguments)])
        monkeypatch.setattr("genkit.cli.output._stdout", None)
        monkeypatch.setattr("genkit.cli.output._emitted", False)
        stdout, show = sys.stdout, warnings.showwarning
        descriptor = os.dup(1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("default")
                cli.main()
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.stdout, warnings.showwarning = stdout, show
            os.dup2(descriptor, 1)
            os.close(descriptor)
            if cli.output._stdout not in (None, sys.stderr):
                cli.output._stdout.close()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def install(tmp_path):
    """Put a distribution with one entry point on the path; give the environment to see it."""
    site = tmp_path / "site"

    def put(name: str, module: str, text: str, requires: tuple[str, ...] = ()) -> dict[str, str]:
        site.mkdir(exist_ok=True)
        (site / f"{module}.py").write_text(text)
        escaped = name.replace("-", "_")  # or the names of two would be taken for one
        info = site / f"{escaped}-1.2.dist-info"
        info.mkdir()
        told = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.2"]
        told += [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(told) + "\n")
        (info / "entry_points.txt").write_text(f"[genkit.plugins]\n{module} = {module}\n")
        return {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}

    return put
