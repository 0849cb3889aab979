"""Variables of the environment that change how a backend's libraries add up.

GenKit leaves them as a person has set them: they are recorded with a run, and resuming under others
warns.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

# Of OpenMP, MKL, oneDNN, OpenBLAS and Eigen: threads, and the instructions that kernels use; of
# XLA, TensorFlow and PyTorch: which kernels, and how exact.
_PREFIXES = ("OMP_", "GOMP_", "KMP_", "MKL_", "ONEDNN_", "DNNL_", "OPENBLAS_", "EIGEN_")
_NAMES = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "JAX_ENABLE_X64",
    "NVIDIA_TF32_OVERRIDE",
    "TF_DISABLE_MKL",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_XLA_FLAGS",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "XLA_FLAGS",
)
_WAITING = ("GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY")
"""How threads wait for one another, which decides no sum."""


def compute_settings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return those of the variables that are set, by name."""
    return {
        name: environ[name]
        for name in sorted(environ)
        if name in _NAMES or (name.startswith(_PREFIXES) and name not in _WAITING)
    }
