"""Samples run as they stand, but forked from a process that has imported what they import."""

import os
import subprocess
import tempfile
import threading
from pathlib import Path

from tests.compiling import FAST

# What bash runs in place of the command: it asks by one pipe and waits at the other.
_GENKIT = r"""
genkit() {
  printf '%s\0' "$PWD" "$@" > "$WARM/words"
  echo > "$WARM/ask"
  read -r code < "$WARM/answer"
  cat "$WARM/stdout"
  cat "$WARM/stderr" >&2
  return "$code"
}
"""


def own_variables():
    """Return what a reader has set: nothing of GenKit's; programs are compiled fast."""
    taken = dict.fromkeys(name for name in os.environ if name.startswith("GENKIT_"))
    return {**taken, FAST: "1"}


def run_python(commands, file, folder):
    """Run a Python file in a folder; return what ``subprocess.run`` does."""
    return commands.nursery([]).run([], folder, own_variables(), script=file)


def run_shell(commands, text, folder):
    """Run lines of bash in a folder, their ``genkit`` warm; return what ``subprocess.run`` does."""
    with tempfile.TemporaryDirectory(prefix="genkit-tests-warm-") as place:
        pipes = Path(place)
        os.mkfifo(pipes / "ask")
        os.mkfifo(pipes / "answer")
        server = threading.Thread(target=_serve, args=(commands, pipes))
        server.start()
        try:
            return subprocess.run(
                ["bash", "-ec", _GENKIT + text], cwd=folder, env={**os.environ, "WARM": place},
                capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
        finally:
            (pipes / "ask").write_text("end\n")
            server.join()


def _serve(commands, pipes):
    while (pipes / "ask").read_text() == "\n":
        folder, *arguments = (pipes / "words").read_text().split("\0")[:-1]
        done = commands.nursery(arguments).run(arguments, folder, own_variables())
        (pipes / "stdout").write_text(done.stdout)
        (pipes / "stderr").write_text(done.stderr)
        (pipes / "answer").write_text(f"{done.returncode}\n")
