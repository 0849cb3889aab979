"""What is measured of texts: whether they repeat themselves, and whether they copy."""

import numpy as np
import pytest
from genkit_language.copies import Copies, span_hashes
from genkit_language.distinct import Distinct
from genkit_language.self_bleu import SelfBLEU
from genkit_language.tokenizer import code_points
from small import opened, write_folder

from genkit.data import Subset
from genkit.evaluation import Batch, Context

STRANGE = "zyxwv utsrq ponml kjihg fedcb a9876 54321 0zyxw vutsr qponm lkjih gfedc"


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("text"))
    (folder / "long.txt").write_text(LONG)
    return [opened(folder, split=split, held_out=0.2) for split in ("train", "validation")]


LONG = "".join(chr(ord("a") + (n * n + n // 7) % 26) for n in range(400))


def figures(metric, texts, size=2):
    for start in range(0, len(texts), size):
        metric.update("generated", Batch(np.array(texts[start : start + size], object)))
    return {figure.name: figure for figure in metric.compute()}


def measured(splits, texts, **context):
    train, held = splits
    whole = {"training": train, "real": held, "assets": train.assets, **context}
    return figures(Copies(Context(train.schema, **whole)), texts)


def test_spans_are_told_apart_by_their_text_alone():
    text = "abcabcabdabc"
    for length in (1, 3, 5, 8):
        hashes = span_hashes(code_points(text), length)
        spans = [text[place : place + length] for place in range(len(text) - length + 1)]
        assert len(hashes) == len(spans)
        for one, mine in zip(spans, hashes, strict=True):
            for other, theirs in zip(spans, hashes, strict=True):
                assert (one == other) == (mine == theirs)
    assert len(span_hashes(code_points("ab"), 3)) == 0


def test_what_stands_in_the_training_text_is_a_copy_as_long_as_it_is(splits):
    train, _ = splits
    source = train.tokens.tokenizer.decode(train.tokens.numbers)
    copied = source[300:400]
    mixed = STRANGE + source[500:550] + STRANGE
    found = measured(splits, [copied, STRANGE, mixed, copied])
    share = 1 + 50 - 32  # of the spans of 32 characters in the mixed text
    right = [1, 0, share / (len(mixed) - 31), 1]
    assert found["copied-32"].value == pytest.approx(np.mean(right), abs=0.01)
    assert found["longest-copy"].value == pytest.approx((96 + 48 + 96) / 4)
    assert found["longest-copy"].card["longest_of_all"] == 96
    assert found["copied-32"].low <= found["copied-32"].value <= found["copied-32"].high


def test_beside_it_stands_the_share_of_held_out_text(splits):
    train, held = splits
    found = measured(splits, [STRANGE] * 4)["copied-32"]
    text = held.tokens.tokenizer.decode(held.tokens.numbers)[: 4 * len(STRANGE)]
    source = train.tokens.tokenizer.decode(train.tokens.numbers)
    n = len(STRANGE)
    shares = [
        np.mean([piece[a : a + 32] in source for a in range(n - 31)])
        for piece in (text[start : start + n] for start in range(0, 4 * n, n))
    ]
    assert found.card["of_held_out_text"] == pytest.approx(np.mean(shares), abs=1e-9)
    assert found.value == 0


def test_copies_are_found_over_the_borders_of_blocks(splits, monkeypatch):
    monkeypatch.setattr("genkit_language.copies._BLOCK", 50)
    source = splits[0].tokens.tokenizer.decode(splits[0].tokens.numbers)
    found = measured(splits, [source[20:320], source[333:633]])
    assert found["copied-32"].value == 1
    assert found["longest-copy"].value == 256


def test_copies_need_the_training_text(splits):
    train, held = splits
    assert "no training data" in Copies.unfit(Context(train.schema, real=held))
    assert Copies.unfit(Context(train.schema, training=Subset(train, np.arange(3)))) == ""
    told = Context(train.schema, real=held, no_training="it was moved")
    assert Copies.unfit(told) == "it was moved"


def test_texts_that_repeat_themselves_are_less_distinct():
    context = Context(opened_schema())
    found = figures(Distinct(context), ["a b a b a", "a b c d"])
    assert found["distinct-2"].value == pytest.approx((2 / 4 + 1) / 2)
    assert found["distinct-3"].value == pytest.approx((2 / 3 + 1) / 2)
    assert found["distinct-2"].card["words_a_text"] == 4.5


def opened_schema():
    import genkit

    return genkit.Schema({"text": genkit.Field((), "string", "text")})


def test_tokens_are_measured_as_their_text(splits):
    train, _ = splits
    context = Context(train.schema, assets=train.assets)
    metric = Distinct(context)
    items = [train.tokens.tokenizer.encode(text) for text in ("the fox the fox the", "a dog")]
    metric.update("generated", Batch(items))
    values = {figure.name: figure.value for figure in metric.compute()}
    assert values["distinct-2"] == pytest.approx((2 / 4 + 1) / 2)


def self_bleu_of(texts, **context):
    pytest.importorskip("sacrebleu")
    return figures(SelfBLEU(Context(opened_schema(), **context)), texts)["self-bleu"]


def test_self_bleu_is_that_of_each_text_against_the_others():
    found = self_bleu_of(["a b c d", "a b c e"])
    # Of one word 3 of 4 are there, of two 2 of 3, of three 1 of 2, of four none: sacrebleu's
    # smoothing makes half of one of that.
    right = (3 / 4 * 2 / 3 * 1 / 2 * 1 / 2) ** 0.25
    assert found.value == pytest.approx(right, abs=1e-6)
    assert "tok:13a" in found.card["bleu"]
    assert self_bleu_of(["a b c d", "a b c d", "x y z"]).value == pytest.approx(2 / 3)
    assert self_bleu_of(["alone"]).value == 0


def test_self_bleu_looks_at_the_first_texts_alone(monkeypatch):
    monkeypatch.setattr("genkit_language.self_bleu._MOST_TEXTS", 3)
    found = self_bleu_of(["a b", "c d", "e f", "a b", "c d"])
    assert (found.value, found.card["texts"]) == (0, 3)


def test_beside_self_bleu_stands_that_of_held_out_text(splits):
    train, held = splits
    found = self_bleu_of(
        ["a stitch in time " * 9] * 6, training=train, real=held, assets=train.assets
    )
    assert found.value == pytest.approx(1)
    assert 0 < found.card["of_held_out_text"] < 1


def test_self_bleu_says_what_it_needs(monkeypatch):
    monkeypatch.setattr("genkit_language.self_bleu.find_spec", lambda name: None)
    assert "pip install" in SelfBLEU.unfit(Context(opened_schema()))
