"""The same bits on a busy machine: runs in processes of their own, beside a loop for each core.

python -m tests.torture.busy --backend torch --model dcgan --runs 100 --kills 20

Load decides when threads run, in which order they arrive, and where memory lies. None of it may
decide a sum. Counts the runs by the weights they ended with, and ends with 1 if these differ.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from genkit.cli.output import note
from tests.torture.nursery import Nursery

LOOPS = (os.cpu_count() or 1) + 1


@contextmanager
def busy(loops=LOOPS):
    """Keep all cores busy with processes that do nothing."""
    loop = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(loop) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


class Runs:
    """Runs of one plan, each in a process of its own.

    Args:
        folder: where they are trained.
        backend: which backend trains.
        model: the model, with its default preset.
        steps: how many each.
        dataset: what it is trained on.
        environment: variables of all runs, beside those of this process.
    """

    def __init__(
        self, folder, backend, *, model="dcgan", steps=12, dataset="digits", environment=None
    ):
        self.folder, self.backend = Path(folder), backend
        self.environment = environment or {}
        self.command = [
            "run", model, "--dataset", dataset, "--backend", backend, "--seed", 7,
            "--steps", steps, "--checkpoint-every", 3, "--sample-every", 1000,
        ]  # fmt: skip
        self.random = random.Random(7)
        self.kills = 0

    def __enter__(self):
        self.nursery = Nursery(self.backend, self.environment)
        return self

    def __exit__(self, *_):
        self.nursery.__exit__()

    def whole(self):
        """Train in a process that a warm one forks; return the digest of the weights."""
        self._run(self.nursery.run, [*self.command, "--name", "it"])
        return self._digest()

    def fresh(self):
        """Train in a process that begins with nothing; return the digest of the weights."""
        self._run(self._start, [*self.command, "--name", "it"])
        return self._digest()

    def killed(self, longest=4.0):
        """Train in processes that are killed again and again; return the digest of the weights."""
        seconds = longest
        while True:
            begun = (self.folder / "runs/it").exists()
            verb = ["resume", "runs/it"] if begun else [*self.command, "--name", "it"]
            answer = self.nursery.ask(
                arguments=[str(word) for word in verb],
                folder=str(self.folder),
                stdout="log.txt",
                stderr="log.txt",
                signal=int(signal.SIGKILL),
                seconds=self.random.uniform(0.3, seconds),
            )
            if answer["code"] == 0:
                return self._digest()
            assert answer["signal"] == signal.SIGKILL, (self.folder / "log.txt").read_text()
            self.kills += 1
            seconds *= 1.5  # however busy the machine is, it comes to its end

    def _start(self, arguments, folder):
        command = [sys.executable, "-m", "genkit", *map(str, arguments)]
        env = {**os.environ, **self.environment}
        return subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, check=False
        )

    def _run(self, start, arguments):
        ended = start(arguments, self.folder)
        assert ended.returncode == 0, ended.stderr

    def _digest(self):
        """Return the digest of the finished run's weights, and make room for the next run."""
        run = self.folder / "runs/it"
        digest = hashlib.sha256((run / "model/weights.safetensors").read_bytes()).hexdigest()[:12]
        shutil.rmtree(run)
        return digest


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.torture.busy", description=__doc__)
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--model", default="dcgan")
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--runs", type=int, default=100, help="in processes of their own")
    parser.add_argument("--fresh", type=int, default=5, help="of them with a start of their own")
    parser.add_argument("--kills", type=int, default=50, help="to survive with the same weights")
    options = parser.parse_args()
    what = {name: getattr(options, name) for name in ("model", "steps", "dataset")}
    with (
        tempfile.TemporaryDirectory() as folder,
        busy(),
        Runs(folder, options.backend, **what) as runs,
    ):
        whole = Counter(runs.fresh() for _ in range(options.fresh))
        for number in range(options.fresh, options.runs):
            if number % 20 == 0:
                note(f"{number} runs: {dict(whole)}")
            whole[runs.whole()] += 1
        resumed = Counter()
        while runs.kills < options.kills:
            resumed[runs.killed()] += 1
    print(json.dumps({"whole": whole, "kills": runs.kills, "resumed": resumed}))
    return int(len(whole | resumed) > 1)


if __name__ == "__main__":
    sys.exit(main())
