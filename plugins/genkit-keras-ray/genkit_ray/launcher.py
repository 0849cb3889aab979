"""``--launcher ray``: an actor of Ray a worker, placed together, watched until all have ended."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import genkit
from genkit.errors import UsageError
from genkit.workers.launcher import Ended
from genkit.workers.team import Team
from genkit_ray.cluster import connected

_PLACE_SECONDS = 60.0  # in which the cluster must have room
_LOOK_SECONDS = 0.3
_GRACE_SECONDS = 10.0  # in which the others say why they end, too


class RayLauncher(genkit.Launcher):
    """Starts each worker in an actor of Ray, which has a CPU, and a GPU where there are any."""

    def run(
        self, command: Sequence[str], size: int, order: Mapping[str, Any], stop: Any
    ) -> list[Ended]:
        with connected():
            return _Actors(size).run(command, order, stop)


class _Actors:
    """The actors of one start, from their places to their end."""

    def __init__(self, size: int) -> None:
        import ray
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        from genkit_ray.actor import METHODS_AT_ONCE, WorkerActor

        self._ray, self._size = ray, size
        needs = _needs(ray, size)
        self._group = ray.util.placement_group([needs] * size, strategy=_strategy(ray, size, needs))
        if not self._group.wait(_PLACE_SECONDS):
            ray.util.remove_placement_group(self._group)
            raise UsageError(
                f"Expected room for {size} workers on the Ray cluster within {_PLACE_SECONDS:.0f} "
                "seconds; others have it.",
                "Wait, or take fewer --workers: ray status says what is free.",
            )
        actor = ray.remote(WorkerActor)
        self._actors = [
            actor.options(
                num_cpus=needs["CPU"],
                num_gpus=needs.get("GPU", 0),
                max_concurrency=METHODS_AT_ONCE,
                scheduling_strategy=PlacementGroupSchedulingStrategy(self._group, rank),
            ).remote()
            for rank in range(size)
        ]

    def run(self, command: Sequence[str], order: Mapping[str, Any], stop: Any) -> list[Ended]:
        """Run all workers, and leave nothing behind."""
        ray = self._ray
        try:
            places = ray.get([actor.about.remote() for actor in self._actors])
            env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
            share = Counter(place["node"] for place in places)
            told = {"order": order, "env": env, "folder": str(Path.cwd())}
            asked = [
                actor.run.remote(command, team, share[place["node"]], **told)
                for actor, team, place in zip(self._actors, _teams(places), places, strict=True)
            ]
            return self._wait(asked, stop)
        finally:
            for actor in self._actors:
                ray.kill(actor)
            ray.util.remove_placement_group(self._group)

    def _wait(self, asked: list[Any], stop: Any) -> list[Ended]:
        """Wait until all have ended, or one badly; pass on a signal, and what the first says."""
        found: dict[int, Ended] = {}
        passed, said, late = False, 0, float("inf")
        while len(found) < self._size and time.monotonic() < late:
            open_ones = [each for rank, each in enumerate(asked) if rank not in found]
            done, _ = self._ray.wait(open_ones, timeout=_LOOK_SECONDS)
            said = self._show(said)
            for each in done:
                rank = asked.index(each)
                found[rank] = self._ended(rank, each)
                if found[rank].code and late == float("inf"):
                    late = time.monotonic() + _GRACE_SECONDS
            if stop.received and not passed:
                passed = True
                for actor in self._actors:
                    actor.stop.remote(stop.received)
        return [found.get(rank, Ended(rank, None, {}, "")) for rank in range(self._size)]

    def _show(self, since: int) -> int:
        """Write what the first worker has said since, as if it were here."""
        try:
            words = self._ray.get(self._actors[0].words.remote(since))
        except self._ray.exceptions.RayError:  # it is gone; its end tells
            return since
        sys.stderr.write(words.decode(errors="replace"))
        sys.stderr.flush()
        return since + len(words)

    def _ended(self, rank: int, asked: Any) -> Ended:
        """Return how a worker ended; one whose actor or machine is gone was killed with it."""
        try:
            return Ended(**self._ray.get(asked))
        except self._ray.exceptions.RayActorError:
            return Ended(rank, -signal.SIGKILL, {}, "")
        except self._ray.exceptions.RayTaskError as error:
            told = " ".join(str(error.cause).split())
            failure = {"error": "RunError", "message": f"Worker {rank} failed: {told}", "hint": ""}
            return Ended(rank, 1, {"error": failure}, "")


def _needs(ray: Any, size: int) -> dict[str, float]:
    """Return what each worker takes: a CPU, and a GPU where the cluster has any.

    Raises:
        UsageError: the cluster will never have so many.
    """
    there = ray.cluster_resources()
    needs = {kind: 1.0 for kind in ("CPU", "GPU") if kind == "CPU" or there.get(kind)}
    for kind in needs:
        if there.get(kind, 0) < size:
            raise UsageError(
                f"Expected no more workers than the Ray cluster has {kind}s, "
                f"{there.get(kind, 0):.0f}; received {size}.",
                "Take fewer --workers, or add machines to the cluster.",
            )
    return needs


def _strategy(ray: Any, size: int, needs: Mapping[str, float]) -> str:
    """Return how workers are placed: all on one machine where one is large enough, else spread."""
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fits = any(
        all(machine.get(kind, 0) >= size * each for kind, each in needs.items())
        for machine in machines
    )
    return "STRICT_PACK" if fits else "SPREAD"


def _teams(places: Sequence[Mapping[str, Any]]) -> list[Team]:
    """Return the place of each worker: the first one waits for the others on its machine."""
    host, port = places[0]["host"], places[0]["port"]
    before: Counter[str] = Counter()
    teams = []
    for rank, place in enumerate(places):
        teams.append(Team(rank, len(places), before[place["node"]], host, port))
        before[place["node"]] += 1
    return teams
