"""Texts become numbers and come back as they were; a tokenizer from a stranger can do no harm."""

import json
import pickle

import numpy as np
import pytest
from genkit_language.bpe import BPE
from genkit_language.kept_tokenizer import read_tokenizer, tokenizer_of
from genkit_language.tokenizer import ASSET, Bytes, Characters, json_object
from hypothesis import given, settings
from hypothesis import strategies as st
from small import LINES

from genkit.errors import DataError, UsageError

TEXT = "\n".join(LINES) * 20
SPOKEN_SIGN = "<|endoftext|>"


@pytest.fixture(scope="module")
def bpe():
    return BPE.train([TEXT], 300, ends=True)


def with_sign(tokenizer):
    """Return the form of a tokenizer that has a special token, as GPT-2's has."""
    form = json.loads(json.dumps(tokenizer.form()["tokenizer"]))
    number = len(form["model"]["vocab"])
    form["model"]["vocab"][SPOKEN_SIGN] = number
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    form["added_tokens"] = [{"id": number, "content": SPOKEN_SIGN, "special": True, **flags}]
    return form


@given(st.text())
@settings(max_examples=300, deadline=None)
def test_any_text_comes_back_from_bytes_and_bpe(text):
    for tokenizer in (Bytes(ends=True), TRAINED):
        numbers = tokenizer.encode(text)
        assert tokenizer.decode(numbers) == text
        assert tokenizer.end not in numbers
        assert all(0 <= number < tokenizer.size for number in numbers)


TRAINED = BPE.train([TEXT], 300, ends=True)


def test_bpe_learns_frequent_pieces_and_is_the_same_twice(bpe):
    assert b" the" in bpe.pieces
    assert len(bpe.encode(TEXT)) < 0.7 * len(TEXT)
    assert bpe.asset().tobytes() == BPE.train([TEXT], 300, ends=True).asset().tobytes()


@given(st.text(alphabet="abc \n\u00e9\U0001f600", max_size=50))
@settings(max_examples=50, deadline=None)
def test_characters_come_back(text):
    letters = Characters("\n abc\u00e9\U0001f600", ends=False)
    assert letters.decode(letters.encode(text)) == text
    assert len(letters.encode(text)) == len(text)


def test_a_character_that_was_never_seen_is_refused_by_name():
    with pytest.raises(UsageError, match=r"data has; received 'Z' in 'a Z'") as caught:
        Characters(" a", ends=False).encode("a Z")
    assert "tokenizer=bpe" in caught.value.hint


@pytest.mark.parametrize("tokenizer", [Bytes(ends=False), Characters("a", ends=False), TRAINED])
def test_half_of_a_character_is_refused(tokenizer):
    with pytest.raises(UsageError, match="half of one"):
        tokenizer.encode("a\ud800")


@pytest.mark.parametrize("ends", [False, True])
def test_a_tokenizer_that_was_kept_is_the_same(ends):
    for made in (
        Characters("ab\u00e9", ends=ends),
        Bytes(ends=ends),
        BPE.train([TEXT], 290, ends=ends),
    ):
        again = read_tokenizer({ASSET: made.asset()})
        assert (again.kind, again.size, again.end) == (made.kind, made.size, made.end)
        assert again.pieces == made.pieces
        np.testing.assert_array_equal(again.encode("abba"), made.encode("abba"))
        assert again.asset().tobytes() == made.asset().tobytes()
        assert (made.end is not None) == ends == ("<end>" in made.names)


def test_the_smallest_dtype_holds_the_numbers():
    assert Bytes(ends=False).dtype == "uint8"
    assert Bytes(ends=True).dtype == "uint16"


