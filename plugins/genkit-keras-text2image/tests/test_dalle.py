"""Two stages in one run, cached drawing, guidance, completion, candidates."""

import math

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image
from small import DALLE, SHAPES, dalle, shapes

import genkit
from genkit.errors import UsageError


@pytest.fixture(scope="module")
def source():
    return shapes()


@pytest.fixture(scope="module")
def painted(source):
    """A model that has learned a little in both stages."""
    model = dalle(source, first_stage=80, picture_width=8)
    model.fit(source, steps=140, batch_size=16, verbose=False)
    return model


def weights_of(network):
    return [np.array(ops.convert_to_numpy(each.value)) for each in network.weights]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("quantizer", ["vq", "gumbel"])
def test_stages_follow_each_other_and_codes_stay_in_the_second(source, quantizer):
    model = dalle(source, quantizer=quantizer)
    seen = []

    class Kept(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pictures = [each for network in model.pictures.networks for each in weights_of(network)]
            seen.append((set(logs), pictures, weights_of(model.painting)))

    model.fit(source, steps=8, batch_size=16, verbose=False, callbacks=[Kept()])
    names, pictures, painter = zip(*seen, strict=True)
    told = {"picture_loss", "picture_error", "used_codes", "perplexity"}
    assert all(told <= each for each in names[:4])
    assert ("revived_codes" in names[0]) == (quantizer == "vq")
    assert all(each == {"caption_loss", "code_loss"} for each in names[4:])
    assert not same(pictures[0], pictures[3])
    assert same(pictures[3], pictures[7])
    assert same(painter[0], painter[3])
    assert not same(painter[4], painter[7])


def test_stage_one_learns_pictures(painted, source):
    pictures = source.gather(np.arange(64))["image"]
    before, after = (
        np.square(model.reconstruct(pictures) - pictures).mean()
        for model in (dalle(source), painted)
    )
    assert after < before / 4
    codes = painted.encode(pictures)
    assert codes.shape == (64, 16)
    assert len(np.unique(codes)) > 4


def test_temperature_and_rates_fall_over_their_stage(source):
    model = dalle(source, quantizer="gumbel", first_stage=100, final_temperature=0.1)
    softness = [model.schedule(step, 300)["softness"] for step in (0, 50, 100, 200)]
    assert softness == pytest.approx([1.0, 0.55, 0.1, 0.1])
    assert model.schedule(99, 300)["learns_pictures"]
    assert not model.schedule(100, 300)["learns_pictures"]
    rates = [model.learning_rate_factors(step, 300) for step in (99, 100, 299)]
    assert rates[0]["pictures"] < 0.01
    assert rates[1]["painter"] == pytest.approx(1 / 41)
    assert rates[2]["painter"] < 0.01


def test_a_run_that_ends_in_stage_one_is_told(source):
    with pytest.warns(UserWarning, match="no caption is learned"):
        dalle(source).schedule(0, 4)


def test_codes_are_drawn_as_without_a_cache(painted, source):
    """Each code is the one that the whole text so far gives, its chances met by the same number."""
    caption = source.gather(np.arange(3))["caption"]
    uniform = np.random.default_rng(0).random((3, 16), dtype="float32")
    drawn = ops.convert_to_numpy(
        painted.draw_codes(
            ops.convert_to_tensor(uniform), ops.convert_to_tensor(caption), guidance=3.0
        )
    )
    words, longest = painted.painter.words, painted.longest
    codes = np.zeros((3, 16), np.int32)
    for place in range(16):
        texts = np.concatenate([caption, codes[:, :-1] + words], axis=1)
        empty = np.concatenate([0 * caption, codes[:, :-1] + words], axis=1)
        scores = [
            ops.convert_to_numpy(painted.painting(ops.convert_to_tensor(tokens)))
            for tokens in (texts, empty)
        ]
        there, without = (each[:, longest - 1 + place, words:] for each in scores)
        pushed = without + 3.0 * (there - without)
        chances = np.exp(pushed - pushed.max(-1, keepdims=True))
        cumulated = np.cumsum(chances / chances.sum(-1, keepdims=True), axis=-1)
        codes[:, place] = (cumulated <= uniform[:, place : place + 1]).sum(-1)
    np.testing.assert_array_equal(drawn, codes)


def test_a_prompt_pushes_as_far_as_guidance_says(painted):
    def made(prompt, guidance):
        return painted.generate(8, given={"prompt": prompt}, guidance=guidance)

    assert np.abs(made("red circle", 30.0) - made("blue square", 30.0)).max() > 0
    assert np.abs(made("red circle", 30.0) - made("red circle", 1.0)).max() > 0
    np.testing.assert_array_equal(made("red circle", 0.0), made("blue square", 0.0))


def test_a_picture_is_completed_from_its_upper_part(painted, source, tmp_path):
    picture = source.gather(np.array([3]))["image"]
    file = tmp_path / "half.png"
    Image.fromarray(picture[0]).save(file)
    given = {"prompt": "red circle"}
    options = painted.parse_options("generate", {"image": file, "keep": 0.5})
    known = painted.encode(picture).reshape(4, 4)[:2]
    np.testing.assert_array_equal(painted.first_codes[options["image"]], known.reshape(-1))
    made = painted.generate(4, given=given, image=file, keep=0.5)
    assert np.abs(made - painted.generate(4, given=given)).max() > 0


def test_completion_begins_with_the_codes_that_are_given(painted):
    known = np.array([3, 1, 4, 1, 5], np.int32)
    painted.first_codes["mine"] = known
    shape = (2, painted.pictures.count)
    uniform = ops.convert_to_tensor(np.full(shape, 0.5, "float32"))
    prompt = ops.convert_to_tensor(np.ones((2, painted.longest), "int32"))
    codes = ops.convert_to_numpy(painted.draw_codes(uniform, prompt, image="mine"))
    np.testing.assert_array_equal(codes[:, :5], [known, known])


def test_candidates_are_chosen_by_the_judge(painted, source, monkeypatch):
    class Brightest:
        def similarity(self, pictures, texts):
            assert set(texts) == {"red circle"}
            return pictures.mean(axis=(1, 2, 3))

    monkeypatch.setattr(genkit, "load", lambda run: Brightest())
    given = {"prompt": "red circle"}
    every = painted.generate(12, given=given).reshape(3, 4, -1)
    best = painted.generate(3, given=given, clip="judge", candidates=4).reshape(3, -1)
    brightest = every.mean(axis=2).argmax(axis=1)
    np.testing.assert_array_equal(best, every[np.arange(3), brightest])
    last = list(painted.generate_items(3, given=given, begin=2, clip="judge", candidates=4))
    np.testing.assert_array_equal(last[0]["image"].reshape(-1), best[2])


def test_only_a_clip_may_judge(painted, monkeypatch):
    monkeypatch.setattr(genkit, "load", lambda run: painted)
    with pytest.raises(UsageError, match="Expected a run of clip"):
        painted.generate(1, given={"prompt": "red circle"}, clip="it", candidates=2)


def test_loss_of_an_untrained_painter_is_that_of_equal_chances(source):
    model = dalle(source)
    batch = source.gather(np.arange(16))
    codes = np.random.default_rng(0).integers(0, 8, (16, 16)).astype("int32")
    caption = ops.convert_to_tensor(batch["caption"])
    word, code = model.painter.surprise(caption, ops.convert_to_tensor(codes), training=False)
    assert float(ops.convert_to_numpy(code)) == pytest.approx(math.log(8), abs=0.4)
    assert float(ops.convert_to_numpy(word)) == pytest.approx(math.log(15), abs=0.4)


def test_a_run_goes_on_in_stage_two_as_without_a_stop(tmp_path):
    def trained(name, steps):
        return genkit.train(
            "dalle",
            dataset="captioned-shapes",
            data=SHAPES,
            config=DALLE,
            batch_size=16,
            steps=steps,
            runs_dir=tmp_path,
            name=name,
            verbose=False,
        )

    whole, stopped = trained("whole", 9), trained("stopped", 6)
    again = genkit.resume(stopped, more_steps=3, verbose=False)
    losses = [
        [row["code_loss"] for row in genkit.open_run(each).metrics() if "code_loss" in row]
        for each in (whole, again)
    ]
    assert len(losses[0]) == 5
    assert losses[0] == losses[1]
