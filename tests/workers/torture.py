"""Kill workers at random, many times: nothing is lost, and each run ends as one nothing met.

KERAS_BACKEND=jax python -m tests.workers.torture --kills 200

Prints a JSON object at its end, and fails at the first run that ends otherwise. Linux alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from genkit.plan import activation
from tests.workers.test_ends import STEPS, assert_same_end, assert_same_log, done, run, workers_of

_MOST_IN_A_RUN = 3  # as often as workers begin again without a new checkpoint


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.workers.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng, told = random.Random(asked.seed), {"runs": 0, "kills": 0, "begun_again": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        done(run(folder, "whole", "--workers", asked.workers))
        took = time.monotonic() - began
        while told["kills"] < asked.kills:
            one = f"run-{told['runs']}"
            process = run(folder, one, "--workers", asked.workers)
            told["kills"] += _kill_now_and_then(process, took, rng)
            told["begun_again"] += done(process).count("begin again from step")
            assert_same_log(folder, one)
            assert_same_end(folder, one)
            shutil.rmtree(folder / one)
            told["runs"] += 1
            print(json.dumps(told), file=sys.stderr, flush=True)
    print(json.dumps({"backend": activation.choose_backend(), "steps": STEPS, **told}))


def _kill_now_and_then(process, took, rng):
    """Kill a worker up to three times while a run goes on; return how often."""
    kills = 0
    for _ in range(rng.randint(1, _MOST_IN_A_RUN)):
        until = time.monotonic() + rng.uniform(0, took)
        while time.monotonic() < until and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is not None:
            break
        with suppress(OSError, StopIteration, ProcessLookupError):  # they begin, or end, just now
            os.kill(rng.choice(list(workers_of(process).values())), signal.SIGKILL)
            kills += 1
    return kills


if __name__ == "__main__":
    main()
