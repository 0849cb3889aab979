"""FID: known answers, independent implementations, bounded memory."""

import tracemalloc

import numpy as np
import pytest
from scipy import linalg

from genkit.builtin.datasets.mnist import MnistConfig, open_mnist
from genkit.errors import UsageError
from genkit.evaluation import Context
from genkit.evaluation.metrics.diversity import Diversity
from genkit.evaluation.metrics.frechet import FrechetDistance, Moments, frechet_distance
from genkit.evaluation.metrics.kid import KernelDistance
from genkit.evaluation.metrics.neighbours import Neighbours
from genkit.plugins.specs import Field, Schema
from tests.evaluation.shown import batches, context, gaussians, measured, opened


def fid(generated, real, size=64, **settings):
    metric = FrechetDistance(context(**settings))
    return measured(metric, size=size, generated=generated, real=real)["fid"]


def by_sqrtm(generated, real):
    first, second = (np.cov(each.astype(np.float64), rowvar=False) for each in (generated, real))
    shift = generated.mean(axis=0, dtype=np.float64) - real.mean(axis=0, dtype=np.float64)
    root = linalg.sqrtm(first @ second).real
    return float(shift @ shift + np.trace(first + second - 2 * root))


def by_nuclear_norm(generated, real):
    # With C = X'X / (n - 1) the trace of (C1 C2)^(1/2) is a nuclear norm, of X1 X2'.
    first, second = (
        (each - each.mean(axis=0, dtype=np.float64)) / np.sqrt(len(each) - 1)
        for each in (generated, real)
    )
    shift = generated.mean(axis=0, dtype=np.float64) - real.mean(axis=0, dtype=np.float64)
    traces = np.square(first).sum() + np.square(second).sum()
    return shift @ shift + traces - 2 * np.linalg.norm(first @ second.T, "nuc")


def test_gaussians_of_known_distance():
    # Equal covariances: the squared shift. Diagonal ones: the squared difference of deviations.
    mean, eye = np.zeros(5), np.eye(5)
    assert frechet_distance((mean, eye), (mean + 2, eye)) == pytest.approx(20)
    assert frechet_distance((mean, 4 * eye), (mean, 9 * eye)) == pytest.approx(5)


def test_samples_of_known_gaussians():
    figure = fid(gaussians(3, 50_000, shift=0.5, scale=2), gaussians(4, 50_000), size=5_000)
    expected = 8 * (0.5**2 + (2 - 1) ** 2)
    assert figure.value == pytest.approx(expected, rel=0.02)
    assert figure.low < expected < figure.high


def test_labels_that_take_turns_leave_the_interval_as_it_is():
    """A conditional model's samples come class by class; blocks must not hold single classes."""
    apart = 10.0 * np.eye(8, dtype="float32")[np.arange(4000) % 4]
    generated, real = apart + gaussians(1, 4000), apart + gaussians(2, 4000, shift=0.2)
    shuffled = np.random.default_rng(0).permutation(4000)
    in_turns, at_random = fid(generated, real), fid(generated[shuffled], real[shuffled])
    widths = [figure.high - figure.low for figure in (in_turns, at_random)]
    assert widths[0] == pytest.approx(widths[1], rel=0.6)


def test_agrees_with_scipys_matrix_square_root():
    mix = np.random.default_rng(0).standard_normal((8, 8)).astype("float32")
    generated, real = gaussians(1, 900) @ mix, gaussians(2, 700, shift=0.3)
    assert fid(generated, real).value == pytest.approx(by_sqrtm(generated, real), rel=1e-6)


@pytest.mark.cross_backend  # where torch is installed
def test_agrees_with_torchmetrics():
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("torchmetrics.image.fid")

    class Flat(torch.nn.Module):
        num_features = 27

        def forward(self, x):
            return x.reshape(len(x), -1)

    rng = np.random.default_rng(0)
    generated = rng.random((400, 3, 3, 3), "float32")
    real = rng.random((300, 3, 3, 3), "float32") ** 2
    other = image.FrechetInceptionDistance(feature=Flat(), normalize=True, input_img_size=(3, 3, 3))
    other.set_dtype(torch.float64)
    other.update(torch.from_numpy(real), real=True)
    other.update(torch.from_numpy(generated), real=False)
    ours = fid(generated.reshape(400, -1), real.reshape(300, -1)).value
    assert float(other.compute()) == pytest.approx(ours, rel=1e-3)


