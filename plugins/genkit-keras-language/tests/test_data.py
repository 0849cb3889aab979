"""Documents of many kinds become tokens once, and are cut, drawn and held out as told."""

import json

import numpy as np
import pyarrow as pa
import pytest
from genkit_language import documents
from genkit_language.configs import TokensConfig
from genkit_language.data import Windows, open_tinyshakespeare
from genkit_language.documents import whole_words
from pyarrow import parquet
from small import LINES, opened, write_folder, write_text

from genkit.data import Subset
from genkit.errors import DataError, UsageError


def text_of(source):
    numbers = [number for number in source.tokens.numbers if number != source.tokens.tokenizer.end]
    return source.tokens.tokenizer.decode(numbers)


def both(path, **settings):
    return [opened(path, split=split, **settings) for split in ("train", "validation")]


@pytest.mark.parametrize("tokenizer", ["characters", "bytes", "bpe"])
def test_the_last_tenth_of_a_file_is_held_out_and_nothing_is_lost(tmp_path, tokenizer):
    path = write_text(tmp_path)
    whole = path.read_text()
    train, held = both(path, tokenizer=tokenizer)
    assert text_of(train) == whole[: int(0.9 * len(whole))]
    assert text_of(train) + text_of(held) == whole
    assert train.tokens.tokenizer.end is None
    assert train.schema == held.schema


def test_documents_are_held_out_whole_and_stay_where_they_are(tmp_path):
    train, held = both(write_folder(tmp_path), held_out=0.3)
    texts = [text_of(source) for source in (train, held)]
    files = {file.name: file.read_text() for file in tmp_path.glob("*.txt")}
    sides = {name: [text in side for side in texts] for name, text in files.items()}
    assert all(sum(side) == 1 for side in sides.values())
    assert 3 <= sum(side[1] for side in sides.values()) <= 15
    ends = [np.sum(s.tokens.numbers == s.tokens.tokenizer.end) for s in (train, held)]
    assert sum(ends) == len(files)
    (tmp_path / "#first.txt").write_text("one more\n")
    texts = [text_of(source) for source in both(tmp_path, held_out=0.3)]
    assert sides == {n: [text in side for side in texts] for n, text in files.items()}


def test_two_documents_are_one_to_learn_from_and_one_held_out(tmp_path):
    write_folder(tmp_path, 2)
    assert all(len(source) for source in both(tmp_path))
    (tmp_path / "000.txt").write_text((tmp_path / "001.txt").read_text())
    with pytest.raises(DataError, match="all 2 are the same"):
        opened(tmp_path)


def test_rows_of_json_lines_and_parquet_are_documents_like_files(tmp_path):
    texts = [file.read_text() for file in sorted(write_folder(tmp_path, 9).glob("*.txt"))]
    lines, table = tmp_path / "rows.jsonl", tmp_path / "rows.parquet"
    lines.write_text("\n".join(json.dumps({"body": text, "id": 1}) for text in texts))
    parquet.write_table(pa.table({"body": texts}), table)
    (folder, _), *others = (both(tmp_path), both(lines, column="body"), both(table, column="body"))
    for train, held in others:
        np.testing.assert_array_equal(train.tokens.numbers, folder.tokens.numbers)
        assert len(held)


def test_items_are_pieces_and_windows_foretell_each_token_once(tmp_path):
    source = opened(write_text(tmp_path), block=50, split="validation")
    batch = source.gather(np.arange(len(source)))
    pieces = [row[:n] for row, n in zip(batch["text"], batch["text_length"], strict=True)]
    np.testing.assert_array_equal(np.concatenate(pieces), source.tokens.numbers)
    windows = Windows(source, 16)
    rows = windows.gather(np.arange(len(windows)))["window"]
    foretold = np.concatenate([row[1:] for row in rows])
    np.testing.assert_array_equal(foretold, source.tokens.numbers[1 : len(foretold) + 1])
    assert len(source.tokens.numbers) - 1 - len(foretold) < 16
    assert windows.draw(np.arange(3), np.random.default_rng(0)) == {}


