"""A process that has imported everything and forks children, so that thousands of starts are cheap.

``python -m tests.torture.nursery BACKEND`` reads a JSON request a line and answers with one: a
child runs the command line with ``arguments`` in ``folder``, with a ``fault``, or ended by
``signal`` after ``seconds``. Nothing that starts threads happens before the fork.
"""

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from genkit.plan import activation
from tests.torture import faults


def main(name):
    activation.activate(name)
    import grain  # noqa: F401 - what a run imports, once for all

    import genkit.builtin.models.dcgan
    import genkit.builtin.models.vae
    import genkit.cli
    import genkit.engine
    import genkit.models.training.trainer
    import genkit.report.images
    import genkit.workflows.sitting  # noqa: F401

    for line in sys.stdin:
        print(json.dumps(_serve(json.loads(line))), flush=True)


def _serve(request):
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
        log = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for descriptor in (0, 1, 2):
            os.dup2(log, descriptor)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if fault := request.get("fault"):
            faults.install(faults.Fault(**fault), Path(request["run"]))
        sys.argv = ["genkit", *request["arguments"]]
        import genkit.cli

        genkit.cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    except BaseException:  # noqa: BLE001 - told to whoever reads the log
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
