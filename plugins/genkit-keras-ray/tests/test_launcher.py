"""Actors run programs: their ends, deaths and signals; what the started Ray lets in."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from genkit_ray import cluster as clusters
from genkit_ray.launcher import RayLauncher

from genkit.errors import RunError, TrainingError, UsageError
from genkit.workers.local import run_workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
START = """
import json, os, signal, sys, time
from pathlib import Path
order = json.loads(sys.stdin.readline())
rank, folder = int(os.environ["RANK"]), Path(order["folder"])
times = len(list(folder.glob(f"{rank}-*")))
(folder / f"{rank}-{times}").write_text(f"{os.getppid()} {os.getpid()}")
def end(code=0, **found):
    Path(order["result"]).write_text(json.dumps(found))
    sys.exit(code)
"""


def program(deed):
    return [sys.executable, "-c", START + deed]


def begun(folder):
    return sorted(path.name for path in folder.iterdir())


def wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_alive(pid):
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_each_worker_has_its_place_its_order_and_the_environment_of_the_command(
    cluster, tmp_path, monkeypatch
):
    monkeypatch.setenv("OF_THE_TEST", "1")
    monkeypatch.chdir(tmp_path)
    deed = """
names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "OF_THE_TEST", "OMP_NUM_THREADS")
told = {name: os.environ.get(name) for name in names}
ray = [name for name in os.environ if name.startswith("RAY_")]
end(outcome={**told, "ray": ray, "folder": os.getcwd(), "cores": len(os.sched_getaffinity(0))})
"""
    order = {"folder": str(tmp_path)}
    ended = RayLauncher().run(program(deed), 2, order, SimpleNamespace(received=0))
    cores = len(os.sched_getaffinity(0))
    for rank, each in enumerate(ended):
        assert (each.rank, each.code) == (rank, 0)
        assert each.result["outcome"] == {
            "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank),
            "MASTER_ADDR": "127.0.0.1", "OF_THE_TEST": "1",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
            "ray": [], "folder": str(tmp_path), "cores": max(1, cores // 2),
        }  # fmt: skip


def test_all_begin_again_when_an_actor_is_killed_and_its_worker_ends_with_it(
    cluster, tmp_path, capfd
):
    deed = f"""
sys.path[:0] = {sys.path!r}
import threading
from genkit.workflows.worker import _end_with_parent
threading.Thread(target=_end_with_parent, args=(order["alone"],), daemon=True).start()
if times == 0:
    if rank == 0: print("heard", file=sys.stderr, flush=True)
    time.sleep(200)
end(outcome={{'times': times}})
"""

    def kill():
        wait_for(lambda: begun(tmp_path) == ["0-0", "1-0"])
        actor, _ = map(int, (tmp_path / "1-0").read_text().split())
        os.kill(actor, signal.SIGKILL)

    threading.Thread(target=kill).start()
    order = {"folder": str(tmp_path)}
    found = run_workers(RayLauncher(), program(deed), 2, lambda: order, lambda: 0)
    assert found == {"times": 1}
    assert begun(tmp_path) == ["0-0", "0-1", "1-0", "1-1"]
    said = capfd.readouterr().err
    assert "heard" in said
    assert "Worker 1 was killed by signal 9. All 2 begin again from step 0, 1 of at most" in said
    for file in tmp_path.iterdir():
        _, worker = map(int, file.read_text().split())
        wait_for(lambda worker=worker: not is_alive(worker))


def test_a_signal_reaches_all(cluster, tmp_path):
    deed = """
signal.signal(signal.SIGINT, lambda number, _: end(outcome={'signal': number}))
(folder / f"ready-{rank}").touch()
time.sleep(60)
"""
    stop = SimpleNamespace(received=0)

    def interrupt():
        wait_for(lambda: len(list(tmp_path.glob("ready-*"))) == 2)
        stop.received = signal.SIGINT

    threading.Thread(target=interrupt).start()
    ended = RayLauncher().run(program(deed), 2, {"folder": str(tmp_path)}, stop)
    assert [each.result for each in ended] == [{"outcome": {"signal": signal.SIGINT}}] * 2


def test_a_folder_that_a_machine_lacks_is_told_in_one_line(cluster, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(Path, "cwd", lambda: gone)
    with pytest.raises(RunError, match=r"^Worker \d failed: .*No such file.*gone'$"):
        run_workers(RayLauncher(), program("end()"), 2, lambda: {"folder": ""}, lambda: 0)


def test_what_a_worker_said_last_is_told(cluster, tmp_path):
    deed = "print('cannot start', file=sys.stderr); sys.exit(3 if rank else 0)"
    with pytest.raises(TrainingError, match=r"Worker 1 ended with exit code 3\. cannot start"):
        run_workers(RayLauncher(), program(deed), 2, lambda: {"folder": str(tmp_path)}, lambda: 0)


def test_more_workers_than_processors_are_refused(cluster):
    import ray

    many = int(ray.cluster_resources()["CPU"]) + 1
    with pytest.raises(UsageError, match=rf"than the Ray cluster has CPUs, .*; received {many}\."):
        RayLauncher().run(program("end()"), many, {}, SimpleNamespace(received=0))


def test_a_cluster_that_is_busy_is_waited_for_and_then_told(cluster, monkeypatch):
    import ray

    monkeypatch.setattr("genkit_ray.launcher._PLACE_SECONDS", 0.5)
    size = int(ray.cluster_resources()["CPU"])
    taken = ray.util.placement_group([{"CPU": 1}])
    assert taken.wait(60)
    try:
        with pytest.raises(UsageError, match=f"Expected room for {size} workers on the Ray"):
            RayLauncher().run(program("end()"), size, {}, SimpleNamespace(received=0))
    finally:
        ray.util.remove_placement_group(taken)


def test_without_ray_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(UsageError, match=r"needs the package ray.*pip install 'ray>=2\.60,<3'$"),
        clusters.connected(),
    ):
        pass


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1:1", "a Ray cluster at RAY_ADDRESS=127.0.0.1:1; received: Connection refused."),
        ("ray://127.0.0.1:1", "RAY_ADDRESS as HOST:PORT; received 'ray://127.0.0.1:1'."),
    ],
)
def test_a_cluster_that_is_not_there_is_told_in_one_line(tmp_path, address, told):
    command = [sys.executable, "-m", "genkit", "run", "vae", "--dataset", "digits"]
    flags = ["--workers", "2", "--launcher", "ray", "--runs-dir", str(tmp_path)]
    done = subprocess.run(
        [*command, *flags], env={**os.environ, "RAY_ADDRESS": address},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert done.stderr.splitlines()[-1].startswith(f"error: Expected {told}")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_has_only_imported_ray_is_told_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))
    with (
        pytest.raises(UsageError, match=r"received one that has only imported it\. Call ray\.init"),
        clusters.connected(),
    ):
        pass


def test_the_ray_that_is_started_listens_here_alone_wants_a_token_and_reports_nothing(cluster):
    import ray

    assert ray.util.get_node_ip_address() == "127.0.0.1"
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    ours = {inode for pid in descendants() for inode in sockets(pid)}
    heard = [address for address, inode in listening() if inode in ours]
    assert len(heard) > 2
    loopback = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
    assert [address for address in heard if address.partition(":")[0] not in loopback] == []


def descendants():
    """Return this process and all that it has started, directly or not."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def sockets(pid):
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = str(fd.readlink())
        except OSError:
            continue
        if name.startswith("socket:["):
            yield name[8:-1]


def listening():
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                yield words[1], words[9]
