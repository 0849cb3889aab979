"""What JAX compiles is kept in the user's cache folder, for the next start."""

import os

import keras
import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(keras.config.backend() != "jax", reason="JAX compiles programs"),
]

RUN = ("run", "vae", "--dataset", "digits", "--set", "width=4", "--steps", "1")


@pytest.fixture
def without_own_cache(monkeypatch):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")


def kept(folder):
    return {path.name for path in (folder / "genkit" / "jax").glob("*/*-cache")}


@pytest.mark.usefixtures("without_own_cache")
def test_a_second_start_compiles_nothing_new(genkit_command, tmp_path):
    env = {"XDG_CACHE_HOME": str(tmp_path)}
    genkit_command(*RUN, "--name", "first", env=env)
    first = kept(tmp_path)
    assert any("pure_step" in name for name in first)
    genkit_command(*RUN, "--name", "second", env=env)
    assert kept(tmp_path) == first


@pytest.mark.usefixtures("without_own_cache")
@pytest.mark.skipif(os.name != "posix", reason="folders have other rights there")
def test_nobody_else_can_write_to_the_cache(genkit_command, tmp_path):
    genkit_command(*RUN, env={"XDG_CACHE_HOME": str(tmp_path)})
    (folder,) = (tmp_path / "genkit" / "jax").iterdir()
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.usefixtures("without_own_cache")
def test_a_cache_that_cannot_be_made_is_done_without(genkit_command, tmp_path):
    (tmp_path / "genkit").write_text("in the way")
    done = genkit_command(*RUN, env={"XDG_CACHE_HOME": str(tmp_path)})
    assert done.returncode == 0
    assert (tmp_path / "genkit").read_text() == "in the way"


def test_a_persons_own_cache_is_respected(genkit_command, tmp_path):
    env = {"XDG_CACHE_HOME": str(tmp_path / "a"), "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "b")}
    genkit_command(*RUN, env=env)
    assert any((tmp_path / "b").iterdir())
    assert not (tmp_path / "a" / "genkit").exists()
