"""The model: it learns text, and goes on from a prompt as it is asked."""

import numpy as np
import pytest
from genkit_language.configs import GPTConfig
from genkit_language.gpt import GPT
from keras import ops
from small import opened, write_folder, write_text

import genkit
from genkit.errors import DataError, UsageError

TINY = {"context": 16, "layers": 1, "heads": 2, "width": 16, "longest": 48}


def built(source, **settings):
    model = GPT(GPTConfig(**{**TINY, **settings}), source.schema)
    model.bind(source.schema, source.assets)
    rng = np.random.default_rng(0)  # far from even chances, so that texts differ
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape).astype("float32"))
    return model


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return opened(write_text(tmp_path_factory.mktemp("text")))


@pytest.fixture(scope="module")
def model(source):
    return built(source)


def by_the_whole_text(model, prompt, count):
    """Write the likeliest tokens by reading the whole text each time, without a cache."""
    numbers = [*model.tokenizer.encode(prompt)] if prompt else [model.first_token]
    for _ in range(count):
        window = np.zeros((1, model.config.context), "int32")
        window[0, : len(numbers)] = numbers  # what stands behind is not seen
        scores = ops.convert_to_numpy(ops.stop_gradient(model.network(window)))
        numbers.append(int(scores[0, len(numbers) - 1].argmax()))
    return model.tokenizer.decode(numbers if prompt else numbers[1:])


@pytest.mark.parametrize("prompt", ["the lazy", ""])
def test_temperature_0_writes_what_the_whole_text_says_is_likeliest(model, prompt):
    written = model.generate(1, given={"prompt": prompt}, temperature=0.0, length=6)[0]
    assert written == by_the_whole_text(model, prompt, 6)


def test_a_text_follows_from_its_seed_and_number_whatever_the_batch(model):
    ten = model.generate(10, seed=5, length=20)
    assert model.generate(3, seed=5, length=20).tolist() == ten[:3].tolist()
    assert model.generate(10, seed=6, length=20).tolist() != ten.tolist()
    assert len(set(ten)) == 10
    kept = model.generation_batch
    model.generation_batch = 2
    try:
        assert model.generate(3, seed=5, length=20).tolist() == ten[:3].tolist()
    finally:
        model.generation_batch = kept
    assert model.generate(3, seed=5, length=8).tolist() == [text[:8] for text in ten[:3]]


def test_pieces_are_the_whole_beyond_the_context_too(model):
    asked = {"given": {"prompt": "a stitch"}, "length": 30}
    whole = model.generate(2, seed=1, **asked)
    assert all(len(text) == 38 for text in whole)
    assert "".join(model.stream(seed=1, item=1, every=7, **asked)) == whole[1]


def test_learned_places_end_at_the_context(source):
    model = built(source, places="learned", norm="layer")
    texts = model.generate(2, given={"prompt": "well"}, length=40)
    assert [len(text) for text in texts] == [17, 17], "16 are seen, and one is behind them"
    assert model.generate(1, given={"prompt": "the lazy"}, temperature=0.0)[0].startswith(
        by_the_whole_text(model, "the lazy", 6)
    )


def test_one_choice_left_is_the_likeliest(model):
    greedy = model.generate(2, temperature=0.0, length=12).tolist()
    assert greedy[0] == greedy[1]
    for narrow in ({"top_k": 1}, {"top_p": 1e-6}, {"min_p": 1.0}):
        assert model.generate(2, seed=3, length=12, **narrow).tolist() == greedy


def test_a_penalty_that_forbids_lets_no_character_come_twice(model):
    text = model.generate(
        1, given={"prompt": "the lazy"}, length=12, temperature=0.0, repetition_penalty=1e6
    )[0]
    written = text[len("the lazy") :]
    assert len(set(written)) == len(written) == 12
    assert not set(written) & set("the lazy")


def test_a_stop_word_ends_a_text_and_stays(model):
    texts = model.generate(10, seed=5, length=40)
    word = texts[0][10:12]
    stopped = model.generate(10, seed=5, length=40, stop=f"{word}|@")
    for text, whole in zip(stopped, texts, strict=True):
        place = whole.find(word)
        assert text == (whole if place < 0 else whole[: place + 2])
    with pytest.raises(UsageError, match="Expected words that end a text"):
        model.generate(1, stop="|")


def test_a_text_ends_where_the_model_says_so(tmp_path):
    model = built(opened(write_folder(tmp_path)))
    texts = model.generate(16, seed=0, length=40)
    lengths = {len(text) for text in texts}
    assert max(lengths) == 40
    assert min(lengths) < 40
    assert "<end>" not in "".join(texts)
    assert model.first_token == model.tokenizer.end


