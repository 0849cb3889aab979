"""Rows of prompts and answers: laid out, left out, held out, learned and asked for."""

import json
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest
from genkit_language.configs import GPTConfig, PromptsConfig
from genkit_language.gpt import GPT
from genkit_language.prompts import SEPARATOR, Answers, open_prompts, separator_of
from keras import ops
from pyarrow import parquet

import genkit
from genkit.data import Subset
from genkit.data.varying import items_of
from genkit.errors import DataError, UsageError

ROWS = [{"prompt": f"{a} and {b}", "answer": f"{a + b}."} for a in range(9) for b in range(9)]
TINY = {"context": 16, "layers": 1, "heads": 2, "width": 16, "longest": 24}


def write(folder, rows=ROWS, name="rows.jsonl"):
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def opened(path, **settings):
    return open_prompts(PromptsConfig(path=path, **settings))


def texts(source, name="text"):
    rows = source.gather(np.arange(len(source)))
    return [source.tokens.tokenizer.decode(item) for item in items_of(rows, source.schema, name)]


@pytest.mark.parametrize("tokenizer", ["characters", "bytes", "bpe"])
def test_each_row_is_prompt_separator_and_answer_in_one_of_two_splits(tmp_path, tokenizer):
    path = write(tmp_path)
    splits = [
        opened(path, split=split, tokenizer=tokenizer, separator=" = ", held_out=0.2)
        for split in ("train", "validation")
    ]
    whole = [f"{row['prompt']} = {row['answer']}" for row in ROWS]
    found = [texts(source) for source in splits]
    assert sorted(found[0] + found[1]) == sorted(whole)
    assert min(map(len, found)) > 5
    for source, rows in zip(splits, found, strict=True):
        assert texts(source, "prompt") == [row[: row.index("=") + 2] for row in rows]


def test_tables_of_all_kinds_are_the_same_rows(tmp_path):
    lines = write(tmp_path)
    table, cells = tmp_path / "rows.parquet", tmp_path / "rows.csv"
    parquet.write_table(pa.Table.from_pylist(ROWS), table)
    quoted = "".join(f'"{row["prompt"]}","{row["answer"]}"\r\n' for row in ROWS)
    cells.write_text(f"\ufeffprompt,answer\n{quoted}", encoding="utf-8")
    first, *others = (opened(path) for path in (lines, table, cells))
    assert {source.fingerprint() for source in others} == {first.fingerprint()}


def test_a_row_stays_in_its_split_when_others_are_added(tmp_path):
    held = texts(opened(write(tmp_path), split="validation"))
    more = [{"prompt": f"{n} more", "answer": "ok"} for n in range(20)]
    assert set(held) <= set(texts(opened(write(tmp_path, more + ROWS), split="validation")))


def test_tokens_of_many_rows_are_no_memory_of_the_process(tmp_path):
    rows = [{"prompt": f"{n}", "answer": "x" * 2000} for n in range(10_000)]
    path = write(tmp_path, rows)
    opened(write(tmp_path, name="few.jsonl"))  # what is imported is not counted
    tracemalloc.start()
    source = opened(path, tokenizer="bytes")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(source.tokens.numbers) > 17_000_000
    assert peak < 12 << 20
    assert texts(source)[-1].endswith("x" * 2000)


def test_what_counts_is_the_answer_with_its_end_alone(tmp_path):
    source = opened(write(tmp_path))
    batch = Answers(source, 16).gather(np.arange(3))
    tokenizer = source.tokens.tokenizer
    for window, counts, whole in zip(batch["window"], batch["counts"], texts(source), strict=False):
        _, answer = whole.split("\n")
        counted = window[1:][counts == 1]
        assert tokenizer.decode(counted) == answer
        assert counted[-1] == tokenizer.end
        assert tokenizer.decode(window[: len(whole)]) == whole


def test_the_loss_is_the_mean_of_each_answers_own(tmp_path):
    source = opened(write(tmp_path))
    model = GPT(GPTConfig(**TINY), source.schema)
    rng = np.random.default_rng(0)  # far from even chances, which all rows would share
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape).astype("float32"))
    batch = Answers(source, 16).gather(np.arange(len(source)))
    assert len(set(batch["counts"].sum(1))) > 1, "answers of several lengths"
    surprise = ops.convert_to_numpy(ops.stop_gradient(model.surprise(batch["window"])))
    right = [row[kept == 1].mean() for row, kept in zip(surprise, batch["counts"], strict=True)]
    found = model.validation_step({k: ops.convert_to_tensor(v) for k, v in batch.items()})["loss"]
    assert float(ops.convert_to_numpy(ops.stop_gradient(found))) == pytest.approx(
        float(np.mean(right)), abs=1e-5
    )


