"""Virtual environments that a plugin is installed into, as a person would.

By default such an environment sees the packages of the one that tests run in, and only the plugin
is built and installed: a second instead of minutes. With GENKIT_SCAFFOLD_CLEAN=1 (nox -s scaffold)
it is empty, and GenKit, one backend and all else are installed into it.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path

from tests.docs.documents import ROOT

CLEAN = os.environ.get("GENKIT_SCAFFOLD_CLEAN") == "1"
# Of the outer packages, also those that an editable install or PYTHONPATH leads to.
_OUTER = """
import site
for path in {paths!r}:
    site.addsitedir(path)
"""
_SCRIPT = "#!{python}\nimport runpy, sys\nsys.argv[0] = {name!r}\n"
_SCRIPT += "runpy.run_module({name!r}, run_name='__main__', alter_sys=True)\n"


class Environment:
    """A virtual environment in a folder.

    Args:
        folder: where it is made.
        backend: what is used, and in a clean environment installed.
    """

    def __init__(self, folder: Path, backend: str) -> None:
        venv.create(folder, with_pip=CLEAN, symlinks=True)
        self.scripts = folder / "bin"
        self.backend = backend
        if CLEAN:
            constraints = ROOT / "constraints.txt"
            self.run("pip", "install", "-q", f"{ROOT}[{backend}]", "-c", str(constraints))
        else:
            self._see_outer(folder)

    def _see_outer(self, folder: Path) -> None:
        paths = [str(Path(path).resolve()) for path in sys.path if path and Path(path).is_dir()]
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "outer.pth").write_text("import outer_packages\n")
        (site / "outer_packages.py").write_text(_OUTER.format(paths=paths))
        for name in ("pip", "pytest", "genkit"):
            script = self.scripts / name
            script.write_text(_SCRIPT.format(python=self.scripts / "python", name=name))
            script.chmod(0o755)

    def variables(self) -> dict[str, str]:
        """Give the variables under which commands mean those of this environment."""
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        path = os.pathsep.join([str(self.scripts), kept["PATH"]])
        # What the plugin needs is there; so pip neither asks an index nor makes an environment.
        offline = {} if CLEAN else {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        return {**kept, "PATH": path, "KERAS_BACKEND": self.backend, **quiet, **offline}

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
