"""The command line in processes of its own: fresh ones, or forked from a warm one."""

import os
import subprocess
import sys
from itertools import pairwise

from genkit.plan import activation
from tests import compiling
from tests.torture.nursery import Nursery

GENKIT = [sys.executable, "-m", "genkit"]


def variables(**more: str) -> dict[str, str]:
    """Return the environment for a test of behaviour: this one's, and programs compiled fast."""
    return {**os.environ, compiling.FAST: "1", **more}


class Commands:
    """Runs the command line; each backend has one warm process that commands are forked from.

    A command with variables of its own is a fresh process: Python, GenKit and the frameworks read
    some of them as they start. So is every one where there is no safe fork.
    """

    def __init__(self):
        self._nurseries = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for nursery in self._nurseries.values():
            nursery.__exit__()

    def run(self, folder, *arguments, env=None, check=True, optimised=False):
        """Run a command in a folder and return what `subprocess.run` does.

        Args:
            folder: where it runs.
            arguments: those of ``genkit``.
            env: variables of its own.
            check: whether it must end well.
            optimised: whether XLA compiles as it does for a user.
        """
        arguments = [str(argument) for argument in arguments]
        environment = {**(os.environ if optimised else variables()), **(env or {})}
        if env or sys.platform != "linux":
            done = subprocess.run(
                [*GENKIT, *arguments], cwd=folder, env=environment,
                capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
        else:
            fast = {compiling.FAST: environment.get(compiling.FAST)}
            done = self.nursery(arguments).run(arguments, folder, fast)
        if check and done.returncode:
            raise AssertionError(f"exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def nursery(self, arguments):
        """Return the warm process of the backend that a command asks for, or of this session."""
        wish = dict(pairwise(arguments)).get("--backend")
        name = wish if wish in activation.installed_backends() else activation.choose_backend()
        if name not in self._nurseries:
            self._nurseries[name] = Nursery(name)
        return self._nurseries[name]
