"""The decoder: what it sees, and that a cache knows what the whole text tells."""

import numpy as np
import pytest
from genkit_language.attention import causal, turns
from genkit_language.configs import GPTConfig
from genkit_language.network import Decoder
from genkit_language.optimizing import rate_factor
from keras import ops

import genkit
from genkit.engine.state import ModelState
from genkit.errors import UsageError

KINDS = {
    "default": {},
    "grouped": {"kv_heads": 2, "activation": "swiglu", "tied": False},
    "qwen-2": {"kv_heads": 1, "qkv_bias": True, "head_size": 6, "normed_heads": False},
    "lora": {"lora_rank": 2, "bias": True},
    "gpt-2": {
        "places": "learned",
        "norm": "layer",
        "activation": "gelu-tanh",
        "bias": True,
        "normed_heads": False,
    },
}


def decoder(kind="default", size=11, **settings):
    config = {"context": 12, "layers": 2, "heads": 4, "width": 16, **KINDS[kind], **settings}
    network = Decoder(GPTConfig(**config), size)
    network.build()
    rng = np.random.default_rng(0)  # far from even chances
    for weight in network.weights:
        weight.assign(rng.normal(0, 0.4, weight.shape).astype("float32"))
    return network


def numbers(tensor):
    return ops.convert_to_numpy(ops.stop_gradient(tensor))


def tokens(rows, length, size=11):
    return np.random.default_rng(1).integers(0, size, (rows, length)).astype("int32")


def one_by_one(network, text, known):
    """Return scores of the places from ``known - 1`` on, with the cache of those before."""
    cache = network.begin(ops.convert_to_tensor(text[:, :known]))
    found = []
    for place in range(known - 1, text.shape[1]):
        places = ops.full((len(text),), place, dtype="int32")
        scores, cache = network.step(ops.convert_to_tensor(text[:, place]), places, cache)
        found.append(numbers(scores))
    return np.stack(found, 1)


@pytest.mark.parametrize(("kind", "known"), [("default", 2), *((kind, 7) for kind in KINDS)])
def test_the_cache_knows_what_the_whole_text_tells(kind, known):
    network, text = decoder(kind), tokens(3, 12)
    whole = numbers(network(text))
    np.testing.assert_allclose(one_by_one(network, text, known), whole[:, known - 1 :], atol=1e-5)


def test_the_cache_goes_round_where_places_are_rotary():
    network, text = decoder(context=4), tokens(2, 12)
    whole = numbers(network(text))
    np.testing.assert_allclose(one_by_one(network, text, 3), whole[:, 2:], atol=2e-5)


def test_texts_of_many_lengths_go_on_in_one_batch():
    network, text = decoder(), tokens(3, 10)
    whole, lengths = numbers(network(text)), np.array([3, 8, 5], "int32")
    padded = np.where(np.arange(8) < lengths[:, None], text[:, :8], 0)
    cache = network.begin(ops.convert_to_tensor(padded))
    for more in range(2):
        places = lengths - 1 + more
        last = text[np.arange(3), places]
        scores, cache = network.step(
            ops.convert_to_tensor(last), ops.convert_to_tensor(places), cache
        )
        np.testing.assert_allclose(numbers(scores), whole[np.arange(3), places], atol=1e-5)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_place_sees_itself_and_what_is_before_but_nothing_behind(kind):
    network, text = decoder(kind), tokens(1, 12)
    other = text.copy()
    other[0, 6] = (other[0, 6] + 1) % 11
    changed = np.abs(numbers(network(text)) - numbers(network(other))).max(-1)[0]
    assert (changed[:6] == 0).all()
    assert (changed[6:] > 1e-4).all()


def test_grouped_queries_are_those_of_repeated_keys_and_values():
    grouped, full = decoder(kv_heads=2), decoder()
    for mine, theirs in zip(full.weights, grouped.weights, strict=True):
        if mine.shape == theirs.shape:
            mine.assign(theirs)
            continue
        parts = numbers(theirs.value).reshape(16, 2, 2, 4)  # (width, key or value, heads, size)
        mine.assign(np.repeat(parts, 2, axis=2).reshape(16, 32))
    text = tokens(2, 12)
    np.testing.assert_allclose(numbers(grouped(text)), numbers(full(text)), atol=1e-5)


def test_rotary_places_tell_distances_alone():
    attention = decoder().blocks[0].attention
    x = np.random.default_rng(2).normal(size=(1, 12, 16)).astype("float32")
    found = []
    for first in (0, 24, 2000):
        turn = turns(ops.arange(first, first + 12, dtype="float32"), 4, 10_000.0)
        found.append(numbers(attention(*attention.project(x, turn), causal(12, 12))))
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)
    np.testing.assert_allclose(found[2], found[0], atol=1e-3)
    still = numbers(attention(*attention.project(x, None), causal(12, 12)))
    assert np.abs(still - found[0]).max() > 0.1


def test_one_matrix_serves_for_tokens_that_come_in_and_go_out():
    assert decoder(tied=False).count_params() - decoder().count_params() == 11 * 16


def test_the_first_scores_are_even():
    network = Decoder(GPTConfig(layers=1), 65)
    network.build()
    scores = numbers(network(tokens(4, 64, 65)))
    chances = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    assert -np.log(chances).mean() == pytest.approx(np.log(65), abs=0.1)


def test_dropout_is_for_training_alone():
    network, text = decoder(dropout=0.5), tokens(1, 12)
    np.testing.assert_array_equal(numbers(network(text)), numbers(network(text)))
    assert np.abs(numbers(network(text, training=True)) - numbers(network(text))).max() > 1e-3


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"heads": 3}, "heads that divide the width 16; received 3"),
        ({"kv_heads": 3}, "kv_heads that divide the heads 4; received 3"),
        ({"heads": 16}, "even number of channels a head"),
        ({"head_size": 5}, "even number of channels a head"),
        ({"rotary_stretch": (8.0, 4.0, 4.0, 16.0)}, "rotary_stretch as a factor, a low below"),
    ],
)
def test_widths_that_do_not_fit_are_told(settings, told):
    with pytest.raises(UsageError, match=told):
        decoder(**settings)


def test_the_rate_rises_then_falls_to_its_least_at_the_end_whatever_the_length():
    config = GPTConfig(warmup_steps=10, least_rate=0.1)
    for total in (100, 1000):
        factors = [rate_factor(config, step, total) for step in range(total + 1)]
        assert factors[0] == pytest.approx(1 / 11)
        assert max(factors) == factors[10] == 1
        assert factors[total] == pytest.approx(0.1)
        assert factors[(total + 10) // 2] == pytest.approx(0.55, abs=0.02)
    assert rate_factor(config, 500, float("inf")) == 1


def test_weights_keep_their_names_so_that_older_runs_load():
    model = genkit.Model()
    model.network = decoder(size=11, layers=1)
    found = {key: tuple(v.shape) for key, v in ModelState(model).weights.items()}
    assert found == {
        "network/table": (11, 16),
        "network/norm/scale": (16,),
        "network/blocks/0/before_attention/scale": (16,),
        "network/blocks/0/before_dense/scale": (16,),
        "network/blocks/0/attention/query/kernel": (16, 16),
        "network/blocks/0/attention/key_value/kernel": (16, 32),
        "network/blocks/0/attention/mixed/kernel": (16, 16),
        "network/blocks/0/up/kernel": (16, 64),
        "network/blocks/0/down/kernel": (64, 16),
    }
