"""What one of several workers does that were started on this machine; the order comes on stdin.

    python -m genkit.workflows.worker

train     carries out a plan in a new run directory
resume    goes on with a run
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from genkit.errors import GenkitError
from genkit.files import write_json
from genkit.live import print_line
from genkit.plan import activation
from genkit.plan.fitting import Outcome
from genkit.plan.plan import Plan
from genkit.workers.line import failure_of
from genkit.workers.team import team_of
from genkit.workflows.together import together


def main() -> None:
    """Do what stands on stdin, and write what came of it."""
    order = json.loads(sys.stdin.readline())
    alone = order.get("alone", signal.SIGTERM)
    threading.Thread(target=_end_with_parent, args=(alone,), daemon=True).start()
    result = Path(order["result"])
    warnings.showwarning = lambda message, *_, **__: print_line(
        f"warning: {' '.join(str(message).split())}"
    )
    activation.start_lean()

    def end(code: int, what: str) -> None:
        write_json(result, {"lost": what})
        os._exit(code)

    code = 0
    try:
        found = {"outcome": asdict(_carry_out(order, end))}
    except BaseException as error:  # noqa: BLE001 - it becomes that of the training
        code, found = 1, {"error": failure_of(error)}
        if not isinstance(error, GenkitError):
            traceback.print_exc()
    write_json(result, found)
    sys.stderr.flush()
    os._exit(code)  # a framework would wait for the others at its end


def _carry_out(order: dict[str, Any], end: Any) -> Outcome:
    from genkit.runs.run import Run
    from genkit.workflows.resume import resume_in
    from genkit.workflows.train import train_in

    path, verbose, plan = Path(order["path"]), order["verbose"], Plan.model_validate(order["plan"])
    with together(team_of(os.environ), plan, end) as line:
        if order["do"] == "train":
            return train_in(path, plan, verbose=verbose, line=line).outcome
        run = Run.open(path)
        run.plan = run.plan.model_copy(update={"backend": plan.backend})
        if order.get("until") is not None:
            run.go_on_until(order["until"])
        return resume_in(run, verbose=verbose, line=line).outcome


def _end_with_parent(alone: int) -> None:
    """End this process, with a signal, when the one that wants its result is gone: its pipe closes.

    Args:
        alone: the number of the signal. SIGTERM asks for a last checkpoint, which is of use where
            nobody begins again meanwhile.
    """
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), alone)


if __name__ == "__main__":
    main()
