"""What ``genkit doctor`` says of accelerators, on machines that have them and that don't."""

import pytest

from genkit.cli.devices import accelerators, held_back

pytestmark = pytest.mark.once
GPU = ["NVIDIA H200"]


def backend(name, platform="cpu"):
    return {"name": name, "version": "1.0", "platform": platform}


def test_accelerators_are_found_whatever_is_installed(tmp_path):
    for number, text in enumerate(
        ["Model: \t\t NVIDIA H200\nIRQ: 5\n", "Model: \t Tesla T4\n", ""]
    ):
        folder = tmp_path / f"0000:0{number}:00.0"
        folder.mkdir()
        (folder / "information").write_text(text)
    (tmp_path / "kfd").touch()
    found = accelerators(tmp_path, tmp_path / "kfd")
    assert found[:4] == ["NVIDIA H200", "NVIDIA Tesla T4", "NVIDIA GPU", "AMD GPU (ROCm)"]
    assert not [name for name in accelerators(tmp_path / "no", tmp_path / "no") if "NVIDIA" in name]


def test_a_build_for_processors_beside_a_gpu_is_told_with_its_remedy():
    (told,) = held_back(GPU, [backend("jax"), backend("torch", "gpu")], {})
    assert told.startswith("NVIDIA H200 is here, but jax 1.0 computes on the processor.")
    assert 'pip install -U "jax[cuda13]"' in told


def test_nothing_is_told_where_there_is_no_gpu_or_it_is_used():
    assert not held_back([], [backend("jax")], {})
    assert not held_back(GPU, [backend("jax", "gpu")], {})
    broken = {"name": "torch", "version": "1.0", "error": "it died"}
    assert not held_back(GPU, [broken, {"name": "tensorflow", "version": None}], {})


@pytest.mark.parametrize("value", ["", "-1"])
def test_a_variable_that_hides_all_is_named(value):
    (told,) = held_back(GPU, [backend("jax")], {"CUDA_VISIBLE_DEVICES": value})
    assert "CUDA_VISIBLE_DEVICES hides" in told


def test_frameworks_that_each_take_the_memory_are_told():
    both = [backend("jax", "gpu"), backend("tensorflow", "gpu"), backend("torch", "gpu")]
    (told,) = held_back(GPU, both, {})
    assert "XLA_PYTHON_CLIENT_PREALLOCATE=false and TF_FORCE_GPU_ALLOW_GROWTH=true" in told
    modest = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    assert not held_back(GPU, both, modest)