def test_training_windows_are_drawn_by_the_seed_from_all_places(tmp_path):
    source = opened(write_text(tmp_path, 3))
    windows, tokens = Windows(source, 50), source.tokens.numbers

    def draw(seed, n=3000):
        rows = np.arange(n) % len(windows)
        return windows.draw(rows, np.random.default_rng(seed))["window"]

    np.testing.assert_array_equal(draw(0), draw(0))
    assert not np.array_equal(draw(0), draw(1))
    starts = {row.tobytes() for row in draw(0)}
    places = range(len(tokens) - 50)
    assert starts == {tokens[p : p + 51].astype(np.int32).tobytes() for p in places}


def test_windows_of_some_items_begin_in_those(tmp_path):
    source = opened(write_text(tmp_path), block=20)
    some = Subset(Subset(source, np.arange(10, 30)), np.array([3, 5]))
    windows, tokens = Windows(some, 8), source.tokens.numbers
    rows = windows.gather(np.arange(2))["window"]
    np.testing.assert_array_equal(rows, [tokens[p : p + 9] for p in (260, 300)])
    drawn = windows.draw(np.zeros(500, int), np.random.default_rng(0))["window"]
    right = {tokens[p : p + 9].astype("int32").tobytes() for p in range(260, 280)}
    assert {row.tobytes() for row in drawn} == right


def test_a_split_shorter_than_a_window_says_what_to_set(tmp_path):
    with pytest.raises(DataError, match="sees at once, 5000; received") as caught:
        Windows(opened(write_text(tmp_path, 4)), 5000)
    assert "--set context=" in caught.value.hint


def test_what_is_no_text_is_left_out_counted_and_named(tmp_path):
    write_folder(tmp_path, 4)
    (tmp_path / "latin.txt").write_bytes("Gr\u00f6\u00dfe\n".encode("latin-1"))
    (tmp_path / "cut.txt").write_bytes("\u20ac".encode()[:2])
    (tmp_path / "binary.txt").write_bytes(b"a\0b")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    with pytest.warns(UserWarning, match="no UTF-8 2") as caught:
        source = opened(tmp_path)
    assert source.left_out == {"no UTF-8": 2, "NUL, so no text": 1, "empty": 1}
    assert "latin.txt" in str(caught[0].message) or "cut.txt" in str(caught[0].message)
    assert "Gr" not in text_of(source)


def test_rows_without_text_are_left_out(tmp_path):
    path = tmp_path / "rows.jsonl"
    good = [json.dumps({"text": f"{n} {LINES[0]}"}).encode() for n in range(5)]
    bad = [
        b"{",
        b'{"other": 1}',
        b'"text"',
        b'{"text": "\xff"}',
        b'{"text": "\\ud800"}',
        b"[" * 9999,
    ]
    path.write_bytes(b"\n".join([*good, b"", *bad]))
    with pytest.warns(UserWarning, match="Left out of"):
        source = opened(path)
    assert source.left_out == {
        "no JSON": 2, "no text in 'text'": 2, "no UTF-8": 1, "half of a character": 1
    }  # fmt: skip
    table = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"text": [*LINES, None, ""]}), table)
    with pytest.warns(UserWarning, match="Left out of"):
        assert opened(table).left_out == {"no text in 'text'": 1, "empty": 1}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"", "there is none. Left out of .*empty 1"),
        ("a.txt", b"\xff\xfea\0b\0", "there is none. Left out of .*no UTF-8 1"),
        ("a.txt", b"a", "a single character"),
        ("a.jsonl", b"", "no .txt file, or no line"),
        ("a.parquet", b"PAR1 it is none", "Expected a Parquet file"),
        ("folder/a.png", b"a", "no .txt file"),
    ],
)
def test_a_path_without_text_is_refused_in_one_line(tmp_path, name, content, told):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        opened(path.parent if "/" in name else path)
    assert "\n" not in str(caught.value)


def test_a_wrong_path_column_or_setting_is_told(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        opened(tmp_path / "none.txt")
    table = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"body": ["a"]}), table)
    with pytest.raises(DataError, match=r"a column 'text' in .*it has body"):
        opened(table)
    with pytest.raises(UsageError, match="tokenizer=bpe with a tokenizer_file"):
        opened(write_text(tmp_path), tokenizer_file=tmp_path)


