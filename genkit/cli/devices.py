"""What hardware is here that a backend doesn't use, and what stands in its way."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_DRIVER = Path("/proc/driver/nvidia/gpus")
_AMD = Path("/dev/kfd")
# What lets a framework that takes most of an accelerator's memory as it starts take what it needs.
_MODEST = {
    "jax": "XLA_PYTHON_CLIENT_PREALLOCATE=false",
    "tensorflow": "TF_FORCE_GPU_ALLOW_GROWTH=true",
}
_INSTALL = {
    "jax": 'pip install -U "jax[cuda13]"',
    "torch": "pip install -U torch, with the index that https://pytorch.org/get-started names",
    "tensorflow": 'pip install -U "tensorflow[and-cuda]"',
}


def accelerators(driver: Path = _DRIVER, amd: Path = _AMD) -> list[str]:
    """Return the names of the accelerators that the system tells of, whatever is installed.

    Args:
        driver: where NVIDIA's driver for Linux keeps a folder a GPU.
        amd: what AMD's driver for Linux makes.
    """
    found = []
    for file in sorted(driver.glob("*/information")):
        told = re.search(
            r"^Model:\s*(?:NVIDIA )?(.+)$", file.read_text(errors="replace"), re.MULTILINE
        )
        found.append(f"NVIDIA {told[1] if told else 'GPU'}")
    if amd.exists():
        found.append("AMD GPU (ROCm)")
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        found.append("Apple GPU (Metal)")
    return found


def held_back(
    found: Sequence[str], backends: Sequence[Mapping[str, Any]], environment: Mapping[str, str]
) -> list[str]:
    """Say what keeps backends from the accelerators that are here.

    Args:
        found: names of the accelerators.
        backends: of each ``name``, ``version`` and, where it works, ``platform``.
        environment: variables of the process.
    """
    nvidia = [name for name in found if name.startswith("NVIDIA")]
    if not nvidia:
        return []
    if environment.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return [f"CUDA_VISIBLE_DEVICES hides the accelerators from all backends: {nvidia[0]}."]
    working = [b for b in backends if b.get("platform")]
    told = [
        f"{nvidia[0]} is here, but {b['name']} {b['version']} computes on the processor. A build "
        f"for it comes with: {_INSTALL[b['name']]}"
        for b in working
        if b["platform"] == "cpu"
    ]
    on_it = [b["name"] for b in working if b["platform"] != "cpu"]
    greedy = [_MODEST[name] for name in on_it if name in _MODEST and not _is_set(name, environment)]
    if len(on_it) > 1 and greedy:
        told.append(
            f"{' and '.join(on_it)} are on the same accelerator. For two at once, as in genkit "
            f"compare, set {' and '.join(greedy)}: else the first takes most of its memory."
        )
    return told


def _is_set(backend: str, environment: Mapping[str, str]) -> bool:
    return _MODEST[backend].partition("=")[0] in environment