def test_some_rows_are_learned_from_alone(tmp_path):
    source = opened(write(tmp_path))
    some = Answers(Subset(source, np.array([5, 2])), 16)
    whole = Answers(source, 16).gather(np.array([5, 2]))
    np.testing.assert_array_equal(some.gather(np.arange(2))["window"], whole["window"])


def test_a_row_that_is_longer_than_the_context_says_what_to_set(tmp_path):
    path = write(tmp_path, [*ROWS, {"prompt": "a" * 30, "answer": "b" * 9}])
    sources = [opened(path, split=split) for split in ("train", "validation")]
    (source,) = (each for each in sources if "a" * 30 in "".join(texts(each)))
    with pytest.raises(DataError, match=r"1 of .* have more, the longest 41") as caught:
        Answers(source, 16)
    assert "--set context=40; or leave such rows out: --data longest=17" in caught.value.hint
    with pytest.warns(UserWarning, match=r"longer than 17 tokens 1 .first: row 82"):
        shorter = opened(path, longest=17)
    assert shorter.left_out == {"longer than 17 tokens": 1}
    assert len(Answers(shorter, 16)) == len(shorter)


def test_rows_that_cannot_be_used_are_counted_by_reason(tmp_path):
    path = write(tmp_path)
    bad = [
        b"{", b'{"prompt": "a"}', b'{"prompt": " ", "answer": "b"}',
        b'{"prompt": 3, "answer": "b"}',
        b'{"prompt": "a", "answer": ""}', b'{"prompt": "\xff", "answer": "b"}',
        b'{"prompt": "a\\u0000", "answer": "b"}', b'{"prompt": "\\ud800", "answer": "b"}', b"[1]",
    ]  # fmt: skip
    path.write_bytes(path.read_bytes() + b"\n".join(bad))
    with pytest.warns(UserWarning, match="Left out of"):
        source = opened(path)
    assert source.left_out == {
        "no JSON": 1, "no text in 'answer'": 1, "empty prompt": 1, "no text in 'prompt'": 2,
        "empty answer": 1, "no UTF-8": 1, "NUL, so no text": 1, "half of a character": 1,
    }  # fmt: skip
    cells = tmp_path / "rows.csv"
    cells.write_bytes(b"prompt,answer\na,b\nc,d\ne,f,g\nh\n\xff,x\n\ni,\n")
    with pytest.warns(UserWarning, match="Left out of"):
        source = opened(cells)
    assert source.left_out == {"another number of cells": 2, "no UTF-8": 1, "empty answer": 1}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"a\tb\n", "Expected a table of the kind .jsonl"),
        ("a.jsonl", b"", "there is none"),
        ("a.jsonl", b'{"prompt": "a", "answer": "b"}\n', "two rows or more"),
        ("a.jsonl", b'{"prompt": "a", "answer": "b"}\n' * 3, "all 3 are the same"),
        ("a.csv", b"question,answer\na,b\n", r"a column 'prompt' in .*it has question, answer"),
        ("a.csv", b'prompt,answer\n"a,b\n', "line 2: unexpected end of data"),
        ("a.csv", b"", "Expected a column"),
        ("a.parquet", b"PAR1", "Expected a Parquet file"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_line(tmp_path, name, content, told):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        opened(path)
    assert "\n" not in str(caught.value)


def test_a_damaged_separator_is_refused():
    assert separator_of({}) == ""
    with pytest.raises(DataError, match="it is damaged"):
        separator_of({SEPARATOR: np.array([255], np.uint8)})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prompts")
    rows = [{"q": word * times, "a": word.upper()} for word in "abcdef" for times in range(1, 9)]
    return genkit.train(
        "gpt",
        dataset="prompts",
        data={"path": str(write(folder, rows)), "prompt": "q", "answer": "a"},
        config={**TINY, "learning_rate": 0.02, "warmup_steps": 5},
        steps=150,
        sample_every=150,
        validate_every=150,
        runs_dir=folder / "runs",
        verbose=False,
    )


def test_a_prompt_gets_its_answer_and_the_text_ends(run):
    model = genkit.load(run)
    asked = {"prompt": ["aa", "ffffff", "c"]}
    written = model.generate(3, given=asked, temperature=0.0).tolist()
    assert written == ["aa\nA", "ffffff\nF", "c\nC"]
    assert "".join(model.stream(given={"prompt": "aa"}, temperature=0.0)) == "aa\nA"


def test_without_a_prompt_there_is_no_answer(run):
    with pytest.raises(UsageError, match="without a value of 'prompt'"):
        genkit.load(run).generate(1)


def test_held_out_prompts_are_asked_while_it_trains_and_to_evaluate_it(run):
    shown = run.path.joinpath("samples", "00000150.txt").read_text().splitlines()
    assert len(shown) == 16
    assert all("\\n" in line for line in shown)
    found = genkit.evaluate(run, n=64, metrics=["copies"])
    assert {figure.name: figure.value for figure in found}["copied-32"] == 0
