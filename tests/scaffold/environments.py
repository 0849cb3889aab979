"""A clean virtual environment, that a plugin is installed into as a person would."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.commands import variables
from tests.docs.documents import ROOT


class Environment:
    """A virtual environment with GenKit, one backend, and what they need.

    Args:
        folder: where it is made.
        backend: what is installed and used.
    """

    def __init__(self, folder: Path, backend: str) -> None:
        self.folder = folder
        self.backend = backend
        self._uv = shutil.which("uv")
        if self._uv:
            self.run(self._uv, "venv", "--quiet", "--seed", "--python", sys.executable, str(folder))
        else:
            venv.create(folder, with_pip=True, symlinks=True)
        self.install(f"{ROOT}[{backend}]", "-c", str(ROOT / "constraints.txt"))
        self._own = self._distributions()

    def install(self, *what: str, at: Path | None = None) -> None:
        """Install as a person would with pip; with uv, where it is there, it takes less time."""
        self.run(*self._pip, "install", "--quiet", *what, at=at)

    def clean(self) -> None:
        """Take out what was installed since it was made."""
        added = self._distributions() - self._own
        if added:
            self.run("pip", "uninstall", "-q", "-y", *sorted(added))

    @property
    def _pip(self) -> tuple[str, ...]:
        return (self._uv, "pip") if self._uv else ("pip",)

    def _distributions(self) -> set[str]:
        listed = self.run(*self._pip, "list", "--format", "json")
        return {each["name"] for each in json.loads(listed)}

    def variables(self) -> dict[str, str]:
        """Return the variables under which commands mean those of this environment."""
        # nox tells uv by two of these which environment is meant, louder than VIRTUAL_ENV does.
        others = {"PYTHONPATH", "PYTHONHOME", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT"}
        kept = {k: v for k, v in variables().items() if k not in others}
        path = os.pathsep.join([str(self.folder / "bin"), kept["PATH"]])
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        own = {"PATH": path, "VIRTUAL_ENV": str(self.folder), "KERAS_BACKEND": self.backend}
        return {**kept, **own, **quiet}

    def run(self, *command: str, at: Path | None = None) -> str:
        """Run a command, which must end well; return what it printed on stdout."""
        done = subprocess.run(
            command,
            cwd=at,
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout
