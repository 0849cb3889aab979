"""Draws follow the chances, and what is asked narrows them as its paper says."""

import numpy as np
import pytest
from genkit_language.sampling import (
    against_repeats,
    best,
    likely,
    next_tokens,
    nucleus,
    pick,
)
from genkit_language.stop_words import stop_words
from keras import ops

SCORES = np.log(np.array([[0.4, 0.3, 0.2, 0.1]], "float32"))


def kept(scores):
    return (ops.convert_to_numpy(scores)[0] > -1e8).tolist()


def tensor(value):
    return ops.convert_to_tensor(value)


def drawn(scores, uniform, **asked):
    asked = {"temperature": 1.0, **asked}
    kinds = {name: "int32" if isinstance(x, int) else "float32" for name, x in asked.items()}
    asked = {name: ops.convert_to_tensor(x, kinds[name]) for name, x in asked.items()}
    rows = np.repeat(scores, len(uniform), 0)
    seen = asked.pop("seen", None)
    return ops.convert_to_numpy(
        next_tokens(tensor(rows), tensor(np.array(uniform, "float32")), asked, seen)
    )


def test_tokens_are_drawn_by_their_chances():
    uniform = (np.arange(1000) + 0.5) / 1000
    assert np.bincount(drawn(SCORES, uniform)).tolist() == [400, 300, 200, 100]


def test_the_ends_of_the_uniform_number_are_tokens_that_have_a_chance():
    scores = np.array([[-1e9, 0.0, 0.0, -1e9]], "float32")
    found = ops.convert_to_numpy(pick(tensor(np.repeat(scores, 3, 0)), tensor(
        np.array([0.0, 0.4, np.nextafter(np.float32(1), np.float32(0))], "float32"))))  # fmt: skip
    assert found.tolist() == [1, 1, 2]


def test_temperature_0_takes_the_likeliest_and_a_low_one_nearly():
    assert set(drawn(SCORES, np.linspace(0, 0.999, 50), temperature=0.0)) == {0}
    cold = np.bincount(drawn(SCORES, np.linspace(0, 0.999, 1000), temperature=0.5))
    np.testing.assert_allclose(cold / 1000, np.array([16, 9, 4, 1]) / 30, atol=0.005)


@pytest.mark.parametrize(
    ("keep", "value", "right"),
    [
        (best, 1, [True, False, False, False]),
        (best, 3, [True, True, True, False]),
        (best, 99, [True] * 4),
        (nucleus, 0.01, [True, False, False, False]),
        (nucleus, 0.65, [True, True, False, False]),
        (nucleus, 0.75, [True, True, True, False]),
        (nucleus, 1.0, [True] * 4),
        (likely, 0.6, [True, True, False, False]),
        (likely, 0.1, [True] * 4),
    ],
)
def test_only_the_likeliest_are_left(keep, value, right):
    asked = ops.convert_to_tensor(value, "int32" if isinstance(value, int) else "float32")
    assert kept(keep(tensor(SCORES), asked)) == right


def test_what_is_left_is_drawn_by_its_chances():
    found = np.bincount(drawn(SCORES, (np.arange(700) + 0.5) / 700, top_k=2), minlength=4)
    assert found.tolist() == [400, 300, 0, 0]


def test_tokens_that_are_there_lose_by_the_penalty():
    scores = tensor(np.array([[2.0, -2.0, 1.0]], "float32"))
    seen = tensor(np.array([[True, True, False]]))
    found = ops.convert_to_numpy(against_repeats(scores, seen, ops.convert_to_tensor(2.0)))
    assert found.tolist() == [[1.0, -4.0, 1.0]]


def reads(machine, tokens):
    state = 0
    for token in tokens:
        state = machine.table[state, token]
    return bool(machine.found[state])


@pytest.mark.parametrize(
    ("words", "text", "there"),
    [
        (["end"], "the end of", True),
        (["end"], "the en", False),
        (["aab"], "aaab", True),
        (["she", "he"], "ushers", True),
        (["xyz", "he"], "shell", True),
        (["abcd", "bc"], "abce", True),
        (["\u00e9t\u00e9"], "un \u00e9t\u00e9", True),
    ],
)
def test_a_word_is_found_however_tokens_part_it(words, text, there):
    content = text.encode()
    pieces = sorted({content[a:b] for a in range(len(content)) for b in range(a + 1, a + 5)})
    machine = stop_words(words, [*pieces, b""])
    for size in (1, 2, 3, 4):
        parts = [content[place : place + size] for place in range(0, len(content), size)]
        assert reads(machine, [pieces.index(part) for part in parts]) == there
    assert reads(machine, [len(pieces)]) is False
