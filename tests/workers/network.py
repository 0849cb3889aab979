"""Two workers on two machines: network namespaces, joined by a slow link that can be cut.

KERAS_BACKEND=jax python -m tests.workers.network --delay 20

Prints a JSON object at its end, and fails where a run ends otherwise than on one machine. It needs
Linux and root. The link is this program: it carries packets between two TUN devices, each after
the delay, and drops them while it is cut.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import queue
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import genkit
from genkit.plan import activation
from genkit.runs import checkpoints
from genkit.workers.local import _divide_cores
from tests.commands import GENKIT, variables
from tests.workers.test_ends import PLAN, STEPS, assert_same_end, assert_same_log, done, run

_PLACES = ("genkit-a", "genkit-b")
_HOSTS = ("10.254.7.1", "10.254.7.2")
_PORT = "29571"
_TUNSETIFF, _TUN_WITHOUT_HEADER = 0x400454CA, 0x1001
_LARGEST_PACKET = 65536
# One shorter, and one longer than the silence after which a worker counts as standing still.
_SHORT_CUT, _LONG_CUT = 10, 30


class Link:
    """Two namespaces and what carries packets between them.

    Args:
        delay: seconds that each packet takes, either way.
    """

    def __init__(self, delay: float) -> None:
        self.delay, self.is_cut = delay, False
        ends = [_tun(place, host) for place, host in zip(_PLACES, _HOSTS, strict=True)]
        for here, there in (ends, ends[::-1]):
            waiting: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
            threading.Thread(target=self._take, args=(here, waiting), daemon=True).start()
            threading.Thread(target=self._bring, args=(waiting, there), daemon=True).start()

    def _take(self, end: int, waiting: queue.SimpleQueue[tuple[float, bytes]]) -> None:
        while True:
            try:
                packet = os.read(end, _LARGEST_PACKET)
            except OSError:  # the namespace is gone
                return
            if not self.is_cut:
                waiting.put((time.monotonic() + self.delay, packet))

    def _bring(self, waiting: queue.SimpleQueue[tuple[float, bytes]], end: int) -> None:
        while True:
            due, packet = waiting.get()
            time.sleep(max(0.0, due - time.monotonic()))
            with suppress(OSError):  # the last ones come when the namespace is gone
                os.write(end, packet)


def _tun(place: str, host: str) -> int:
    """Make a device that this program reads and writes, and put it into a namespace."""
    end = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH", place.encode(), _TUN_WITHOUT_HEADER))
    _ip("link", "set", place, "netns", place)
    _ip("-n", place, "address", "add", f"{host}/24", "dev", place)
    for device in ("lo", place):
        _ip("-n", place, "link", "set", device, "up")
    return end


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def link(delay: float):
    """Return a link, inside the block."""
    for place in _PLACES:
        _ip("netns", "add", place)
    try:
        yield Link(delay)
    finally:
        for place in _PLACES:
            _ip("netns", "delete", place)


def train(folder, name, *, steps=STEPS):
    """Start both workers, each on a machine of its own."""
    processes = []
    for rank, place in enumerate(_PLACES):
        where = {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": "0"}
        where |= {"MASTER_ADDR": _HOSTS[0], "MASTER_PORT": _PORT}
        flags = ["--name", name, "--steps", str(steps), "--launcher", "env"]
        flags += ["--backend", activation.choose_backend()]
        command = ["ip", "netns", "exec", place, *GENKIT, "run", *PLAN, *flags]
        env = {**variables(), **where}
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=folder, env=env, stderr=pipe, text=True)
        _divide_cores(process.pid, rank, 2)  # as on one machine: threads decide the last bits
        processes.append(process)
    return processes


def cut(link, folder, name, seconds):
    """Cut the link for a while when a run is on its way."""
    until = time.monotonic() + 300
    while max(checkpoints.steps(folder / name / "checkpoints"), default=0) < 2:
        assert time.monotonic() < until, "the run doesn't begin"
        time.sleep(0.05)
    link.is_cut = True
    time.sleep(seconds)
    link.is_cut = False


def main() -> None:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.workers.network", description=__doc__)
    parser.add_argument("--delay", type=float, default=20, help="milliseconds either way")
    asked = parser.parse_args()
    told = {"backend": activation.choose_backend(), "delay_ms": asked.delay, "steps": STEPS}
    with tempfile.TemporaryDirectory() as name, link(asked.delay / 1000) as joined:
        folder = Path(name)
        done(run(folder, "whole", "--workers", 2))
        began = time.monotonic()
        for process in train(folder, "far"):
            done(process)
        told["seconds"] = round(time.monotonic() - began, 1)
        assert_same_log(folder, "far")
        assert_same_end(folder, "far")

        shortly = train(folder, "shortly")
        cut(joined, folder, "shortly", _SHORT_CUT)
        said = [process.communicate(timeout=300)[1] for process in shortly]
        told["cut_for_10_s"] = _ends(said, shortly)
        _check_end(folder, "shortly", told["cut_for_10_s"])

        long = train(folder, "long", steps=10_000)
        cut(joined, folder, "long", _LONG_CUT)
        said = [process.communicate(timeout=300)[1] for process in long]
        told["cut_for_30_s"] = _ends(said, long)
        told["kept_steps"] = genkit.load(folder / "long").trained_steps
    print(json.dumps(told))


def _ends(said, processes):
    """Return the exit code of each worker and, of one that failed, its last line."""
    last = [next(reversed(words.strip().splitlines()), "") for words in said]
    codes = [process.returncode for process in processes]
    return [[code, line if code else ""] for code, line in zip(codes, last, strict=True)]


def _check_end(folder, name, ends):
    """A run that goes on ends as if nothing had been; one that ended has said why in a line."""
    if all(code == 0 for code, _ in ends):
        assert_same_log(folder, name)
        assert_same_end(folder, name)
    else:
        assert all(line.startswith("error: ") for code, line in ends if code), ends


if __name__ == "__main__":
    sys.exit(main())
