"""A process that has imported everything and forks children, so that thousands of starts are cheap.

A ``Nursery`` starts ``python -m tests.torture.nursery BACKEND``, which reads a JSON request a line
and answers with one: a child runs the command line, or a Python file, with ``arguments`` in
``folder``, what it prints goes to the files ``stdout`` and ``stderr``; with a ``fault``, or ended
by ``signal`` after ``seconds``. Nothing that starts threads happens before the fork.

A child is a process of its own, with its own folder, variables, output and exit code. What it
shares with a fresh one it has from the fork: imported modules, and the variables that were read as
they were imported. What is about a start itself needs a fresh process.
"""

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from genkit.plan import activation
from tests import compiling
from tests.torture import faults

ROOT = Path(__file__).parents[2]
_LONGEST_SECONDS = 600


class Nursery:
    """The side that asks.

    Args:
        name: the backend of all children.
        environment: variables from the start on, beside those of this process.
    """

    def __init__(self, name, environment=None):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.nursery", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, **(environment or {}), "KERAS_BACKEND": name},
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()  # between two requests it holds nothing that must be kept
        with self._process:  # closes its pipes and waits
            pass

    def ask(self, **request):
        """Send a request and return the answer: ``signal``, ``code`` and ``seconds``."""
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], _LONGEST_SECONDS)[0]:
            self._process.kill()
            raise TimeoutError(f"no answer to {request}")
        return json.loads(self._process.stdout.readline())

    def run(self, arguments, folder, environment=None, script=None):
        """Run a command, or a Python file, as ``subprocess.run`` does, and return the same.

        A variable that is None in the environment is taken away.
        """
        arguments = [str(argument) for argument in arguments]
        with tempfile.TemporaryDirectory(prefix="genkit-tests-output-") as place:
            streams = {name: f"{place}/{name}" for name in ("stdout", "stderr")}
            answer = self.ask(
                arguments=arguments, folder=str(folder), environment=environment or {},
                script=script and str(script), **streams,
            )  # fmt: skip
            texts = {name: Path(path).read_text("utf-8") for name, path in streams.items()}
        code = -answer["signal"] if answer["signal"] else answer["code"]
        return subprocess.CompletedProcess(["genkit", *arguments], code, **texts)


def main(name):
    activation.activate(name)
    import grain  # noqa: F401 - what a run imports, once for all
    import sklearn.datasets  # noqa: F401

    import genkit.builtin.models.dcgan
    import genkit.builtin.models.vae
    import genkit.cli
    import genkit.engine
    import genkit.models.training.trainer
    import genkit.report.images
    import genkit.report.page
    import genkit.workflows.sitting  # noqa: F401
    from genkit.report import plots

    # The first plot of a process takes five times as long: matplotlib looks for fonts.
    plots.inline(plots.figure()[0], "first")
    gc.freeze()  # a child that looked through all of it for garbage would copy it
    for line in sys.stdin:
        print(json.dumps(_serve(json.loads(line))), flush=True)


def _serve(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of forks: there are no threads yet
        child = os.fork()
    if child == 0:
        _live(request)
    started = time.monotonic()
    if request.get("signal"):
        time.sleep(request["seconds"])
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, request["signal"])
    _, status = os.waitpid(child, 0)
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    return {"signal": killed, "code": code, "seconds": round(time.monotonic() - started, 3)}


def _live(request):
    """Be the child: never returns."""
    code = 70
    try:
        os.setsid()
        os.chdir(request["folder"])
        _set_variables(request.get("environment", {}))
        _redirect(request)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if fault := request.get("fault"):
            faults.install(faults.Fault(**fault), Path(request["run"]))
        sys.argv = [request.get("script") or "genkit", *request["arguments"]]
        if request.get("script"):
            sys.path[0] = str(Path(sys.argv[0]).parent)
            runpy.run_path(sys.argv[0], run_name="__main__")
        else:
            import genkit.cli

            genkit.cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - shown to whoever reads the output
        traceback.print_exc()
        code = 1
    finally:
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)


def _set_variables(environment):
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    if activation.active_backend() == "jax":
        compiling.heed_variable()


def _redirect(request):
    """Let the standard streams be files; both may be the same."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        os.dup2(os.open(request[name], flags), descriptor)


if __name__ == "__main__":
    main(sys.argv[1])
