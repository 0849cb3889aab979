"""Prompts: words that are known, and those that nobody has seen."""

import numpy as np
import pytest
from genkit_text2image.words import Words, words_of

from genkit.errors import UsageError

WORDS = Words.learned([["red", "apple"], ["green", "apple"]], 10)


def test_a_word_that_no_caption_has_is_told_and_left_out():
    with pytest.warns(UserWarning, match="'purple', 'zebra'"):
        numbers = WORDS.read("purple ZEBRA apple", 4)
    assert WORDS.decode(numbers) == "apple"


def test_a_prompt_of_unknown_words_alone_is_refused_with_near_ones():
    with pytest.raises(UsageError, match="'aple' has none") as error:
        WORDS.read("aple", 4)
    assert error.value.hint == "Did you mean 'apple'?"
    with pytest.raises(UsageError) as error:
        WORDS.read("красное сердце", 4)
    assert "apple, green, red" in error.value.hint
    with pytest.raises(UsageError):
        WORDS.read("", 4)


def test_a_prompt_of_ten_thousand_characters_is_cut_and_told():
    with pytest.warns(UserWarning, match="cut to the first 4"):
        numbers = WORDS.read("red apple " * 1000, 4)
    assert numbers.shape == (4,)
    with pytest.warns(UserWarning, match="left out: 'x+'"):
        WORDS.read("red " + "x" * 10_000, 4)


def test_signs_of_the_vocabulary_are_no_words():
    assert words_of("<unknown> _red_ 3D") == ["unknown", "red", "3d"]
    assert "<unknown>" not in WORDS
    np.testing.assert_array_equal(WORDS.encode(["red", "blue"], 3)[1:], [1, 0])
