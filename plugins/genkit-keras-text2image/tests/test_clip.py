"""Pictures and captions as vectors: learning, temperature, retrieval, search."""

import numpy as np
import pytest
from genkit_text2image.retrieval import Retrieval, pool_of, ranks, recalls
from keras import ops
from small import clip, shapes

from genkit.errors import UsageError
from genkit.evaluation import Context


@pytest.fixture(scope="module")
def source():
    return shapes(items=400, drop_words=0.0)


@pytest.fixture(scope="module")
def learned(source):
    model = clip(source, learning_rate=5e-3, dropout=0.0)
    model.fit(source, steps=150, batch_size=64, verbose=False)
    return model


def figures(model, real):
    context = Context(model.schema, model=model, real=real)
    assert Retrieval.unfit(context) == ""
    return {figure.name: figure.value for figure in Retrieval(context).compute()}


def test_captions_of_pictures_are_found_far_better_than_shuffled_ones(learned, source):
    found = figures(learned, source)
    assert found["R@5"] > 4 * found["R@5 (shuffled)"]
    assert found["R@1"] <= found["R@5"] <= found["R@20"]


def test_vectors_have_length_one_and_pictures_of_any_size_are_seen(learned, source):
    pictures = source.gather(np.arange(4))["image"]
    larger = np.repeat(np.repeat(pictures, 2, axis=1), 2, axis=2)
    vectors = learned.see(pictures)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(learned.see(larger), vectors, atol=1e-3)


def test_search_gives_the_nearest_first(learned, source):
    pictures = source.gather(np.arange(len(source)))["image"]
    rows, nearness = learned.search("red circle", pictures, 8)
    assert list(nearness) == sorted(nearness, reverse=True)
    assert sum("red" in source.texts[row] for row in rows) >= 6
    every = learned.similarity(pictures, ["red circle"] * len(source))
    assert nearness[0] == pytest.approx(every.max(), abs=1e-5)


def test_an_unknown_word_is_told_and_words_unknown_alone_are_refused(learned, source):
    pictures = source.gather(np.arange(4))["image"]
    with pytest.warns(UserWarning, match="'zebra'"):
        learned.search("red zebra", pictures, 1)
    with pytest.raises(UsageError, match="has none"):
        learned.search("zebra", pictures, 1)


def test_the_temperature_is_learned_and_never_falls_below_its_least(learned, source):
    assert float(ops.convert_to_numpy(learned.temperature.value())) != pytest.approx(0.07, abs=1e-4)
    held = clip(source, temperature=0.011, least_temperature=0.01)
    held.temperature.log.assign(-20.0)
    assert float(ops.convert_to_numpy(held.temperature.value())) == pytest.approx(0.01)


def test_captions_that_are_alike_are_equally_right(source):
    """A batch of one caption can't be told apart: its loss is that of equal chances, no more."""
    model = clip(source, dropout=0.0)
    batch = source.gather(np.zeros(8, int))
    batch = {name: ops.convert_to_tensor(values) for name, values in batch.items()}
    logs = {name: float(value) for name, value in model.validation_step(batch).items()}
    assert logs["loss"] == pytest.approx(np.log(8), abs=1e-4)
    assert logs["accuracy"] == 1


def test_ranks_count_captions_that_are_nearer_than_the_own():
    pictures = np.eye(3, dtype="float32")
    captions = np.array([[1, 0, 0], [1, 0.5, 0], [0, 0, 1]], "float32")
    np.testing.assert_array_equal(ranks(pictures, captions), [0, 0, 0])
    captions = captions[[1, 2, 0]]
    np.testing.assert_array_equal(ranks(pictures, captions), [0, 1, 1])
    assert recalls(np.array([0, 1, 4, 5, 30])) == {1: 1, 5: 3, 20: 4}


def test_a_pool_has_each_caption_once(source):
    rows = pool_of(source, 50, seed=0)
    assert len({source.texts[row] for row in rows}) == 50
    assert not np.array_equal(rows, pool_of(source, 50, seed=1))
