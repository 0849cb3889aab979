import numpy as np
import pytest

from genkit.data import noise_for_samples, noise_for_step, sample_rng, training_rng
from genkit.data.noise import augmentation_rng, permutation
from genkit.errors import GenkitError, UsageError

# Written down once: a change means that old seeds no longer give the same results.
TRAINING_7_11 = [4777986708998765894, 3682610983837720863]
SAMPLE_7_11 = [1894720428259010934, 11363106703919362579]
ORDER_0_1_8 = [1, 6, 7, 2, 4, 0, 3, 5]


def draw(rng, n):
    return {"z": rng.standard_normal((n, 5), dtype="float32"), "u": rng.random(n)}


def test_ten_samples_are_a_prefix_of_a_hundred():
    ten = noise_for_samples(draw, 3, range(10))
    hundred = noise_for_samples(draw, 3, range(100))
    assert ten.keys() == hundred.keys()
    for name, array in ten.items():
        np.testing.assert_array_equal(array, hundred[name][:10])


def test_a_sample_depends_only_on_the_seed_and_its_index():
    alone = noise_for_samples(draw, 3, [42])["z"]
    np.testing.assert_array_equal(alone, noise_for_samples(draw, 3, [7, 42, 9])["z"][1:2])
    assert (alone != noise_for_samples(draw, 4, [42])["z"]).all()
    assert (alone != noise_for_samples(draw, 3, [43])["z"]).all()
    assert alone.dtype == np.float32


def test_streams_of_other_seeds_steps_and_purposes_differ():
    streams = [
        make(seed, step).bit_generator.random_raw(4).tobytes()
        for make in (training_rng, sample_rng, augmentation_rng)
        for seed in (0, 1, 2**31 - 1)
        for step in (0, 1, 2**40)
    ]
    assert len(set(streams)) == len(streams)


def test_streams_are_uncorrelated():
    z = np.stack([training_rng(0, step).standard_normal(4096) for step in range(16)])
    others = [sample_rng(0, 0), augmentation_rng(0, 0), training_rng(1, 0)]
    z = np.concatenate([z, np.stack([rng.standard_normal(4096) for rng in others])])
    off_diagonal = np.corrcoef(z)[~np.eye(len(z), dtype=bool)]
    assert np.abs(off_diagonal).max() < 5 / np.sqrt(4096)


def test_the_streams_are_the_same_everywhere():
    assert training_rng(7, 11).bit_generator.random_raw(2).tolist() == TRAINING_7_11
    assert sample_rng(7, 11).bit_generator.random_raw(2).tolist() == SAMPLE_7_11
    assert permutation(0, 1, 8).tolist() == ORDER_0_1_8


def test_a_stream_is_made_without_the_systems_entropy(monkeypatch):
    def read(_):
        raise AssertionError("it takes longer than the stream")

    monkeypatch.setattr("numpy.random.bit_generator.randbits", read)
    with pytest.raises(AssertionError):
        np.random.default_rng()
    training_rng(1, 2)
    sample_rng(1, 2)


def test_the_noise_of_a_step_is_drawn_in_one_call():
    sizes = []

    def recording(rng, n):
        sizes.append(n)
        return draw(rng, n)

    noise = noise_for_step(recording, 0, 5, 8)
    assert sizes == [8]
    np.testing.assert_array_equal(noise["z"], draw(training_rng(0, 5), 8)["z"])


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, True])
def test_a_seed_that_not_every_backend_can_take_is_refused(seed):
    with pytest.raises(UsageError, match="from 0 to 2147483647"):
        training_rng(seed, 0)


@pytest.mark.parametrize(
    "wrong", [lambda rng, n: rng.random(n), lambda rng, n: {"z": rng.random(n + 1)}]
)
def test_noise_of_a_wrong_form_names_the_method(wrong):
    with pytest.raises(GenkitError, match=r"noise\(rng, n\)"):
        noise_for_step(wrong, 0, 0, 4)


def test_no_samples_is_an_error():
    with pytest.raises(UsageError, match="at least one sample"):
        noise_for_samples(draw, 0, [])


def test_a_block_of_samples_shares_a_stream_and_a_sample_its_place():
    whole = noise_for_samples(draw, 3, range(100), block=16)
    some = noise_for_samples(draw, 3, [15, 16, 40], block=16)
    for name, array in whole.items():
        np.testing.assert_array_equal(some[name], array[[15, 16, 40]])
    others = noise_for_samples(draw, 3, range(100), block=32)
    assert (whole["z"] != others["z"]).any()
    assert (whole["z"] != noise_for_samples(draw, 3, range(100))["z"]).all()


def test_noise_in_blocks_is_drawn_once_a_block():
    sizes = []

    def columns(rng, n):
        sizes.append(n)
        return {"z": rng.standard_normal((n, 10), dtype="float32")}

    noise_for_samples(columns, 0, range(4 * 4096), block=4096)
    assert sizes == [4096] * 4
