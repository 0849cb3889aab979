"""The line between workers, apart from what they compute: who is there, what they agree on.

The first worker listens; the others call. Each tells what it is made of, and all go on only if all
are made alike. From then on each is heard of every second: who falls silent, or is gone, is found
while the others wait for it in a sum that will never end. What is said are lines of JSON.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from genkit.errors import GenkitError, RunError, UsageError
from genkit.workers.launcher import BEREFT, LOST
from genkit.workers.team import Team
from genkit.workers.voice import Voice

BEAT_SECONDS = 1.0
SILENCE_SECONDS = 20.0
MEETING_SECONDS = 120.0
_LONGEST_FACT = 32
_LOOK_SECONDS = 0.1
_HELLO_SECONDS = 5.0
_ALIKE = "Start all workers alike."


class Line:
    """The line of one worker, after all have met.

    Args:
        team: its place.
        voices: the others by their rank, of the first; the first alone, of another one.
        addresses: ``host:port`` of each worker, for a framework to use.
        on_loss: ends this process; takes the exit code, and what happened.
    """

    def __init__(
        self,
        team: Team,
        voices: Mapping[int, Voice],
        addresses: list[str],
        on_loss: Callable[[int, str], None],
    ) -> None:
        self.team, self.addresses = team, addresses
        self._voices, self._on_loss = voices, on_loss
        self._over = False
        for rank, voice in voices.items():
            voice.limit(None)
            voice.heard = time.monotonic()
            threading.Thread(target=self._listen, args=(rank, voice), daemon=True).start()
        threading.Thread(target=self._watch, daemon=True).start()

    def exchange(self, value: Any) -> list[Any]:
        """Return what all workers hand over here, by rank."""
        if self.team.rank:
            voice = self._voices[0]
            voice.say(value=value)
            found: list[Any] = voice.values.get()
            return found
        values = [value, *(voice.values.get() for _, voice in sorted(self._voices.items()))]
        for voice in self._voices.values():
            voice.say(value=values)
        return values

    def close(self, failed: str | None = None) -> None:
        """Hang up; where this worker failed, the others end too."""
        self._over = True
        for voice in self._voices.values():
            if failed is not None:
                voice.say(failed=failed)
            voice.say(over=True)
            voice.close()

    def _listen(self, rank: int, voice: Voice) -> None:
        while (message := voice.hear()) is not None:
            if "value" in message:
                voice.values.put(message["value"])
            elif "failed" in message:
                self._lose(BEREFT, f"Worker {rank} failed: {message['failed']}")
            elif "over" in message:
                return
        self._lose(LOST, f"Worker {rank} is gone.")

    def _watch(self) -> None:
        """Be heard, and listen for silence; a process that was stopped must not blame others."""
        last = time.monotonic()
        while not self._over:
            for voice in self._voices.values():
                voice.say(beat=True)
            time.sleep(BEAT_SECONDS)
            now = time.monotonic()
            awake, last = now - last < SILENCE_SECONDS / 2, now
            for rank, voice in self._voices.items():
                if awake and now - voice.heard > SILENCE_SECONDS:
                    self._lose(LOST, f"Worker {rank} stands still.")

    def _lose(self, code: int, what: str) -> None:
        if not self._over:
            self._on_loss(code, what)


@contextmanager
def meeting(
    team: Team, facts: Mapping[str, Any], on_loss: Callable[[int, str], None]
) -> Iterator[Line]:
    """Meet the other workers, and stay on the line inside the block.

    Args:
        team: the place of this one.
        facts: what must be alike for all, by name.
        on_loss: see ``Line``.

    Raises:
        UsageError: the workers are not made alike, or two have one place.
        RunError: the port is in use, or not all came.
    """
    voices, addresses = (_gather if team.rank == 0 else _call)(team, dict(facts))
    line = Line(team, voices, addresses, on_loss)
    try:
        yield line
    except BaseException as error:
        line.close(str(error) or type(error).__name__)
        raise
    line.exchange("over")  # else the first to end would be missed
    line.close()


def _gather(team: Team, facts: dict[str, Any]) -> tuple[dict[int, Voice], list[str]]:
    """Wait, as the first worker, for the others."""
    hosts: dict[int, str] = {}
    voices: dict[int, Voice] = {}
    calling: list[Voice] = []
    try:
        with _listening(team) as server:
            host = server.getsockname()[0]  # in numbers: a name may mean another address elsewhere
            hosts[0] = f"{host}:{free_port(host)}"
            for voice, hello in _callers(server, team, voices):
                calling.append(voice)
                _check_hello(team, facts, hello, voices)
                voices[hello["rank"]] = voice
                hosts[hello["rank"]] = str(hello.get("address"))
    except BaseException as error:
        for voice in calling:
            voice.say(refused=getattr(error, "message", "It was interrupted."))
            voice.close()
        raise
    addresses = [hosts[rank] for rank in range(team.size)]
    for voice in voices.values():
        voice.say(addresses=addresses)
    return voices, addresses


def _callers(
    server: socket.socket, team: Team, known: Mapping[int, Voice]
) -> Iterator[tuple[Voice, dict[str, Any]]]:
    """Yield who calls, with what they say, until all are known.

    Raises:
        RunError: some didn't call in time.
    """
    until = time.monotonic() + MEETING_SECONDS
    while len(known) < team.size - 1:
        if time.monotonic() > until:
            absent = sorted(set(range(1, team.size)) - known.keys())
            raise RunError(
                f"Expected {team.size} workers at {team.host}:{team.port}; not there: "
                f"{', '.join(map(str, absent))}.",
                "See what became of them.",
            )
        with suppress(TimeoutError):
            connection, _ = server.accept()
            voice = Voice(connection)
            voice.limit(_HELLO_SECONDS)
            hello = voice.hear()
            if hello is not None and isinstance(hello.get("facts"), dict):
                yield voice, hello
            else:
                voice.close()  # no worker: somebody looks which ports are open


def _check_hello(
    team: Team, facts: Mapping[str, Any], hello: Mapping[str, Any], known: Mapping[int, Any]
) -> None:
    """Refuse a worker that can't be one of ours.

    Raises:
        UsageError: it expects other workers, its place is taken, or it is made otherwise.
    """
    rank, theirs, why = hello.get("rank"), hello["facts"], ""
    differing = [name for name in facts if theirs.get(name) != facts[name]]
    if hello.get("size") != team.size:
        why = f"Worker {rank} expects {hello.get('size')} workers, the first one {team.size}."
    elif not isinstance(rank, int) or not 0 < rank < team.size or rank in known:
        why = f"Two workers are number {rank}."
    elif differing:
        name = differing[0]
        told = _both(theirs.get(name), facts[name])
        why = f"Worker {rank} has another {name} than the first one{told}."
    if why:
        raise UsageError(why, _ALIKE)


def _both(theirs: Any, first: Any) -> str:
    """Show two facts beside each other, unless they are digests."""
    told = [str(theirs), str(first)]
    return "" if max(map(len, told)) > _LONGEST_FACT else f": {told[0]}, not {told[1]}"


def _call(team: Team, facts: dict[str, Any]) -> tuple[dict[int, Voice], list[str]]:
    """Call the first worker, and wait until all are there."""
    until = time.monotonic() + MEETING_SECONDS
    while True:
        try:
            connection = socket.create_connection((team.host, team.port), MEETING_SECONDS)
            break
        except OSError as error:
            if time.monotonic() > until:
                raise RunError(
                    f"The first worker can't be reached at {team.host}:{team.port}: "
                    f"{error.strerror or error}.",
                    "Set MASTER_ADDR and MASTER_PORT to where it is.",
                ) from None
            time.sleep(_LOOK_SECONDS)
    voice = Voice(connection)
    voice.limit(2 * MEETING_SECONDS)
    host = connection.getsockname()[0]
    address = f"{host}:{free_port(host)}"
    voice.say(rank=team.rank, size=team.size, facts=facts, address=address)
    answer = voice.hear() or {}
    if "addresses" not in answer:
        voice.close()
        told = answer.get("refused", "The first worker went away before all were there.")
        raise UsageError(str(told), _ALIKE)
    return {0: voice}, [str(each) for each in answer["addresses"]]


@contextmanager
def _listening(team: Team) -> Iterator[socket.socket]:
    try:
        server = socket.create_server((team.host, team.port), backlog=team.size)
    except OSError as error:
        told = os.strerror(error.errno) if error.errno else error
        raise RunError(
            f"The first worker can't wait for the others at {team.host}:{team.port}: {told}.",
            "Set MASTER_PORT to a port that is free.",
        ) from None
    with server:
        server.settimeout(_LOOK_SECONDS)
        yield server


def free_port(host: str) -> int:
    """Return a port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def end_process(code: int, what: str) -> None:
    """End this process, whatever it is doing."""
    from genkit.live import print_line

    print_line(f"error: {what}")
    os._exit(code)


def failure_of(error: BaseException) -> dict[str, str]:
    """Return an error in the form that ``--json`` prints."""
    if isinstance(error, GenkitError):
        return error.to_dict()
    told = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return {"error": type(error).__name__, "message": told, "hint": ""}