def test_a_byte_order_mark_is_no_text_and_line_ends_stay(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + b"one\r\ntwo\r\n" * 9)
    train, held = both(path)
    assert text_of(train) + text_of(held) == "one\r\ntwo\r\n" * 9


def test_tokens_are_made_once_and_again_when_they_are_damaged(tmp_path, cache):
    path = write_text(tmp_path, 41)
    first = opened(path)
    text = text_of(first)
    (folder,) = (each for each in cache.iterdir() if each.is_dir() and _is_of(each, first))
    made = folder.joinpath("train.bin").stat().st_mtime_ns
    assert opened(path).fingerprint() == first.fingerprint()
    assert folder.joinpath("train.bin").stat().st_mtime_ns == made
    right = folder.joinpath("train.bin").read_bytes()
    for damage in (right[:-5], b"\x01" * len(right), b""):
        folder.joinpath("train.bin").unlink()
        folder.joinpath("train.bin").write_bytes(damage)
        assert text_of(opened(path)) == text
    folder.joinpath("about.json").write_text('{"splits": {}}')
    assert text_of(opened(path)) == text


def _is_of(folder, source):
    about = json.loads(folder.joinpath("about.json").read_text())
    return about["splits"]["train"]["digest"] == source.tokens.digest


def test_other_text_or_another_tokenizer_is_another_fingerprint(tmp_path):
    path = write_text(tmp_path)
    found = {opened(path, **settings).fingerprint() for settings in (
        {}, {"tokenizer": "bytes"}, {"tokenizer": "bpe"}, {"tokenizer": "bpe", "vocabulary": 300},
        {"held_out": 0.2}, {"split": "validation"}, {"block": 7},
    )}  # fmt: skip
    path.write_text(path.read_text() + "more")
    assert len(found | {opened(path).fingerprint()}) == 8


@pytest.mark.parametrize("tokenizer", ["characters", "bpe"])
def test_blocks_give_the_tokens_of_the_whole(tmp_path, monkeypatch, tokenizer):
    path = tmp_path / "a.txt"
    rng = np.random.default_rng(0)
    words = ("well", "\n", "\n\n", "  ", "it's", "\u00e9t\u00e9", "\U0001f600", " ", "x" * 30)
    path.write_text(" ".join(rng.choice(words, 4000)), encoding="utf-8")
    whole = opened(path, tokenizer=tokenizer)
    monkeypatch.setattr(documents, "BLOCK", 97)
    path.with_suffix(".2.txt").write_text(path.read_text("utf-8"), encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    parted = opened(path.with_suffix(".2.txt"), tokenizer=tokenizer)
    assert text_of(whole) == text_of(parted)
    np.testing.assert_array_equal(whole.tokens.numbers, parted.tokens.numbers)


def test_a_text_without_blanks_is_cut_and_whole(monkeypatch):
    monkeypatch.setattr(documents, "BLOCK", 10)
    blocks = list(whole_words(iter(["x" * 10] * 20)))
    assert "".join(blocks) == "x" * 200
    assert max(map(len, blocks)) <= 50


@pytest.mark.parametrize("megabytes", [64, pytest.param(1024, marks=pytest.mark.full)])
def test_a_large_file_takes_the_memory_of_a_few_blocks(tmp_path, megabytes):
    import tracemalloc

    path = tmp_path / "large.txt"
    block = "".join(f"{n} {LINES[n % 3]}\n" for n in range(30_000)).encode()[: 1 << 20]
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(block)
    opened(write_text(tmp_path))  # what is imported is not counted
    tracemalloc.start()
    source = opened(path, tokenizer="bytes")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(source.tokens.numbers) == int(0.9 * (megabytes << 20))
    assert peak < 40 << 20


def test_tinyshakespeare_is_that_of_others():
    held = open_tinyshakespeare(TokensConfig(split="validation"))
    train = open_tinyshakespeare(TokensConfig())
    assert (len(train.tokens.numbers), len(held.tokens.numbers)) == (1_003_854, 111_540)
    assert train.tokens.tokenizer.size == 65
    assert text_of(train).startswith("First Citizen:\nBefore we proceed any further")