def test_another_prompt_of_the_same_bucket_compiles_nothing(source):
    model, calls = built(source), []
    for name in ("first_state", "next_state"):
        method = getattr(model, name)
        setattr(model, name, lambda *a, m=method, n=name, **k: calls.append(n) or m(*a, **k))
    for prompt in ("the", "a stitch", ""):
        model.generate(2, given={"prompt": prompt}, length=5, temperature=1.0)
        if prompt == "the":
            made = len(calls)
    model.generate(2, given={"prompt": "well"}, length=5, temperature=0.3)
    assert len(calls) == made
    model.generate(2, given={"prompt": "a stitch in"}, length=5, temperature=1.0)
    assert len(calls) > made


def test_one_token_and_one_prompt_of_one_are_enough(model, source):
    assert len(model.generate(1, length=1)[0]) == 1
    assert len(model.generate(1, given={"prompt": "a"}, length=1)[0]) == 2
    assert model.score("a").tokens == 1
    tiny = built(source, context=2)
    assert len(tiny.generate(1, given={"prompt": "ab"}, length=9)[0]) == 11


@pytest.mark.parametrize("tokenizer", ["bytes", "bpe"])
def test_bytes_that_are_no_character_are_shown_and_do_no_harm(tmp_path, tokenizer):
    model = built(opened(write_text(tmp_path), tokenizer=tokenizer, vocabulary=270))
    texts = model.generate(8, seed=1, length=24, temperature=2.0)
    assert any("\ufffd" in text for text in texts), "a model may write half of a character"
    assert all(text.encode() for text in texts)
    assert model.generate(1, given={"prompt": "a\0b"}, length=2)[0].startswith("a\0b")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"given": {"prompt": "\0"}}, r"data has; received '.x00'"),
        ({"given": {"prompt": "Zebra"}}, r"data has; received 'Z' in 'Zebra'"),
        ({"given": {"prompt": "a" * 17}}, "at most 16 steps"),
        ({"length": 49}, "length of at most 48; received 49"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(model, asked, told):
    with pytest.raises(UsageError, match=told) as caught:
        model.generate(1, **asked)
    assert "\n" not in str(caught.value)


def test_other_text_than_tokens_is_refused():
    schema = genkit.Schema({"text": genkit.Field((), "string", "text")})
    with pytest.raises(DataError, match="text as numbers of tokens") as caught:
        GPT(GPTConfig(), schema)
    assert "--dataset text" in caught.value.hint


@pytest.mark.parametrize("tokenizer", ["bytes", "bpe"])
def test_bytes_and_bpe_take_any_prompt(tmp_path, tokenizer):
    model = built(opened(write_text(tmp_path), tokenizer=tokenizer, vocabulary=270))
    prompt = "\u00e9\U0001f600"
    whole = model.generate(1, given={"prompt": prompt}, length=8)[0]
    assert whole.startswith(prompt)
    assert "".join(model.stream(given={"prompt": prompt}, length=8)) == whole


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_decay_is_for_matrices_alone(source, optimizer):
    model = GPT(GPTConfig(**TINY, bias=True, norm="layer", optimizer=optimizer), source.schema)
    used = model.optimizers["network"]
    for each in model.network.trainable_variables:
        if len(each.shape) < 2:
            decays = used._use_weight_decay(each) and getattr(used, "adam_weight_decay", 1)
            assert not decays, each.path
    assert sum(len(v.shape) == 2 for v in model.network.trainable_variables) >= 6


def train(folder, **settings):
    return genkit.train(
        "gpt",
        dataset="text",
        data={"path": str(write_text(folder))},
        config={**TINY, "warmup_steps": 5, "learning_rate": 0.02},
        steps=60,
        sample_every=1000,
        runs_dir=folder / "runs",
        verbose=False,
        **settings,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory.mktemp("run"), validate_every=30)


def test_in_bfloat16_it_learns_as_well(run, tmp_path):
    wide = genkit.open_run(run).history["loss"]
    short = genkit.open_run(train(tmp_path, precision="bfloat16")).history["loss"]
    assert list(short) != list(wide), "bfloat16 was not used"
    assert np.mean(short[-10:]) == pytest.approx(np.mean(wide[-10:]), abs=0.05)


def test_it_learns_and_the_validation_loss_is_that_of_all_windows(run):
    history = genkit.open_run(run).history
    assert history["loss"][0] == pytest.approx(np.log(28), abs=0.3)
    assert history["loss"][-1] < 1.8
    model, held = genkit.load(run), genkit.open_data(run, unseen=True)
    windows = model.examples(held)
    rows = windows.gather(np.arange(len(windows)))["window"]
    surprise = model.map_items("surprise", window=rows)
    assert surprise.shape == (len(windows), 16)
    last = [value for value in history["validation_loss"] if value is not None][-1]
    assert last == pytest.approx(float(surprise.mean()), abs=1e-4)


def test_a_loaded_run_knows_its_tokenizer(run):
    model = genkit.load(run)
    text = model.generate(1, given={"prompt": "well begun"}, length=10)[0]
    assert text.startswith("well begun")
