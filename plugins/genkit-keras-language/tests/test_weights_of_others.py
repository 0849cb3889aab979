"""Weights of GPT-2, Llama and Qwen-2: the same scores as transformers', and back again."""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from foreign import FIXTURES, KINDS, change, numbers, read, with_tensors
from genkit_language import read_weights, write_weights
from genkit_language.configs import GPTConfig
from genkit_language.gpt import GPT
from genkit_language.plugin import genkit_models
from genkit_language.safetensors_files import tensors_in
from keras import ops
from safetensors.numpy import load_file
from small import opened, write_text
from tokenizers import Tokenizer

from genkit.errors import UsageError

TEXT = "The quick brown fox jumps over the lazy dog; caf\u00e9, 12 times!\n"


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def model(kind):
    return read(FIXTURES / kind)


@pytest.fixture(scope="module")
def expected(kind):
    with np.load(FIXTURES / kind / "expected.npz") as file:
        return dict(file)


@pytest.fixture
def folder(tmp_path, request):
    """A copy that a test may damage."""
    kind = getattr(request, "param", "gpt2")
    return Path(shutil.copytree(FIXTURES / kind, tmp_path / kind))


def one_by_one(network, text, known):
    cache = network.begin(ops.convert_to_tensor(text[:, :known]))
    found = []
    for place in range(known - 1, text.shape[1]):
        places = ops.full((len(text),), place, dtype="int32")
        scores, cache = network.step(ops.convert_to_tensor(text[:, place]), places, cache)
        found.append(numbers(scores))
    return np.stack(found, 1)


def test_scores_are_those_of_transformers_whole_and_with_the_cache(model, expected):
    ids, scores = expected["ids"], expected["scores"][..., : model.network.size]
    assert np.abs(scores).max() > 3, "far from even"
    np.testing.assert_allclose(numbers(model.network(ids)), scores, atol=1e-4)
    np.testing.assert_allclose(one_by_one(model.network, ids, 4), scores[:, 3:], atol=1e-4)


def test_text_has_the_tokens_of_transformers(model, expected):
    assert model.tokenizer.encode(TEXT).tolist() == expected["text_ids"].tolist()
    assert model.tokenizer.decode(expected["text_ids"]) == TEXT
    assert model.tokenizer.end == model.first_token == 256


def test_it_writes_and_scores(model, expected):
    ids = expected["ids"][:1, :6]
    written = model.generate(
        1, given={"prompt": model.tokenizer.decode(ids[0])}, temperature=0.0, length=1
    )[0]
    likeliest = int(expected["scores"][0, 5].argmax())
    assert written == model.tokenizer.decode([*ids[0], *([likeliest] * (likeliest != 256))])
    text = "The quick brown fox"
    ids = [256, *model.tokenizer.encode(text)]
    scores = numbers(model.network(np.array([ids], "int32")))[0, :-1]
    chances = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    nats = -chances[np.arange(len(scores)), ids[1:]].sum()
    assert model.score(text).nats.sum() == pytest.approx(nats, abs=1e-3)


def test_back_again_they_are_the_same_numbers_under_the_same_names(model, kind, tmp_path):
    write_weights(model, tmp_path / "back")
    theirs = {}
    for file in (FIXTURES / kind).glob("*.safetensors"):
        theirs |= {name: tensor.read() for name, tensor in tensors_in(file).items()}
    back = load_file(tmp_path / "back" / "model.safetensors")
    assert back.keys() == theirs.keys()
    for name, array in back.items():
        np.testing.assert_array_equal(array, theirs[name][: len(array)])
    told, first = (
        json.loads((path / "config.json").read_text())
        for path in (tmp_path / "back", FIXTURES / kind)
    )
    cut = {"vocab_size", "dtype", "eos_token_id", "transformers_version", "n_inner"}
    assert {k: told[k] for k in told.keys() & first.keys() - cut} == {
        k: first[k] for k in told.keys() & first.keys() - cut
    }
    again = read_weights(tmp_path / "back")
    ids = np.arange(12, dtype="int32")[None]
    np.testing.assert_array_equal(numbers(again.network(ids)), numbers(model.network(ids)))
    assert json.loads((tmp_path / "back" / "tokenizer.json").read_text()) == json.loads(
        (FIXTURES / kind / "tokenizer.json").read_text()
    )


