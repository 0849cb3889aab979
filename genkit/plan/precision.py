"""Which number format a model computes in; weights, losses and statistics stay float32."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

Precision = Literal["float32", "bfloat16", "float16", "auto"]

# What `auto` takes on a processor that multiplies bfloat16 itself: see docs/benchmarks.md. There a
# step of a convolutional GAN takes 0.7 of its float32 time on PyTorch and TensorFlow, and 1.02 on
# JAX. Nothing has been measured on accelerators: they keep float32.
_FASTEST_ON_CPU = {"torch": "bfloat16", "tensorflow": "bfloat16", "jax": "float32"}
_BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}


def settle(precision: str, backend: str, device: Mapping[str, Any]) -> str:
    """Turn ``auto`` into what is fastest and safe here; give anything else back.

    Args:
        precision: float32, bfloat16, float16 or auto.
        backend: the active backend.
        device: as ``genkit.engine.device`` describes it.
    """
    if precision != "auto":
        return precision
    if device["platform"] == "cpu" and _BFLOAT16_FLAGS & cpu_flags():
        return _FASTEST_ON_CPU[backend]
    return "float32"


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Build Keras layers inside the block that compute in a format and keep float32 weights."""
    import keras

    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(kept)


def cpu_flags() -> frozenset[str]:
    """List what the processor says it can do; empty where the system doesn't tell."""
    return frozenset(_cpuinfo("flags|Features").split())


def cpu_name() -> str:
    """Name the processor; its kind where the system doesn't tell more."""
    return _cpuinfo("model name") or platform.machine()


def _cpuinfo(key: str) -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    found = re.search(rf"^(?:{key})\s*:(.*)$", text, re.MULTILINE)
    return found[1].strip() if found else ""
