"""Workers of this machine: one that dies, one that is refused, and a signal."""

import json
import os
import signal
import sys
import threading
import time

import pytest

from genkit.errors import DataError, RunError, TrainingError
from genkit.workers.launcher import LOST
from genkit.workers.local import RESTARTS, LocalLauncher, run_workers

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]
START = """
import json, os, signal, sys, time
from pathlib import Path
order = json.loads(sys.stdin.readline())
rank, folder = int(os.environ["RANK"]), Path(order["folder"])
times = len(list(folder.glob(f"{rank}-*")))
(folder / f"{rank}-{times}").touch()
def end(code=0, **found):
    Path(order["result"]).write_text(json.dumps(found))
    sys.exit(code)
"""


def workers(folder, deed, size=2, progress=lambda: 0):
    command = [sys.executable, "-c", START + deed]
    return run_workers(LocalLauncher(), command, size, lambda: {"folder": str(folder)}, progress)


def begun(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_first_ones_outcome_is_that_of_all(tmp_path):
    found = workers(tmp_path, "end(outcome={'rank': rank})", 3)
    assert found == {"rank": 0}
    assert begun(tmp_path) == ["0-0", "1-0", "2-0"]


def test_all_begin_again_when_one_is_killed(tmp_path, capfd):
    deed = """
if times == 0:
    if rank == 1: os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)
end(outcome={'times': times})
"""
    assert workers(tmp_path, deed) == {"times": 1}
    assert begun(tmp_path) == ["0-0", "0-1", "1-0", "1-1"]
    told = capfd.readouterr().err
    assert "Worker 1 was killed by signal 9. All 2 begin again from step 0, 1 of at most" in told


def test_all_begin_again_when_one_has_lost_another(tmp_path, capfd):
    deed = f"""
if times == 0:
    if rank == 0: end({LOST}, lost="Worker 1 stands still.")
    os.kill(os.getpid(), signal.SIGSTOP)
end(outcome={{'times': times}})
"""
    assert workers(tmp_path, deed) == {"times": 1}
    assert "Worker 1 stands still. All 2 begin again" in capfd.readouterr().err


def test_workers_that_die_again_and_again_are_given_up(tmp_path):
    with pytest.raises(RunError, match=f"killed by signal 9.*begun again {RESTARTS} times"):
        workers(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert len(begun(tmp_path)) == 2 * (RESTARTS + 1)


def test_a_new_checkpoint_counts_anew(tmp_path):
    deed = f"""
if times < {RESTARTS + 2}: os.kill(os.getpid(), signal.SIGKILL)
end(outcome={{'times': times}})
"""
    found = workers(tmp_path, deed, 1, lambda: len(begun(tmp_path)))
    assert found == {"times": RESTARTS + 2}


def test_what_a_worker_is_refused_is_raised_and_not_tried_again(tmp_path):
    deed = """
error = {"error": "DataError", "message": "Expected images.", "hint": "Bring some."}
if rank == 1: end(1, error=error)
time.sleep(60)
"""
    with pytest.raises(DataError, match=r"Expected images\. Bring some\."):
        workers(tmp_path, deed)
    assert begun(tmp_path) == ["0-0", "1-0"]


def test_a_fault_of_a_model_is_told_in_one_line(tmp_path):
    deed = """
error = {"error": "OSError", "message": "KeyError: 'x'", "hint": ""}
if rank == 0: end(1, error=error)
end(76, lost="Worker 0 failed")
"""
    with pytest.raises(TrainingError, match="^Worker 0 failed: KeyError: 'x'$"):
        workers(tmp_path, deed)


def test_what_a_worker_said_last_is_told_where_it_left_nothing(tmp_path):
    deed = "print('cannot start', file=sys.stderr); sys.exit(3 if rank else 0)"
    with pytest.raises(TrainingError, match="Worker 1 ended with exit code 3. cannot start"):
        workers(tmp_path, deed)


def test_a_signal_reaches_each_worker_once(tmp_path):
    deed = """
seen = []
signal.signal(signal.SIGINT, lambda number, _: seen.append(number))
(folder / f"{rank}-ready").touch()
while not seen: time.sleep(0.01)
time.sleep(0.5)
end(outcome={'seen': seen})
"""

    def interrupt():
        while len(list(tmp_path.glob("*-ready"))) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    assert workers(tmp_path, deed) == {"seen": [signal.SIGINT]}


def test_a_signal_before_they_train_interrupts(tmp_path):
    def interrupt():
        while len(list(tmp_path.glob("*-0"))) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        workers(tmp_path, "time.sleep(60)")
    assert begun(tmp_path) == ["0-0", "1-0"]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="a system without affinity")
def test_workers_share_the_cores_out(tmp_path):
    deed = """
time.sleep(0.2)
(folder / f"cores-{rank}").write_text(json.dumps(sorted(os.sched_getaffinity(0))))
end(outcome={})
"""
    workers(tmp_path, deed)
    shares = [json.loads((tmp_path / f"cores-{rank}").read_text()) for rank in range(2)]
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        assert sorted(shares[0] + shares[1]) == cores