def test_names_may_lack_the_beginning_and_masks_are_passed_over(folder):
    def edit(arrays):
        for name in list(arrays):
            arrays[name.removeprefix("transformer.")] = arrays.pop(name)
        arrays["h.0.attn.bias"] = np.ones((1, 1, 24, 24), bool)
        arrays["h.0.attn.masked_bias"] = np.array(-1e4, "float32")
        arrays["lm_head.weight"] = arrays["wte.weight"].copy()

    with_tensors(folder, edit)
    ids = np.arange(12, dtype="int32")[None]
    np.testing.assert_array_equal(
        numbers(read_weights(folder).network(ids)),
        numbers(read_weights(FIXTURES / "gpt2").network(ids)),
    )


@pytest.mark.parametrize("folder", KINDS, indirect=True)
def test_a_shorter_context_scores_the_same_within_it(folder):
    ids = np.arange(8, dtype="int32")[None]
    short, long = read(folder, context=8), read(folder)
    assert short.config.context == 8
    np.testing.assert_allclose(numbers(short.network(ids)), numbers(long.network(ids)), atol=1e-6)
    with pytest.raises(UsageError, match=r"context of at most (24|32), as the model has"):
        read_weights(folder, context=64)


def test_the_base_of_rotary_places_may_stand_where_it_stood_before(tmp_path):
    folder = Path(shutil.copytree(FIXTURES / "qwen2", tmp_path / "old"))
    change(folder, rope_parameters="gone", rope_theta=321.0)
    with pytest.warns(UserWarning, match="has 4 rows that no token has"):
        assert read_weights(folder).config.rotary_base == 321.0


@pytest.mark.parametrize("tokenizer", ["characters", "bytes", "bpe"])
def test_every_tokenizer_goes_along(tmp_path, tokenizer):
    source = opened(write_text(tmp_path), tokenizer=tokenizer, vocabulary=270)
    model = of_preset(source, "nanogpt-cpu")
    write_weights(model, tmp_path / "out")
    theirs = Tokenizer.from_file(str(tmp_path / "out" / "tokenizer.json"))
    text = "the quick brown fox\na stitch."
    ids = model.tokenizer.encode(text).tolist()
    assert theirs.encode(text).ids == ids
    assert theirs.decode(ids) == text


def of_preset(source, preset, **settings):
    (record,) = genkit_models()
    small = {"context": 16, "layers": 1, "heads": 2, "width": 16, "kv_heads": None}
    config = GPTConfig(**{**record.presets[preset].get("config", {}), **small, **settings})
    model = GPT(config, source.schema)
    model.bind(source.schema, source.assets)
    rng = np.random.default_rng(0)
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.4, weight.shape).astype("float32"))
    return model


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("nanogpt-cpu", {}),
        ("gpt2-124m", {"activation": "squared-relu", "tied": False}),
        ("llama-like", {"kv_heads": 1}),
        ("llama-like", {"bias": True, "head_size": 4}),
        ("llama-like", {"qkv_bias": True, "rotary_stretch": (8.0, 1.0, 4.0, 16.0)}),
    ],
)
def test_a_model_of_ones_own_comes_back_as_it_was(tmp_path, preset, settings):
    source = opened(write_text(tmp_path), tokenizer="bytes")
    model = of_preset(source, preset, **settings)
    write_weights(model, tmp_path / "out")
    again, ids = read_weights(tmp_path / "out"), np.arange(12, dtype="int32")[None]
    np.testing.assert_allclose(numbers(again.network(ids)), numbers(model.network(ids)), atol=1e-5)


def test_a_model_that_none_of_the_three_computes_is_told_and_leaves_nothing(tmp_path):
    model = of_preset(opened(write_text(tmp_path)), "default")
    with pytest.raises(UsageError, match="activation=swiglu, normed_heads=False; received") as told:
        write_weights(model, tmp_path / "out")
    assert "\n" not in str(told.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sayings.txt"]
    with pytest.raises(UsageError, match="Expected a gpt"):
        write_weights(keras.Sequential(), tmp_path / "out")
