"""Text that is written character by character: whole or in pieces, from prompts, until its end."""

import numpy as np
import pytest
from keras import ops

from genkit.data import vocabulary_of
from genkit.errors import UsageError
from genkit.plugins.registry import installed
from genkit.runs.inputs import build_model, open_entry

pytestmark = pytest.mark.usefixtures("active_backend")
TINY = {"layers": 2, "heads": 2, "width": 16, "context": 32}


@pytest.fixture(scope="module")
def source(toys):
    return open_entry(installed().find("datasets", "sayings"), {})


def built(source, **settings):
    config = {**TINY, **settings}
    model = build_model("writer", "genkit-keras-toys", config, source.schema, assets=source.assets)
    rng = np.random.default_rng(0)  # far from even chances, so that texts differ
    for weight in model.network.weights:
        weight.assign(rng.normal(0, 0.4, weight.shape).astype("float32"))
    return model


@pytest.fixture(scope="module")
def writer(source, active_backend):
    return built(source)


def counted(model, *names):
    """Count how often Python runs methods of a model: once for each that is compiled."""
    calls = dict.fromkeys(names, 0)
    for name in names:
        setattr(model, name, _counting(getattr(model, name), name, calls))
    return calls


def _counting(method, name, calls):
    def wrapper(*arguments, **named):
        calls[name] += 1
        return method(*arguments, **named)

    return wrapper


@pytest.mark.parametrize("prompt", [None, "a", "well begun is half done"])
@pytest.mark.parametrize("every", [1, 5, 100])
def test_pieces_together_are_the_whole_to_the_bit(writer, prompt, every):
    given = {"prompt": prompt} if prompt else None
    whole = writer.generate(3, seed=4, given=given)
    for item in (0, 2):
        pieces = list(writer.stream(seed=4, given=given, item=item, every=every))
        assert "".join(pieces) == whole[item]
        assert all(pieces)
    assert len(set(whole)) > 1


def test_a_text_goes_on_from_its_prompt_and_stops_at_an_end_or_at_the_context(writer):
    prompts = ["time ", "a stitch in time", "", "well"] * 8
    texts = writer.generate(32, seed=1, given={"prompt": prompts})
    assert all(map(str.startswith, texts, prompts))
    lengths = [len(text) for text in texts]
    assert max(lengths) == TINY["context"]
    assert min(lengths) < TINY["context"] - 4
    assert "<end>" not in "".join(texts)


def test_a_batch_ends_when_all_its_items_have(source):
    model = built(source)
    steps = []
    before = model.next_state
    model.next_state = lambda state: steps.append(1) or before(state)
    state = model.first_state(
        ops.zeros((8, 32)), ops.zeros((8, 8), "int32"), ops.zeros((8,), "int32")
    )
    model.network.head.bias.assign([50.0] + [0.0] * (model.size - 1))
    while not np.all(ops.convert_to_numpy(model.ended(state))):
        state = model.next_state(state)
    assert len(steps) == 1
    assert model.generate(2).tolist() == ["", ""]
    assert list(model.stream()) == []


def test_another_prompt_of_the_same_bucket_compiles_nothing(source):
    model = built(source)
    calls = counted(model, "first_state", "next_state", "ended", "result")
    prompts = ["a stitch", "well", "is"]
    for prompt in prompts:
        model.generate(2, given={"prompt": prompt})
        if prompt == prompts[0]:
            made = dict(calls)
    assert calls == made
    for prompt in prompts:
        list(model.stream(given={"prompt": prompt}))
        if prompt == prompts[0]:
            made = dict(calls)
    assert calls == made
    list(model.stream(given={"prompt": "time"}, every=9, temperature=0.5))
    assert calls == made, "neither do pieces of another length, nor a temperature"
    list(model.stream(given={"prompt": "half done is well"}))
    assert calls["first_state"] > made["first_state"]
    assert calls["next_state"] == made["next_state"], "the state has its form whatever the prompt"


def test_the_cache_knows_what_the_whole_text_tells(writer):
    tokens = np.random.default_rng(1).integers(1, writer.size, (3, 20)).astype("int32")
    whole = ops.convert_to_numpy(ops.stop_gradient(writer.network(tokens)))
    cache = writer.network.empty_cache(3)
    for place in range(20):
        logits, cache = writer.network.step(
            ops.convert_to_tensor(tokens[:, place]), ops.convert_to_tensor(np.int32(place)), cache
        )
        found = ops.convert_to_numpy(ops.stop_gradient(logits))
        np.testing.assert_allclose(found, whole[:, place], rtol=1e-4, atol=1e-4)


def test_a_prompt_of_other_characters_or_too_long_is_refused(writer):
    with pytest.raises(UsageError, match=r"data's characters; received 'Z' in 'a Z'"):
        writer.generate(1, given={"prompt": "a Z"})
    with pytest.raises(UsageError, match="prompt"):
        list(writer.stream(given={"prompt": "a" * 40}))


@pytest.mark.once
def test_what_can_not_be_streamed_says_why(writer, source):
    with pytest.raises(UsageError, match="every from 1"):
        next(writer.stream(every=0))
    other = build_model("bigrams", "genkit-keras-toys", {}, source.schema, assets=source.assets)
    with pytest.raises(UsageError, match="Bigrams makes its items at once"):
        next(other.stream())


@pytest.mark.once
def test_numbers_are_presented_as_text(writer, source):
    alphabet = vocabulary_of(source.schema, "text", source.assets)
    items = np.empty(1, object)
    items[0] = np.array([alphabet.index(letter) for letter in "in time"] + [0])
    assert writer.present({"text": items})["text"].tolist() == ["in time"]
