"""What the kit takes for memory that steps leave behind."""

import pytest

from genkit.testing.watch import LONG, PARTS, census, growth_of

pytestmark = pytest.mark.once


def grown(step):
    """Return what is seen to grow when a function of the step's number is called for each."""
    seen = [census()]
    for begin in range(0, LONG, LONG // PARTS):
        for number in range(begin, begin + LONG // PARTS):
            step(number)
        seen.append(census())
    return growth_of(seen)


def test_one_number_a_step_is_growth():
    kept = []
    assert grown(lambda _: kept.append(1.5)) >= LONG


def test_a_number_for_each_of_many_values_now_and_then_is_none():
    means = [[] for _ in range(40)]

    def step(number):
        if number % 11 == 0:  # the end of an epoch
            for each in means:
                each.append(0.5)

    assert grown(step) < LONG // 2
    assert all(len(each) == LONG // 11 for each in means)


def test_what_is_filled_once_is_none():
    cache = []

    def step(number):
        if number == 5:
            cache.extend(object() for _ in range(1000))

    assert grown(step) < LONG // 2
