"""A person's captioned pictures: what is read, cut, left out and told."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from genkit_text2image.configs import EmojiConfig
from genkit_text2image.folder import open_emoji
from genkit_text2image.source import words_in
from small import captions_of, opened, write_pictures

from genkit.errors import DataError


def test_captions_are_numbers_of_words_in_small_letters(tmp_path):
    source = opened(write_pictures(tmp_path, ["Red apple!", "A red, RED cat's tail"]), longest=5)
    assert captions_of(source) == ["red apple", "a red red cat's tail"]
    assert source.gather(np.array([0]))["caption"].shape == (1, 5)
    assert source.texts == ("red apple", "a red red cat's tail")


def test_words_of_any_script_are_words(tmp_path):
    source = opened(write_pictures(tmp_path, ["красное яблоко", "赤い りんご", "pomme rouge"]))
    assert captions_of(source) == ["красное яблоко", "赤い りんご", "pomme rouge"]


def test_what_cannot_be_used_is_counted_and_told(tmp_path):
    long = " ".join(f"word{number}" for number in range(1200))  # some 10,000 characters
    folder = write_pictures(
        tmp_path,
        ["red apple", "", "!? ...", long, "green apple"],
        ['{"file_name": "gone.png", "text": "nothing"}'],
    )
    (folder / "uncaptioned.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "4.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="captions without a word 2") as told:
        source = opened(folder)
    assert source.left_out == {
        "captions without a word": 2,
        "words of captions behind the first 16": 1,
        "captions of pictures that are not there": 1,
        "pictures without a caption": 1,
        "unreadable": 1,
    }
    assert all(reason in str(told[0].message) for reason in source.left_out)
    assert len(source) == 2
    assert captions_of(source)[1].split() == long.split()[:16]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("[1]", "it is no object"),
        ('{"text": "a"}', 'there is no "file_name"'),
        ('{"file_name": "0.png", "text": 3}', '"text" is no string'),
        ('{"file_name": "../0.png", "text": "a"}', "leads outside the folder"),
        ('{"file_name": "/etc/passwd", "text": "a"}', "leads outside the folder"),
        ('{"file_name": "0.png", "text": "a"}', "named a second time"),
        ("{", "line 2"),
        ("[" * 100_000, "line 2"),
    ],
)
def test_a_line_that_is_not_as_it_should_be_is_told_by_its_number(tmp_path, line, fault):
    folder = write_pictures(tmp_path, ["red apple"], [line])
    with pytest.raises(DataError, match=r"in line 2 of .*metadata.jsonl") as error:
        opened(folder)
    assert fault in str(error.value)


def test_a_folder_without_captions_is_told_what_to_write(tmp_path):
    with pytest.raises(DataError, match=r"Expected captions in .*metadata.jsonl") as error:
        opened(tmp_path)
    assert "red apple" in error.value.hint
    (tmp_path / "metadata.jsonl").write_text("\n")
    with pytest.raises(DataError, match="received none"):
        opened(tmp_path)


def test_emoji_without_a_place_are_told_where_to_name_one(monkeypatch):
    monkeypatch.delenv("GENKIT_DATA", raising=False)
    with pytest.raises(DataError, match="GENKIT_DATA is not set"):
        open_emoji(EmojiConfig())


@pytest.mark.skipif(
    not (Path(os.environ.get("GENKIT_DATA", "")) / "emoji64").is_dir(),
    reason="the emoji are not here",
)
def test_emoji_are_held_out_by_new_combinations_of_known_words():
    training, held = open_emoji(EmojiConfig()), open_emoji(EmojiConfig(split="test"))
    assert len(training) + len(held) == 1911
    assert len(held) > 100
    assert training.schema == held.schema
    check_split(training, held, known=4)


def check_split(training, held, known):
    seen = [frozenset(text.split()) for text in training.texts]
    assert not {frozenset(text.split()) for text in held.texts} & set(seen)
    for text in held.texts:
        for word in text.split():
            assert sum(word in words for words in seen) >= known, (text, word)


def test_held_out_are_new_combinations_whose_words_stay_known(tmp_path):
    texts = [f"{colour} {thing}" for colour in ["red", "green", "blue"] for thing in "abcd"] * 2
    folder = write_pictures(tmp_path, [*texts, "lonely whale"])
    settings = {"held_out": 0.3, "known": 3}
    training, held = (opened(folder, split=split, **settings) for split in ("train", "test"))
    check_split(training, held, known=3)
    assert len(held) == 6  # of 25, both of each combination together
    assert "lonely whale" in training.texts
    assert held.texts == opened(folder, split="test", **settings).texts
    assert held.texts != opened(folder, split="test", split_seed=1, **settings).texts
    assert len(opened(folder, split="all", **settings)) == 25


def test_nothing_to_hold_out_is_told(tmp_path):
    folder = write_pictures(tmp_path, ["red apple", "green pear"])
    with pytest.raises(DataError, match="words are each in 4 others or more"):
        opened(folder, split="test", held_out=0.5)


def test_training_widens_captions_by_keywords_and_drops_words(tmp_path):
    texts = [{"text": "red apple", "keywords": ["fruit", "round thing"], "category": "Food"}] * 8
    source = opened(write_pictures(tmp_path, texts), widen=1.0, drop_words=0.3)
    words = words_in(source.schema, source.assets)
    rows = np.arange(8)

    def drawn(seed, of=source):
        found = of.draw(rows, np.random.default_rng(seed))
        return [words.decode(row) for row in found["caption"]]

    found = drawn(0) + drawn(1)
    assert drawn(0) == found[:8], "the same seed gives the same words"
    used = {word for text in found for word in text.split()}
    assert used == {"red", "apple", "fruit", "round", "thing", "food"}
    assert any("red" not in text.split() for text in found)
    assert all(found), "no caption is dropped as a whole"
    assert captions_of(source)[0] == "red apple", "what is gathered stays as it was written"
    plain = opened(tmp_path, split="all", widen=1.0)
    assert plain.draw(rows, np.random.default_rng(0)) == {}


def test_a_vocabulary_keeps_the_most_frequent_words_and_the_rest_is_unknown(tmp_path):
    source = opened(write_pictures(tmp_path, ["red apple", "red pear", "red"]), vocabulary=1)
    assert captions_of(source) == ["red <unknown>", "red <unknown>", "red"]


def test_hints_that_are_no_text_say_nothing(tmp_path):
    texts = [{"text": "red apple", "keywords": [3, None, {"a": 1}], "category": 5}]
    folder = write_pictures(tmp_path, texts)
    assert json.loads((folder / "metadata.jsonl").read_text())["category"] == 5
    assert captions_of(opened(folder, widen=1.0)) == ["red apple"]
