"""Figures whose cards are put together for people."""

import pytest

from genkit.evaluation import Figure
from genkit.evaluation.figure import split_cards

pytestmark = pytest.mark.once


def figure(name, **card):
    return Figure(name, 1.0, 0.0, 2.0, "max", card)


def test_what_cards_share_is_told_from_what_is_their_own():
    shared, others = split_cards(
        [
            figure("fid", seed=1, against="mnist", interval="jackknife"),
            figure("precision", seed=1, against="mnist", interval="Wilson"),
            figure("recall", seed=1, against="mnist", interval="Wilson"),
            figure("smoothness", seed=1, paths=9),
        ]
    )
    assert shared == {"seed": 1, "against": "mnist"}
    assert others == [
        (["fid"], {"interval": "jackknife"}),
        (["precision", "recall"], {"interval": "Wilson"}),
        (["smoothness"], {"paths": 9}),
    ]


def test_of_one_figure_all_is_shared_and_equal_cards_leave_nothing():
    assert split_cards([figure("fid", seed=1)]) == ({"seed": 1}, [])
    assert split_cards([figure("fid", seed=1), figure("kid", seed=1)]) == ({"seed": 1}, [])
    assert split_cards([]) == ({}, [])
