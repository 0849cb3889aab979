"""Which worker a process is: what torchrun, srun and mpirun say, and what they must not."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from genkit.errors import UsageError
from genkit.workers.team import (
    Team,
    patient_threads,
    take_device,
    team_of,
    variables_of,
    without_places,
)

pytestmark = pytest.mark.once
THERE = {"MASTER_ADDR": "node7", "MASTER_PORT": "29500"}


@pytest.mark.parametrize(
    "said",
    [
        {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"},
        {"SLURM_PROCID": "3", "SLURM_NTASKS": "8", "SLURM_LOCALID": "1"},
        {f"OMPI_COMM_WORLD_{n}": v for n, v in (("RANK", "3"), ("SIZE", "8"), ("LOCAL_RANK", "1"))},
        {"PMI_RANK": "3", "PMI_SIZE": "8", "MPI_LOCALRANKID": "1"},
    ],
)  # fmt: skip
def test_each_launcher_is_understood(said):
    assert team_of(said | THERE) == Team(3, 8, 1, "node7", 29500)


def test_a_place_survives_its_variables():
    team = Team(1, 4, 0, "127.0.0.1", 4000)
    said = variables_of(team)
    assert team_of(said) == team
    assert without_places(said | {"SLURM_PROCID": "3", "HOME": "/root"}) == {"HOME": "/root"}


def test_torchrun_has_its_port_and_workers_the_next():
    said = {"RANK": "0", "WORLD_SIZE": "2", "TORCHELASTIC_RUN_ID": "none"}
    assert team_of(said | THERE).port == 29501


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "RANK and WORLD_SIZE; received neither"),
        ({"RANK": "0"}, "in WORLD_SIZE; received none"),
        ({"WORLD_SIZE": "2"}, "in RANK; received none"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "from 0 to 1 in RANK; received '2'"),
        ({"RANK": "-1", "WORLD_SIZE": "2"}, "in RANK; received '-1'"),
        ({"RANK": "a", "WORLD_SIZE": "2"}, "in RANK; received 'a'"),
        ({"RANK": "0", "WORLD_SIZE": "0"}, "in WORLD_SIZE; received '0'"),
        ({"RANK": "0", "WORLD_SIZE": "2", "MASTER_PORT": "99999"}, "in MASTER_PORT; received"),
    ],
)
def test_places_that_cannot_be_are_refused(said, told):
    with pytest.raises(UsageError, match=told):
        team_of(THERE | said)


@pytest.mark.parametrize("absent", THERE)
def test_where_to_meet_must_be_said(absent):
    said = {"RANK": "0", "WORLD_SIZE": "2"} | THERE
    del said[absent]
    with pytest.raises(UsageError, match=f"{absent}.*received none"):
        team_of(said)


def test_another_number_than_was_asked_for_is_refused():
    with pytest.raises(UsageError, match="Expected 4 workers; received WORLD_SIZE=2"):
        team_of({"RANK": "0", "WORLD_SIZE": "2"} | THERE, 4)


@pytest.mark.parametrize(("seen", "taken"), [(None, "1"), ("4,5,6", "5"), ("GPU-7", "GPU-7")])
def test_each_worker_has_a_device_of_its_own(monkeypatch, seen, taken):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if seen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    take_device(Team(1, 2, 1, "node7", 29500))
    assert os.environ["CUDA_VISIBLE_DEVICES"] == taken


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="a system without that policy")
def test_threads_of_a_training_push_no_other_aside():
    def policy():
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(os.sched_getscheduler, 0).result()

    before = policy()
    with patient_threads():
        assert policy() == os.SCHED_BATCH
    assert policy() == before
