"""Runs that are killed until they are through, and what must be true after each kill."""

import hashlib
import json
import random
import re
import shutil
import signal
from pathlib import Path

from tests.torture.nursery import Nursery

STEPS = 24
RECIPE = """
model = "vae"
dataset = "digits"
batch_size = 300
steps = {steps}
checkpoint_every = 4
sample_every = 8
keep = 2
keep_best = "loss"
config = {{ width = 4, latent_dim = 2, hidden = 8 }}
callbacks = {{ csv-logger = {{}}, early-stopping = {{ monitor = "loss", patience = 99 }} }}
"""
KEPT = 2
EVERY = 4
_FILES = ("model.safetensors", "training.safetensors", "callbacks.safetensors", "state.json")


class Campaign:
    """Kills in a folder; the runs go on where the last campaign in it stopped.

    Args:
        folder: where the runs are.
        backend: which backend trains.
        seed: of what goes wrong when.
    """

    def __init__(self, folder, backend, seed=0):
        self.folder, self.backend = Path(folder), backend
        self.random = random.Random(seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "recipe.toml").write_text(RECIPE.format(steps=STEPS))
        self.nursery = Nursery(backend, {"OMP_NUM_THREADS": "1"})
        self.unsampled = set()
        self.tally = dict.fromkeys(("attempts", "kills", "terms", "refusals", "finished"), 0)

    def __enter__(self):
        self.reference = self._reference()
        return self

    def __exit__(self, *_):
        self.nursery.__exit__()

    def attempt(self, fault=None, ended_by=None):
        """Start or go on with the current run under a fault; check what is left.

        Args:
            fault: arguments of ``Fault``.
            ended_by: a signal and after how many seconds.
        """
        run = self.folder / "runs" / "victim"
        before = checkpoint_steps(run)
        verb = ["resume", "runs/victim"] if run.exists() else self._begin("victim")
        how = {"fault": fault} if fault else {}
        if ended_by:
            how = {"signal": ended_by[0], "seconds": ended_by[1]}
        answer = self._ask(verb, run, **how)
        self.tally["attempts"] += 1
        self._count(answer)
        log = (self.folder / "log.txt").read_text(errors="replace")
        assert "Traceback" not in log, log
        assert answer["code"] in (None, 0, 1, 143), (answer, log)
        if answer["code"] == 1:
            assert fault, log
            assert log.strip().splitlines()[-1].startswith("error: "), log
        self.unsampled |= set(re.findall(r"samples of step (\d+) can't be written", log))
        self._check(run, before)
        if answer["code"] == 0:
            self._check_finished(run)
            shutil.rmtree(run)
            assert not list(run.parent.glob(".*.partial")), "a killed start left something"
            self.unsampled.clear()
            self.tally["finished"] += 1
        return answer

    def random_attempt(self):
        """One attempt with a random fault: about half of them kills at a random moment."""
        choice = self.random.random()
        if choice < 0.2:
            return self.attempt(ended_by=(signal.SIGKILL, self.random.uniform(0.0, 2.0)))
        if choice < 0.3:
            return self.attempt(ended_by=(signal.SIGTERM, self.random.uniform(0.2, 2.0)))
        kind = "kill" if choice < 0.75 else self.random.choice(["ENOSPC", "EIO"])
        fault = {
            "at": self.random.randint(1, 80),
            "kind": kind,
            "torn": self.random.random() < 0.5,
            "lasting": self.random.random() < 0.5,
        }
        return self.attempt(fault)

    def finish(self):
        """Go on with the current run until it is through."""
        done = self.tally["finished"]
        while self.tally["finished"] == done:
            self.attempt()

    def _begin(self, name, *more):
        return ["run", "--recipe", "recipe.toml", "--name", name, *more]

    def _ask(self, arguments, run, **how):
        log = {"stdout": "log.txt", "stderr": "log.txt"}
        return self.nursery.ask(
            arguments=arguments, folder=str(self.folder), run=str(run.name), **log, **how
        )

    def _count(self, answer):
        if answer["signal"] == signal.SIGKILL:
            self.tally["kills"] += 1
        elif answer["code"] == 143 or answer["signal"] == signal.SIGTERM:
            self.tally["terms"] += 1
        elif answer["code"] == 1:
            self.tally["refusals"] += 1

    def _reference(self):
        """Train without any fault, a checkpoint a step: what every other run must equal."""
        run = self.folder / "runs" / "whole"
        shutil.rmtree(run, ignore_errors=True)
        every = self._begin("whole", "--checkpoint-every", "1", "--keep", "999")
        answer = self._ask(every, run)
        assert answer["code"] == 0, (self.folder / "log.txt").read_text()
        return run

    def _check(self, run, before):
        """See that every checkpoint is whole and equals the reference's, and that none was lost."""
        if not run.exists():
            assert not before
            return
        json.loads((run / "plan.json").read_text())
        json.loads((run / "status.json").read_text())
        found = checkpoint_steps(run)
        for step in found:
            assert digests(run, step) == digests(self.reference, step), f"step {step} differs"
            state = json.loads((run / f"checkpoints/{step:08d}/state.json").read_text())
            assert state["step"] == step
        assert max(found, default=-1) >= max(before, default=-1), (before, found)
        assert len(found) >= min(len(before), KEPT), (before, found)
        best = self._best_of(before)
        assert best is None or best in found or self._best_of(found) is not None
        self._check_log(run, max(found, default=0))

    def _best_of(self, steps):
        """Return the due step with the lowest mean loss since the due one before."""
        rows = metrics(self.reference)
        means = {
            step: sum(row["loss"] for row in rows[step - EVERY : step])
            for step in steps
            if step and step % EVERY == 0
        }
        return min(means, key=means.get, default=None)

    def _check_log(self, run, step):
        """See that the log has each step once, up to the checkpoint at least, as it should be."""
        rows, expected = metrics(run), metrics(self.reference)
        assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
        assert rows == expected[: len(rows)]
        assert len(rows) >= step

    def _check_finished(self, run):
        assert checkpoint_steps(run)[-1] == STEPS
        assert (run / "metrics.jsonl").read_bytes().endswith(b"\n")
        assert len(metrics(run)) == STEPS
        samples = [f"samples/{n:08d}.png" for n in (8, 16, 24) if str(n) not in self.unsampled]
        for name in (*samples, "model/weights.safetensors"):
            assert (run / name).read_bytes() == (self.reference / name).read_bytes(), name
        assert (run / "epochs.csv").read_text() == (self.reference / "epochs.csv").read_text()
        best = self._best_of(range(EVERY, STEPS + 1, EVERY))
        assert best in checkpoint_steps(run), "the best checkpoint was lost"


def checkpoint_steps(run):
    """List the steps of a run's checkpoints."""
    folder = run / "checkpoints"
    names = [path.name for path in folder.iterdir()] if folder.exists() else []
    return sorted(int(name) for name in names if name.isdigit())


def digests(run, step):
    """Return the digests of a checkpoint's arrays, which must be those its state.json tells of."""
    folder = run / "checkpoints" / f"{step:08d}"
    assert {path.name for path in folder.iterdir()} == set(_FILES)
    told = json.loads((folder / "state.json").read_text())["files"]
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in told}
    assert found == told
    return found


def metrics(run):
    """Read the whole lines of a run's log, without the times."""
    try:
        lines = (run / "metrics.jsonl").read_text().split("\n")[:-1]
    except FileNotFoundError:
        return []
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]
