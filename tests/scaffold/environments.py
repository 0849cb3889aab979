"""A clean virtual environment, that a plugin is installed into as a person would."""

import json
import os
import subprocess
import venv
from pathlib import Path

from tests.docs.documents import ROOT


class Environment:
    """A virtual environment with GenKit, one backend, and what they need.

    Args:
        folder: where it is made.
        backend: what is installed and used.
    """

    def __init__(self, folder: Path, backend: str) -> None:
        venv.create(folder, with_pip=True, symlinks=True)
        self.scripts = folder / "bin"
        self.backend = backend
        constraints = ROOT / "constraints.txt"
        self.run("pip", "install", "-q", f"{ROOT}[{backend}]", "-c", str(constraints))
        self._own = self._distributions()

    def clean(self) -> None:
        """Take out what was installed since it was made."""
        added = self._distributions() - self._own
        if added:
            self.run("pip", "uninstall", "-q", "-y", *sorted(added))

    def _distributions(self) -> set[str]:
        return {each["name"] for each in json.loads(self.run("pip", "list", "--format", "json"))}

    def variables(self) -> dict[str, str]:
        """Give the variables under which commands mean those of this environment."""
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        path = os.pathsep.join([str(self.scripts), kept["PATH"]])
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        return {**kept, "PATH": path, "KERAS_BACKEND": self.backend, **quiet}

    def run(self, *command: str, at: Path | None = None) -> str:
        """Run a command, which must end well; give what it printed on stdout."""
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