def test_singular_covariances_are_no_trouble():
    # Fewer items than numbers in a feature, and features that never change.
    generated, real = gaussians(1, 20, 50), gaussians(2, 30, 50)
    generated[:, :10] = real[:, :10] = 0.5
    assert fid(real, real).value == pytest.approx(0, abs=1e-5)
    assert fid(generated, real).value == pytest.approx(by_nuclear_norm(generated, real), abs=1e-5)


def test_one_picture_over_and_over_has_a_figure():
    figure = fid(np.zeros((100, 8), "float32"), gaussians(1, 1000))
    assert figure.value == pytest.approx(8, rel=0.1)


def test_neither_order_nor_batch_size_matter():
    generated, real = gaussians(1, 3000, shift=0.1), gaussians(2, 2000)
    shuffled = np.random.default_rng(0).permutation(generated)
    value = fid(generated, real).value
    assert fid(shuffled, real).value == pytest.approx(value, rel=1e-8)
    again = fid(generated, real, size=999)
    assert (again.value, again.low, again.high) == pytest.approx(
        (value, fid(generated, real).low, fid(generated, real).high), rel=1e-8
    )


@pytest.mark.slow
def test_interval_is_as_wide_as_repeated_measurements_spread():
    values, errors = [], []
    for seed in range(60):
        figure = fid(gaussians(2 * seed, 500, shift=0.5), gaussians(2 * seed + 1, 500), size=500)
        values.append(figure.value)
        errors.append((figure.high - figure.value) / 2.093)  # Student's t, 19 degrees of freedom
    assert np.median(errors) == pytest.approx(np.std(values), rel=0.3)


def test_real_against_real_is_near_zero_and_against_noise_is_not():
    mnist = open_mnist(MnistConfig(split="test"))
    images = mnist.gather(np.arange(2000))["image"][:, 2:26:2, 2:26:2]
    image = Field((12, 12, 1), "uint8", "image", (0, 255))
    settings = Context(Schema({"image": image}), opened("pixels", image))
    halves = measured(FrechetDistance(settings), generated=images[::2], real=images[1::2])["fid"]
    noise = np.random.default_rng(0).integers(0, 256, (500, 12, 12, 1)).astype("uint8")
    far = measured(FrechetDistance(settings), generated=noise, real=images[1::2])["fid"]
    assert 0 <= halves.low <= halves.value < 1  # of a total variance of 17
    assert far.value > 10
    itself = measured(FrechetDistance(settings), generated=images, real=images[::-1])["fid"]
    assert itself.value == pytest.approx(0, abs=1e-4)


@pytest.mark.slow
def test_fifty_thousand_against_ten_thousand_stay_within_bounded_memory():
    dim, n = 128, {"generated": 50_000, "real": 10_000}
    metric = FrechetDistance(context())
    batch = gaussians(0, 1000, dim)
    tracemalloc.start()
    for stream, count in n.items():
        for _ in range(count // len(batch)):
            for each in batches(batch, size=500):
                metric.update(stream, each)
    (figure,) = metric.compute()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert figure.value == pytest.approx(0, abs=1e-3)
    # Two streams of twenty blocks, and as much again for what is being added up; the features
    # alone would be 31 MB.
    assert peak < 2 * 2 * 20 * dim * dim * 8
    assert metric._moments["generated"].count == 50_000


def test_wide_features_get_fewer_blocks_and_too_wide_ones_are_refused():
    assert Moments(8).blocks == 20
    assert Moments(2048).blocks == 8
    with pytest.raises(UsageError, match="at most 4096"):
        Moments(5000)


@pytest.mark.parametrize("metric", [FrechetDistance, KernelDistance, Neighbours, Diversity])
def test_pixels_are_refused_where_they_are_too_wide_for_bounded_memory(metric):
    for size, refused in ((64, False), (65, True)):
        image = Field((size, size, 1), "uint8", "image", (0, 255))
        settings = Context(Schema({"image": image}), opened("pixels", image))
        assert ("choose another extractor" in metric.unfit(settings)) is refused
    assert "feature extractor" in metric.unfit(Context(settings.schema))


def test_the_interval_is_said_to_be_of_the_expected_fid():
    figure = fid(gaussians(1, 100), gaussians(2, 100))
    assert figure.card["interval"].endswith("of the expected FID at these counts")


def test_too_few_items_are_refused():
    with pytest.raises(UsageError, match="2 generated items or more; received 0"):
        list(FrechetDistance(context()).compute())
