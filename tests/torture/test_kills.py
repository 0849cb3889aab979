"""The bounded form of the torture: one run, hurt at each place of its first checkpoints.

Each time on JAX; on the other backends, and thousands of times, by ``nox -s torture``.
"""

import json

import pytest

from genkit.plan import activation
from tests.torture.campaign import Campaign

pytestmark = [pytest.mark.slow, pytest.mark.once]

PLACES = 7


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    with Campaign(
        tmp_path_factory.mktemp("torture"), activation.choose_backend(), seed=1
    ) as campaign:
        yield campaign


@pytest.mark.parametrize("kind", ["kill", "ENOSPC", pytest.param("EIO", marks=pytest.mark.full)])
def test_whatever_happens_while_files_are_written_nothing_is_lost(campaign, kind):
    """Each start is hurt six things later than the one before, torn or lasting in turn."""
    hurt = 0
    for place in range(1, PLACES + 1):
        fault = {
            "at": 6 * place - 3,
            "kind": kind,
            "torn": place % 2 == 0,
            "lasting": place % 3 == 0,
        }
        answer = campaign.attempt(fault)
        hurt += answer["signal"] == 9 or answer["code"] == 1
    campaign.finish()
    assert hurt > PLACES / 2, "else the test shows nothing"


def test_killed_and_ended_at_random_moments(campaign):
    for _ in range(8):
        campaign.random_attempt()
    campaign.finish()
    print(json.dumps(campaign.tally))
