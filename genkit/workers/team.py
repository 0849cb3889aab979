"""Which of several workers a process is, and where they meet: read from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain

from genkit.errors import UsageError

# What starts processes says in these variables which process of how many each is, and which one on
# its machine: torchrun (and GenKit itself), srun, Open MPI's mpirun, that of MPICH and Intel.
_NAMES = (
    ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"),
)
_HINT = "Start it with torchrun, srun or mpirun, or leave out --launcher env."
_MOST_WORKERS = 1 << 16
_LAST_PORT = (1 << 16) - 1


@dataclass(frozen=True)
class Team:
    """A process's place among the workers.

    Args:
        rank: which worker it is, from 0 on.
        size: how many there are.
        local_rank: which one on its machine, from 0 on.
        host: where the first worker is.
        port: where it waits for the others.
    """

    rank: int
    size: int
    local_rank: int
    host: str
    port: int


def team_of(variables: Mapping[str, str], workers: int | None = None) -> Team:
    """Read a process's place from its environment.

    Args:
        variables: the environment.
        workers: how many are expected; as many as it says when left out.

    Raises:
        UsageError: a variable is missing or no number, or they contradict each other.
    """
    found = next((names for names in _NAMES if any(name in variables for name in names[:2])), None)
    if found is None:
        raise UsageError(
            "Expected the place of this worker in the environment, RANK and WORLD_SIZE; "
            "received neither.",
            _HINT,
        )
    rank_name, size_name, local_name = found
    size = _number(variables, size_name, 1, _MOST_WORKERS)
    rank = _number(variables, rank_name, 0, size - 1)
    local = _number(variables, local_name, 0, size - 1) if local_name in variables else 0
    if workers is not None and workers != size:
        raise UsageError(
            f"Expected {workers} workers; received {size_name}={size}.",
            "Leave out --workers, or start as many.",
        )
    if "MASTER_ADDR" not in variables:
        raise UsageError(
            "Expected the machine of the first worker in MASTER_ADDR; received none.",
            "Set it, and MASTER_PORT, alike for all workers.",
        )
    port = _number(variables, "MASTER_PORT", 1, _LAST_PORT - 1)
    # There torchrun itself listens.
    port += "TORCHELASTIC_RUN_ID" in variables
    return Team(rank, size, local, variables["MASTER_ADDR"], port)


def variables_of(team: Team) -> dict[str, str]:
    """Return the environment that says a process's place, under torchrun's names."""
    return {
        "RANK": str(team.rank),
        "WORLD_SIZE": str(team.size),
        "LOCAL_RANK": str(team.local_rank),
        "MASTER_ADDR": team.host,
        "MASTER_PORT": str(team.port),
    }


def without_places(variables: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that says nothing of a process's place."""
    said = {*chain.from_iterable(_NAMES), "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID"}
    return {name: value for name, value in variables.items() if name not in said}


def take_device(team: Team) -> None:
    """Leave this process one accelerator of those it sees, before a framework counts them."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES")
    devices = seen.split(",") if seen else None
    if devices is None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(team.local_rank)
    elif len(devices) > 1:  # else each worker was given its own already
        os.environ["CUDA_VISIBLE_DEVICES"] = devices[team.local_rank % len(devices)]


@contextmanager
def patient_threads() -> Iterator[None]:
    """Have threads that begin inside the block wait until the one on their core pauses.

    Gloo's own thread tries a lock again and again as long as another thread holds it. On a core
    that both share it would push that one aside, and try for as long as it may stay: 4 ms a sum
    instead of 0.2. Linux calls what pushes nothing aside a batch; elsewhere nothing is done.
    """
    ordinary = hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER
    if ordinary:
        with suppress(OSError):  # a container may forbid it; all goes on, slower
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        if ordinary:
            with suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _number(variables: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = variables.get(name)
    if text is None or not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise UsageError(
            f"Expected a number from {least} to {most} in {name}; received "
            f"{'none' if text is None else repr(text)}.",
            _HINT,
        )
    return int(text)
