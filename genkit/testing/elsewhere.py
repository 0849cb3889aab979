"""The other backends: one process each, that stays for all checks.

The process reads requests from its standard input, a JSON object a line, and answers likewise.
Arrays and runs go through files.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from genkit.errors import GenkitError
from genkit.plan import activation
from genkit.testing.check import Check, definitions
from genkit.testing.outcomes import FAILED, CheckFailed, Outcome


def others() -> list[str]:
    """List the installed backends that this process does not run on."""
    return [name for name in activation.installed_backends() if name != activation.choose_backend()]


def ask(backend_name: str, verb: str, **arguments: Any) -> Any:
    """Have something done on another backend, and give the answer.

    Args:
        backend_name: its process is started by the first request.
        verb: ``"check"``, ``"generate"`` or ``"steps"``.
        **arguments: of the function of that name below; JSON values.

    Raises:
        CheckFailed: it failed there.
    """
    return _worker(backend_name, tuple(sys.path)).ask({"verb": verb, **arguments})


def run_on(name: str, check: Check) -> Outcome:
    """Make a check on another backend, whatever becomes of it."""
    try:
        reply = ask(
            name,
            "check",
            kind=check.kind,
            subject=check.subject,
            name=check.name,
            expected_failure=check.expected_failure,
        )
    except CheckFailed as error:  # the process ended
        return Outcome(check.name, check.shown_subject, name, FAILED, str(error), 0.0)
    return Outcome(**reply)


class _Worker:
    """The process of one backend."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "genkit.testing.elsewhere"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={
                **os.environ,
                "KERAS_BACKEND": name,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )
        atexit.register(self.close)

    def ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None, "it was asked for"
        assert self._process.stdout is not None, "it was asked for"
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            raise CheckFailed(f"The process on {self._name} ended: {self._last_words()}")
        reply = json.loads(answer)
        if "error" in reply:
            raise CheckFailed(f"On {self._name}: {reply['error']}")
        return reply["answer"]

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return lines[-1] if lines else "it said nothing"


@lru_cache
def _worker(name: str, _path: tuple[str, ...]) -> _Worker:
    return _Worker(name)  # one that was started on another path knows other plugins


def run_check(kind: str, subject: str, name: str, expected_failure: str) -> dict[str, Any]:
    """Make a check; give its outcome."""
    definition = next(d for d in definitions(kind) if d.name == name)
    return Check(definition, kind, subject, expected_failure).run().to_dict()


def write_samples(kind: str, subject: str, run: str, n: int, file: str) -> None:
    """Load a run and write ``n`` samples to a ``.npz`` file, an array a field."""
    import numpy as np

    from genkit.runs.loading import load
    from genkit.testing.choosing import subject_of
    from genkit.testing.generated import generated, storable

    trained: Any = subject_of(kind, subject)
    arrays: Any = storable(generated(trained, load(run), n))
    np.savez(file, **arrays)


def train_steps(kind: str, subject: str, checkpoint: str, steps: int) -> list[dict[str, float]]:
    """Train some steps from the weights of a checkpoint; give the losses of each."""
    from genkit.testing.choosing import subject_of
    from genkit.testing.persisted import arrays

    trained: Any = subject_of(kind, subject)
    found: list[dict[str, float]] = trained.losses_of_steps(steps, weights=arrays(Path(checkpoint)))
    return found


_VERBS: dict[str, Callable[..., Any]] = {
    "check": run_check,
    "generate": write_samples,
    "steps": train_steps,
}


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        activation.activate()
        return {"answer": _VERBS[request.pop("verb")](**request)}
    except GenkitError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - plugins raise anything
        return {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins and frameworks print is no answer
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
