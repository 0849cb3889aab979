"""Beams find a text that is at least as likely as the greedy one, and the likeliest if wide."""

import itertools

import numpy as np
import pytest
from genkit_language.configs import WritingOptions
from keras import ops
from small import opened, write_folder, write_text
from test_gpt import built

from genkit.errors import UsageError
from genkit.plugins.config import parse

PROMPT = "the lazy"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return built(opened(write_text(tmp_path_factory.mktemp("beams"))))


@pytest.fixture(scope="module")
def ending(tmp_path_factory):
    """Return a model of documents, which ends texts by itself."""
    return built(opened(write_folder(tmp_path_factory.mktemp("ending"))))


def chances(model, rows):
    """Return the logarithm of the chance of each token but the first, of texts within a context."""
    window = np.zeros((len(rows), model.config.context + 1), "int32")
    for place, row in zip(window, rows, strict=True):
        place[: len(row)] = row
    return -ops.convert_to_numpy(ops.stop_gradient(model.surprise(window)))


def score(model, text, power, prompt=PROMPT, length=6):
    """Return the score of a text behind a prompt, with its end if it is shorter than it may be."""
    numbers = [*model.tokenizer.encode(text)]
    begun = len(prompt)
    if len(numbers) - begun < length and model.tokenizer.end is not None:
        numbers.append(model.tokenizer.end)
    found = chances(model, [numbers])[0, begun - 1 : len(numbers) - 1]
    return found.sum() / len(found) ** power


def written(model, n=1, prompt=PROMPT, length=6, **asked):
    return model.generate(n, given={"prompt": prompt}, length=length, **asked).tolist()


def searched(model, beams, length, power):
    """Search by reading each whole text anew, without a cache, to the end of all."""
    end, live, ended = model.tokenizer.end, [(1, 0.0, [*model.tokenizer.encode(PROMPT)])], []
    for count in range(1, length + 1):
        window = np.zeros((len(live), model.config.context), "int32")
        for row, (_, _, numbers) in zip(window, live, strict=True):
            row[: len(numbers)] = numbers
        place = len(live[0][2]) - 1
        found = ops.log_softmax(ops.stop_gradient(model.network(window))[:, place])
        options = []
        for (greedy, total, numbers), row in zip(live, ops.convert_to_numpy(found), strict=True):
            if end is not None:
                ended.append(((total + row[end]) / count**power, numbers))
            options += [
                (int(greedy and token == row.argmax()), total + chance, [*numbers, token])
                for token, chance in enumerate(row)
                if token != end
            ]
        live = sorted(options, key=lambda option: (-option[0], -option[1]))[:beams]
    ended += [(total / length**power, numbers) for _, total, numbers in live]
    return model.tokenizer.decode(max(ended)[1])


@pytest.mark.parametrize(("beams", "power"), [(2, 1.0), (5, 1.0), (5, 0.0), (5, 3.0)])
def test_a_search_is_that_which_reads_each_whole_text_anew(model, ending, beams, power):
    for each in (model, ending):
        right = searched(each, beams, 7, power)
        assert written(each, beams=beams, length=7, length_penalty=power) == [right]


def test_one_beam_is_the_greedy_text(model, ending):
    for each in (model, ending):
        assert written(each, beams=1) == written(each, temperature=0.0)


def test_beams_as_many_as_tokens_find_the_likeliest_of_all_pairs(model):
    size = model.tokenizer.size
    begun = [*model.tokenizer.encode(PROMPT)]
    pairs = list(itertools.product(range(size), repeat=2))
    found = chances(model, [[*begun, *pair] for pair in pairs])[:, len(begun) - 1 : len(begun) + 1]
    likeliest = pairs[int(found.sum(1).argmax())]
    assert written(model, beams=size, length=2) == [PROMPT + model.tokenizer.decode(likeliest)]


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("prompt", ["the lazy", "well be"])
def test_the_score_is_never_below_that_of_the_greedy_text(model, ending, prompt, power):
    for each in (model, ending):
        (greedy,) = written(each, prompt=prompt, temperature=0.0)
        scores = [score(each, greedy, power, prompt)]
        for beams in (2, 4):
            (text,) = written(each, prompt=prompt, beams=beams, length_penalty=power)
            scores.append(score(each, text, power, prompt))
        assert min(scores[1:]) >= scores[0] - 1e-4
        assert "<end>" not in text


def test_a_penalty_of_length_makes_texts_longer(ending):
    lengths = [
        len(written(ending, beams=4, length=12, length_penalty=power)[0]) for power in (0.0, 3.0)
    ]
    assert lengths[0] < lengths[1]


def test_beams_hang_on_no_seed_and_no_neighbour(model):
    prompts = ["the lazy", "a stitch", "the lazy"]
    found = written(model, 3, prompts, length=20, beams=3)
    assert found[0] == found[2]
    assert written(model, 1, "a stitch", length=20, beams=3, seed=7) == found[1:2]


def test_pieces_of_a_search_are_the_prompt_and_the_text(model):
    whole = written(model, beams=3, length=20)[0]
    pieces = list(model.stream(given={"prompt": PROMPT}, beams=3, length=20))
    assert pieces[0] == PROMPT
    assert "".join(pieces) == whole
    assert len(whole) == len(PROMPT) + 20, "beyond the context"


def test_without_a_prompt_a_search_begins_as_any_text(model):
    (text,) = model.generate(1, beams=1, length=8).tolist()
    assert [text] == model.generate(1, temperature=0.0, length=8).tolist()


def test_learned_places_end_a_search_at_the_context(tmp_path):
    learned = built(opened(write_text(tmp_path)), places="learned", norm="layer")
    assert len(written(learned, beams=3, length=40)[0]) == 17


def test_a_penalty_that_forbids_lets_no_character_of_a_beam_come_twice(model):
    (text,) = written(model, beams=4, length=12, repetition_penalty=1e6)
    added = text[len(PROMPT) :]
    assert len(set(added)) == len(added) == 12
    assert not set(added) & set(PROMPT)


def test_a_stop_word_ends_a_beam(model):
    (whole,) = written(model, beams=1, length=20)
    word = whole[len(PROMPT) + 4 : len(PROMPT) + 6]
    place = whole.index(word, len(PROMPT)) + 2
    assert written(model, beams=1, length=20, stop=word) == [whole[:place]]
    (text,) = written(model, beams=4, length=20, stop=word)
    assert word not in text[len(PROMPT) : -1]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"beams": 2, "temperature": 0.5}, "leave out temperature"),
        ({"beams": 2, "top_k": 5}, "leave out top_k"),
        ({"length_penalty": 1.0}, "length_penalty is for beams"),
        ({"beams": 0}, "beams"),
    ],
)
def test_what_does_not_go_together_is_refused(asked, told):
    with pytest.raises(UsageError, match=told) as caught:
        parse(WritingOptions, asked, "options")
    assert "\n" not in str(caught.value)
