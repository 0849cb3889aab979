"""The line between workers: who is there, what all agree on, who is gone or stands still."""

import socket
import threading
from dataclasses import replace

import pytest

from genkit.errors import RunError, UsageError
from genkit.workers import line as lines
from genkit.workers.line import BEREFT, LOST, meeting
from tests.workers.meetings import FACTS, Losses, hired, meet_and, teams

pytestmark = pytest.mark.once


def test_each_learns_what_all_hand_over_by_rank():
    def twice(line):
        return [line.exchange(line.team.rank * 10), line.exchange("b")]

    found = meet_and(teams(3), twice)
    assert found == [[[0, 10, 20], ["b", "b", "b"]]] * 3


def test_each_learns_an_address_of_every_worker():
    found = meet_and(teams(3), lambda line: line.addresses)
    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) == 3
    assert all(address.startswith("127.0.0.1:") for address in found[0])


def test_the_first_worker_is_told_of_in_numbers_however_it_is_named():
    named = [replace(team, host="localhost") for team in teams(2)]
    first, _ = meet_and(named, lambda line: line.addresses)[1]
    assert first.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("version of Keras", "3.9", "another version of Keras than the first one: 3.9, not 3.15"),
        ("plan", "b" * 64, "another plan than the first one."),
    ],
)
def test_workers_that_are_not_made_alike_are_all_refused(name, value, told):
    found = meet_and(teams(2), lambda line: line, {1: FACTS | {name: value}})
    assert all(isinstance(error, UsageError) for error in found)
    assert all(f"Worker 1 has {told}" in str(error) for error in found)


def test_two_workers_in_one_place_are_refused():
    first, second, _ = teams(3)
    found = meet_and([first, second, second], lambda line: line)
    assert all("Two workers are number 1." in str(error) for error in found)


def test_workers_that_expect_another_number_are_refused():
    first, _ = teams(2)
    other = lines.Team(1, 3, 1, first.host, first.port)
    found = meet_and([first, other], lambda line: line)
    assert all("Worker 1 expects 3 workers, the first one 2." in str(error) for error in found)


def test_a_port_in_use_is_told():
    team, _ = teams(2)
    with (
        socket.create_server((team.host, team.port)),
        pytest.raises(RunError, match=rf"{team.port}: Address already in use.*MASTER_PORT"),
        meeting(team, FACTS, Losses()),
    ):
        pass


def test_workers_that_do_not_come_are_named(monkeypatch):
    monkeypatch.setattr(lines, "MEETING_SECONDS", 0.2)
    told = "Expected 3 workers at .*; not there: 1, 2"
    with pytest.raises(RunError, match=told), meeting(teams(3)[0], FACTS, Losses()):
        pass


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.0\r\n\r\n", b"[1]\n", b'{"rank": 1}\n'])
def test_who_calls_and_is_no_worker_is_not_taken_for_one(said):
    first, second = teams(2)

    def call_first(team):
        if team.rank == 1:
            with socket.create_connection((first.host, first.port)) as stranger:
                stranger.sendall(said)
        with meeting(team, FACTS, Losses()) as line:
            return line.exchange(team.rank)

    with hired(2) as pool:
        waiting = pool.submit(call_first, first)
        while True:  # until the first one listens
            try:
                answer = pool.submit(call_first, second).result()
                break
            except ConnectionRefusedError:
                pass
        assert waiting.result() == answer == [0, 1]


def losses_when(second_does):
    """Return what the first worker is told when the second one does something on the line."""
    first, second = teams(2)
    losses = Losses()

    class EndedError(Exception):
        """Stands for the end of a process."""

    def work(team):
        with meeting(team, FACTS, losses if team is first else Losses()) as line:
            if team is second:
                second_does(line)
            assert losses.came.wait(20)
            raise EndedError

    with hired(2) as pool:
        for future in [pool.submit(work, team) for team in (first, second)]:
            assert isinstance(future.exception(), EndedError)
    return losses[0]


def test_a_worker_that_is_gone_is_found_at_once():
    def vanish(line):
        line._over = True  # as a process does that is killed: it says nothing more
        line._voices[0].close()

    assert losses_when(vanish) == (LOST, "Worker 1 is gone.")


def test_a_worker_that_stands_still_is_found(monkeypatch):
    monkeypatch.setattr(lines, "SILENCE_SECONDS", 0.4)
    monkeypatch.setattr(lines, "BEAT_SECONDS", 0.05)

    def stand_still(line):
        line._over = True  # no beat any more, and the connection stays

    assert losses_when(stand_still) == (LOST, "Worker 1 stands still.")


def test_silence_is_found_within_half_a_minute():
    assert lines.SILENCE_SECONDS + 2 * lines.BEAT_SECONDS <= 30


def test_a_worker_that_fails_says_why():
    def fail(line):
        line.close("the data is gone")

    assert losses_when(fail) == (BEREFT, "Worker 1 failed: the data is gone")


def test_nobody_is_missed_who_ends_first():
    first, second = teams(2)
    losses, slow = Losses(), threading.Event()

    def work(team):
        with meeting(team, FACTS, losses):
            if team.rank == 0:
                slow.wait(1.5 * lines.BEAT_SECONDS)

    with hired(2) as pool:
        for future in [pool.submit(work, team) for team in (first, second)]:
            future.result()
    assert losses == []
