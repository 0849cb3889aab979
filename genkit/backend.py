"""Choose and activate ONE backend for this process.

Keras reads ``KERAS_BACKEND`` once, when it is first imported; it can't be switched afterwards.
Everything heavy is therefore imported after ``activate``.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from genkit.errors import BackendError
from genkit.registry import DISTRIBUTION, suggestion

BACKENDS = ("jax", "torch", "tensorflow")
_DISTRIBUTIONS = {
    "jax": ("jax",),
    "torch": ("torch",),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
}


def installed_backends() -> list[str]:
    """List the backends that can be imported, in order of preference; imports none."""
    return [name for name in BACKENDS if find_spec(name) is not None]


def backend_version(name: str) -> str | None:
    """Give the installed version of a backend without importing it, or None."""
    for distribution in _DISTRIBUTIONS[name]:
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return None


def choose(requested: str | None = None) -> str:
    """Resolve a wish to a backend: the wish, then ``KERAS_BACKEND``, then the first installed.

    Args:
        requested: a backend's name; ``"auto"`` or None for no wish.

    Raises:
        BackendError: unknown, or not installed; the hint is the line that installs it.
    """
    if requested in (None, "auto"):
        if active := active_backend():
            return active
        requested = os.environ.get("KERAS_BACKEND") or next(iter(installed_backends()), None)
    if requested is None:
        raise BackendError(
            "Expected an installed backend (jax, torch or tensorflow); found none.",
            _install_line("jax"),
        )
    if requested not in BACKENDS:
        raise BackendError(
            f"Expected the backend jax, torch, tensorflow or auto; received {requested!r}.",
            suggestion(requested, BACKENDS),
        )
    if find_spec(requested) is None:
        raise BackendError(f"The backend {requested!r} is not installed.", _install_line(requested))
    return requested


def active_backend() -> str | None:
    """Name the backend this process is bound to, or None while Keras isn't imported."""
    keras = sys.modules.get("keras")
    return str(keras.config.backend()) if keras is not None and hasattr(keras, "config") else None


def activate(requested: str | None = None) -> str:
    """Bind this process to a backend; must come before anything imports Keras.

    Returns:
        the backend's name.

    Raises:
        BackendError: not installed, or Keras already runs on another one.
    """
    name = choose(requested)
    active = active_backend()
    if active is not None and active != name:
        raise BackendError(
            f"This process already runs on {active!r} and can't switch to {name!r}.",
            "Start a new process (restart the notebook), or leave the backend out.",
        )
    os.environ["KERAS_BACKEND"] = name
    if name == "tensorflow" and name not in sys.modules:
        _import_quietly(name)
    return name


def _import_quietly(name: str) -> None:
    """Import TensorFlow without its greetings.

    It writes about absent GPUs straight to file descriptor 2 before any log level applies, and
    later logs its optimizer's retries as errors; what truly fails comes as an exception.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept, silent = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    try:
        import_module(name)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(silent)


def _install_line(name: str) -> str:
    if name == "torch":
        return (
            f"Install it with: pip install '{DISTRIBUTION}[torch]' "
            "(docs/how-to/install.md has the line for a small CPU-only PyTorch)"
        )
    return f"Install it with: pip install '{DISTRIBUTION}[{name}]'"
