"""Choose and activate ONE backend for this process.

Keras reads ``KERAS_BACKEND`` once, when it is first imported; it can't be switched afterwards.
Everything heavy is therefore imported after ``activate``.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import os
import platform
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from genkit.errors import BackendError
from genkit.plan.blocked_imports import blocked_imports
from genkit.plan.precision import cpu_flags
from genkit.plugins.entry_points import DISTRIBUTION
from genkit.plugins.names import suggestion

BACKENDS = ("jax", "torch", "tensorflow")
_SHORT = {"tf": "tensorflow", "pytorch": "torch"}
"""What people call them, too."""
_DISTRIBUTIONS = {
    "jax": ("jax",),
    "torch": ("torch",),
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
}
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX = -1, -3, -4  # from malloc.h
_LARGEST_THRESHOLD = 32 * 2**20  # glibc refuses more
_MOST_COMPILED = 2**30
_FLOAT_TYPE, _EPSILON = "float32", 1e-7
_FOR_PROGRAMS = {"jax", "matplotlib", "requests", "sklearn"}
_SPINS = "30000"
_SELDOM = (10_000, 20, 100)  # of Python's collector, whose own are 700, 10 and 10
_not_for_keras: set[str] = set()


def installed_backends() -> list[str]:
    """List the backends that can be imported, in order of preference; imports none."""
    return [name for name in BACKENDS if find_spec(name) is not None]


def backend_version(name: str) -> str | None:
    """Return the installed version of a backend without importing it, or None."""
    for distribution in _DISTRIBUTIONS[name]:
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return None


def choose_backend(requested: str | None = None) -> str:
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
            suggestion(_SHORT.get(requested, requested), BACKENDS),
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

    What makes training faster by changing the whole process is done here, and only here.

    Returns:
        the backend's name.

    Raises:
        BackendError: not installed, or Keras already runs on another one.
    """
    name = bind_keras(requested)
    keep_freed_memory()
    return name


def bind_keras(requested: str | None = None) -> str:
    """Bind Keras to a backend and to GenKit's settings; leave the rest of the process as it is.

    A plan decides what is computed: what a machine's ``keras.json`` says of the order of an image's
    axes, of float types or of epsilon is replaced by Keras' own defaults.

    Returns:
        the backend's name.

    Raises:
        BackendError: not installed, Keras already runs on another one, or it can't be imported.
    """
    name = choose_backend(requested)
    active = active_backend()
    if active is not None and active != name:
        raise BackendError(
            f"This process already runs on {active!r} and can't switch to {name!r}.",
            "Start a new process (restart the notebook), or leave the backend out.",
        )
    os.environ["KERAS_BACKEND"] = name
    os.environ["KERAS_NNX_ENABLED"] = "false"  # layers of another kind, if keras.json says so
    if name not in sys.modules:
        if name == "jax":
            _keep_compiled_programs()
        if name == "tensorflow":
            _use_onednn()
        if name == "torch":
            _wait_briefly()
    needed = {"tensorflow": {"requests"}}.get(name, {name})
    with blocked_imports(_not_for_keras - needed):
        _import_keras(name)
    return name


def start_lean() -> None:
    """Have this process start quickly; only for processes that are GenKit's own.

    For wrappers, galleries, a callback and a converter, Keras and TensorFlow import JAX,
    Matplotlib, requests and scikit-learn where they are there: up to a fifth of the time that a
    command takes to start. What is used of them is imported later as ever.

    Importing and tracing make a million objects that stay. By default Python looks through them
    for unused ones in circles again and again: a tenth of the time.
    """
    _not_for_keras.update(_FOR_PROGRAMS)
    gc.set_threshold(*_SELDOM)


def _import_keras(backend: str) -> None:
    """Import Keras, and set what it reads from ``keras.json`` to what GenKit counts on.

    Raises:
        BackendError: Keras refuses the file, and can't be imported.
    """
    try:
        if backend == "tensorflow" and backend not in sys.modules:
            _import_quietly(backend)  # Keras comes with it
        import keras
    except (ValueError, TypeError, AttributeError) as error:
        file = Path(os.environ.get("KERAS_HOME", "~/.keras")) / "keras.json"
        raise BackendError(
            f"Keras can't be imported: {' '.join(str(error).split())}",
            f"Mend or remove its settings: {file}",
        ) from error
    if keras.config.floatx() != _FLOAT_TYPE:
        keras.config.set_floatx(_FLOAT_TYPE)
        keras.config.set_dtype_policy(_FLOAT_TYPE)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_epsilon(_EPSILON)


def keep_freed_memory() -> None:
    """Let the C library keep the memory of freed tensors for the next ones.

    By default glibc hands blocks of some megabytes back to the system at once. A training step
    frees and takes hundreds of them, and each comes back as pages that must be cleared first: a
    tenth of a DCGAN step on PyTorch. XLA takes one block for all that a step computes on its way,
    often larger than the threshold: on JAX up to 64 MiB, what glibc lets a thread's heap hold, are
    kept too, a quarter of a small GPT's step. Other C libraries and allocators, and what a
    person has set, are left as they are.
    """
    own = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if sys.platform != "linux" or own:
        return
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        if active_backend() == "jax":
            mallopt(_M_MMAP_MAX, 0)


def _keep_compiled_programs() -> None:
    """Let JAX keep what it compiles in the user's cache folder: the next start takes it from there.

    Programs are made for one kind of processor; each kind has a folder of its own, so that a home
    directory can be shared. A person's own ``JAX_COMPILATION_CACHE_DIR`` is respected.
    """
    import pooch

    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    kind = f"{platform.machine()} {' '.join(sorted(cpu_flags()))}"
    folder = Path(pooch.os_cache("genkit")) / "jax" / hashlib.sha256(kind.encode()).hexdigest()[:12]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return  # no place to keep them: compile anew
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(_MOST_COMPILED))


def _use_onednn() -> None:
    """Let TensorFlow use oneDNN's kernels on every processor with AVX2.

    By itself it does so only from AVX512-VNNI on. On an older processor a DCGAN's step took 622 ms
    without and 349 ms with them. A person's own choice is respected.
    """
    if "avx2" in cpu_flags():
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def _wait_briefly() -> None:
    """Let threads of OpenMP that wait for one another give their core away sooner.

    GNU's, which PyTorch brings, look 300,000 times whether the other one is there: milliseconds.
    Meanwhile other threads, that load data or write files, have no core, nor has, on a busy
    machine, the one that is waited for. Sums are the same. A person's own choice is respected.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = _SPINS


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