def test_files_of_a_tokenizer_give_its_numbers(bpe, tmp_path):
    form = with_sign(bpe)
    (tmp_path / "tokenizer.json").write_text(json.dumps(form))
    two = tmp_path / "two"
    two.mkdir()
    (two / "vocab.json").write_text(json.dumps(form["model"]["vocab"]))
    merges = (pair if isinstance(pair, str) else " ".join(pair) for pair in form["model"]["merges"])
    (two / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]), encoding="utf-8")
    for path in (tmp_path, tmp_path / "tokenizer.json", two):
        loaded = BPE.load(path, ends=True)
        np.testing.assert_array_equal(loaded.encode(TEXT), bpe.encode(TEXT))
        assert loaded.end == form["model"]["vocab"][SPOKEN_SIGN] == loaded.size - 1


def test_text_that_is_spelled_like_a_sign_stays_text(bpe):
    loaded = tokenizer_of({"kind": "bpe", "end": bpe.end, "tokenizer": with_sign(bpe)})
    text = f"one{SPOKEN_SIGN}two"
    assert loaded.end not in loaded.encode(text)
    assert loaded.decode(loaded.encode(text)) == text


def test_a_tokenizer_that_loses_text_is_refused(bpe):
    form = with_sign(bpe)
    form["normalizer"] = {"type": "Lowercase"}
    with pytest.raises(DataError, match="gives every text back"):
        BPE.of(form)
    form = with_sign(bpe)
    del form["model"]["vocab"]["\u0120"]  # the blank
    with pytest.raises(DataError) as caught:
        BPE.of(form)
    assert "\n" not in str(caught.value)


def model(vocabulary, merges=b"[]", added=b"[]"):
    parts = (b'"type": "BPE"', b'"vocab": ' + vocabulary, b'"merges": ' + merges)
    return b'{"model": {%s}, "added_tokens": %s}' % (b", ".join(parts), added)


HOSTILE = {
    "not JSON": b"no tokenizer",
    "a pickle": pickle.dumps({"model": {"type": "BPE", "vocab": {}}}),
    "nothing": b"",
    "deep": b"[" * 200_000,
    "a list": b"[]",
    "another kind": b'{"model": {"type": "WordPiece", "vocab": {"a": 0}}}',
    "no tokens": model(b"{}"),
    "numbers too large": model(b'{"a": 4000000000}'),
    "numbers below 0": model(b'{"a": -1}'),
    "numbers twice": model(b'{"a": 0, "b": 0}'),
    "no numbers": model(b'{"a": "x"}'),
    "strange merges": model(b'{"a": 0}', b'["q r s"]'),
    "no vocabulary": b'{"model": {"type": "BPE"}}',
    "strange signs": model(b'{"a": 0}', added=b"5"),
    "a sign alone": model(b'{"a": 0}', added=b"[{}]"),
}


@pytest.mark.parametrize("what", list(HOSTILE))
def test_a_hostile_file_is_refused_in_one_line(what, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(HOSTILE[what])
    with pytest.raises(DataError) as caught:
        BPE.load(path, ends=False)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "tokenizer.json"
    with path.open("wb") as file:
        file.truncate(70 << 20)
    with pytest.raises(DataError, match="at most 64 MiB"):
        BPE.load(path, ends=False)
    with pytest.raises(DataError, match="at most 64 MiB"):
        json_object(bytes(65 << 20), "a tokenizer")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        BPE.load(tmp_path, ends=False)


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "words"},
        {"kind": "characters", "letters": ""},
        {"kind": "characters", "letters": "aa"},
        {"kind": "characters", "letters": "\ud800"},
        {"kind": "characters", "letters": "ab", "end": 7},
        {"kind": "bytes", "end": 3},
        {"kind": "bpe", "tokenizer": None},
        {"kind": "bpe", "tokenizer": {"model": {"vocab": {"a": 0}, "merges": []}}, "end": 10**9},
    ],
)
def test_a_run_with_a_damaged_tokenizer_is_refused(form):
    packed = np.frombuffer(json.dumps(form).encode(), np.uint8)
    with pytest.raises(DataError) as caught:
        read_tokenizer({ASSET: packed})
    assert "\n" not in str(caught.value)


def test_data_without_a_tokenizer_says_what_to_use():
    with pytest.raises(DataError, match="data without assets") as caught:
        read_tokenizer({})
    assert "--dataset text" in caught.value.hint
