"""The commands of the how-to pages, run as they stand there."""

import os
import subprocess
import sys
from pathlib import Path

import keras

# What runs for a moment is compiled fast: XLA takes half as long without optimisation.
FAST = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


def run_script(name, folder):
    """Run a script of the plugin's folder in another one; return what it said."""
    script = Path(__file__).parents[1] / name
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", script.read_text(encoding="utf-8")],
        cwd=folder,
        env={**os.environ, **FAST, "PATH": scripts, "KERAS_BACKEND": keras.config.backend()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
