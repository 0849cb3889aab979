"""What a trained model does: styles truncated, mixed, walked between, moved, and found."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
from genkit_style.directions import directions
from genkit_style.latents import read_styles, write_styles
from genkit_style.smoothness import Smoothness
from genkit_style.styles import PSI
from small import model, pictures

from genkit.errors import DataError, UsageError
from genkit.evaluation import Context

CLASSES = 2


@pytest.fixture(scope="module")
def trained():
    source = pictures()
    found = model(source)
    found.fit(source, steps=12, batch_size=16, verbose=False)
    return found


@pytest.fixture(scope="module")
def by_class():
    source = pictures(classes=CLASSES)
    found = model(source, noise_inputs=True)
    found.fit(source, steps=6, batch_size=16, verbose=False)
    return found


def apart(pictures):
    """Return how much pictures differ from the first of them."""
    return float(np.abs(pictures - pictures[:1]).mean())


def test_truncation_goes_from_one_picture_to_all(trained):
    variety = [apart(trained.generate(16, seed=1, truncation_psi=psi)) for psi in (0.0, 0.5, 1.0)]
    assert variety[0] < 1e-6
    assert variety[0] < variety[1] < variety[2]


def test_each_class_has_a_centre_of_its_own(by_class):
    found = by_class.generate(8, seed=1, truncation_psi=0.0)
    quiet = by_class.styles("truncation", n=4)[:, PSI.index(0.0)]
    assert np.abs(found[0] - found[1]).mean() > 1e-4
    np.testing.assert_allclose(quiet[0], quiet[2], atol=1e-6)
    assert np.abs(quiet[0] - quiet[1]).mean() > 1e-4


def test_a_class_is_drawn_by_name(by_class):
    first, second = (by_class.generate(4, seed=3, label=label) for label in ("0", "1"))
    assert np.abs(first - second).mean() > 1e-4
    with pytest.raises(UsageError, match="no class"):
        model().generate(1, label="0")


def test_noise_inputs_change_detail_alone(by_class):
    by_class.synthesis.same[0].strength.assign(1.0)
    try:
        found = by_class.generate(6, seed=1, label="0", truncation_psi=0.0)
    finally:
        by_class.synthesis.same[0].strength.assign(0.0)
    assert apart(found) > 1e-4


def test_mixing_takes_one_half_of_the_layers_from_the_row_the_other_from_the_column(trained):
    table = trained.styles("mixing", n=3)
    assert table.shape == (4, 4, 8, 8, 3)
    rows, columns = trained.styles("truncation", n=6)[:, PSI.index(0.7)].reshape(2, 3, 8, 8, 3)
    np.testing.assert_allclose(table[1:, 0], rows, atol=1e-5)
    np.testing.assert_allclose(table[0, 1:], columns, atol=1e-5)
    assert not np.allclose(table[1, 1], table[1, 2])
    assert not np.allclose(table[1, 1], table[2, 1])


def test_a_walk_begins_at_pictures_and_comes_round(trained):
    walks = trained.styles("walk", n=3, steps=4)
    starts = trained.generate(3, seed=0, truncation_psi=0.7)
    np.testing.assert_allclose(walks[:, 0], starts, atol=1e-5)
    steps = np.abs(np.diff(walks.reshape(-1, 8, 8, 3), axis=0)).mean(axis=(1, 2, 3))
    whole = np.abs(walks[0, 0] - walks[1, 0]).mean()
    assert steps.max() < whole + 1e-6


def test_directions_are_those_that_change_layers_most(trained):
    found = directions(trained)
    np.testing.assert_allclose(found @ found.T, np.eye(trained.width), atol=1e-5)
    kernels = [
        np.asarray(layer.get_weights()[0], "float64") for layer, _ in trained.synthesis.style_layers
    ]
    weights = np.concatenate([k / np.linalg.norm(k, axis=0) for k in kernels], axis=1)
    strengths = np.linalg.norm(found @ weights, axis=1)
    assert (np.diff(strengths) < 1e-5).all()
    assert len(trained.synthesis.style_layers) == 5  # 4x4: one and colours; 8x8: two and colours


def test_a_direction_moves_pictures_by_its_strength(trained):
    still = trained.generate(4, seed=2)
    moves = [
        np.abs(trained.generate(4, seed=2, direction=1, strength=strength) - still).mean()
        for strength in (0.0, 0.5, 2.0)
    ]
    assert moves[0] == 0
    assert 0 < moves[1] < moves[2]
    assert trained.styles("directions", n=2, steps=3).shape == (6, 2, 3, 8, 8, 3)
    with pytest.raises(UsageError, match="from 1 to 8; received 9"):
        trained.generate(1, direction=9)


def test_a_generated_picture_is_found_again(trained):
    wanted = trained.generate(2, seed=9)
    found = trained.project(wanted, steps=60)
    assert found.styles.shape == (2, trained.synthesis.styles, trained.width)
    assert (found.errors < 0.005).all(), found.errors
    started = np.mean(np.square((found.on_the_way[0] - wanted) * 2))
    assert found.errors.mean() < started / 2


def test_styles_are_kept_in_a_file(trained, tmp_path):
    found = trained.project(trained.generate(1, seed=4), steps=3)
    write_styles(found.styles[0], trained, tmp_path / "it.styles")
    np.testing.assert_array_equal(read_styles(tmp_path / "it.styles", trained), found.styles[0])
    again = trained.generate(2, latent=str(tmp_path / "it.styles"))
    np.testing.assert_allclose(again, np.repeat(found.pictures, 2, axis=0), atol=1e-5)


def test_a_style_of_another_model_is_refused(trained, by_class, tmp_path):
    file = tmp_path / "it.styles"
    styles = np.zeros((trained.synthesis.styles, trained.width), "float32")
    write_styles(styles, by_class, file)
    with pytest.raises(DataError, match="a style of another model"):
        trained.generate(1, latent=str(file))
    for content, told in ((b"nonsense", "no style file"), (b"", "no style file")):
        file.write_bytes(content)
        with pytest.raises(DataError, match=told):
            read_styles(file, trained)
    with pytest.raises(DataError, match="there is none"):
        read_styles(tmp_path / "missing", trained)
    write_styles(styles + np.nan, trained, file)
    with pytest.raises(DataError, match="damaged"):
        read_styles(file, trained)


def test_what_is_unknown_is_refused(trained):
    with pytest.raises(UsageError, match=re.escape("truncation, mixing, walk, directions")):
        trained.styles("nonsense")


def test_smoothness_is_the_length_of_ways_in_features(trained):
    def measured(features):
        extractor = SimpleNamespace(features=features)
        context = Context(trained.schema, extractor=extractor, model=trained)
        (figure,) = Smoothness(context).compute()
        return figure.value

    def flat(items):
        return items.reshape(len(items), -1)

    assert measured(lambda items: np.zeros((len(items), 2))) == 0
    assert measured(lambda items: 3 * flat(items)) == pytest.approx(9 * measured(flat))
    told = Smoothness.unfit(Context(trained.schema, model=SimpleNamespace(capabilities=())))
    assert told == "the model has no styles"
