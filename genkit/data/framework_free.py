"""Import a library without the frameworks that it would take along."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from genkit.plan.activation import BACKENDS
from genkit.plan.blocked_imports import blocked_imports


def import_grain() -> Any:
    """Import grain; a framework that isn't imported yet stays out.

    Grain imports JAX, for its profiler, wherever JAX is installed: 0.6 s, and a warning at every
    fork, in a process that may train with another framework.
    """
    if "grain" in sys.modules:
        return sys.modules["grain"]
    logging = import_module("absl.logging")
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)  # it warns that JAX's profiler is missing
    try:
        with blocked_imports(BACKENDS):
            return import_module("grain")
    finally:
        logging.set_verbosity(verbosity)
