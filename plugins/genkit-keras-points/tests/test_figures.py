"""The metrics, on points whose figures are known; what is refused; what is drawn."""

import math

import numpy as np
import pytest
from genkit_points.configs import PointsConfig, PointsCsvConfig
from genkit_points.data import PointsSource, open_points
from genkit_points.densities import MODES
from genkit_points.energy import EnergyDistance, energy_distance
from genkit_points.modes import ModeCoverage
from genkit_points.review import InRange
from genkit_points.show import Scatter
from genkit_points.table import open_csv

from genkit.evaluation import Batch, Context


def ring(n=4000, **settings):
    return open_points(PointsConfig(density="ring", n=n, **settings))


def measured(metric_class, generated, real, size=1000):
    metric = metric_class(Context(real.schema, real=real))
    shown = {"generated": generated, "real": real.arrays["points"]}
    for stream in metric.streams:
        for start in range(0, len(shown[stream]), size):
            metric.update(stream, Batch(shown[stream][start : start + size]))
    return {figure.name: figure for figure in metric.compute()}


def test_of_the_data_itself_all_modes_are_covered_and_989_in_1000_points_are_near_one():
    figures = measured(ModeCoverage, ring(40_000, seed=5).arrays["points"], ring())
    assert figures["mode-coverage"].value == 1
    quality = figures["high-quality"]
    assert quality.low < 1 - math.exp(-4.5) < quality.high
    assert quality.high - quality.low < 0.003


def test_modes_that_are_missing_or_hardly_there_and_points_between_them_are_seen():
    source = ring(8000)
    points, labels = source.arrays["points"], source.arrays["label"]
    three = points[labels < 3]
    stray = points[labels == 7][:20]  # of about 375 that would be its share
    between = np.zeros((len(three), 2), "float32")
    figures = measured(ModeCoverage, np.concatenate([three, stray, between]), source)
    assert figures["mode-coverage"].value == 3 / 8
    assert figures["high-quality"].value == pytest.approx(0.5, abs=0.02)


def test_mode_coverage_is_left_out_where_modes_are_not_known():
    moons = open_points(PointsConfig(density="moons", n=10))
    assert "not known" in ModeCoverage.unfit(Context(moons.schema, real=moons))
    assert ModeCoverage.unfit(Context(ring(10).schema, real=ring(10))) == ""


def test_the_energy_distance_of_two_normal_densities_is_the_known_one():
    # Along a line: E|X - Y| of N(d, 2 s^2) by the folded normal, E|X - X'| = 2 s / sqrt(pi).
    rng, s, d = np.random.default_rng(0), 0.1, 0.3
    spread = math.sqrt(2) * s
    across = spread * math.sqrt(2 / math.pi) * math.exp(-((d / spread) ** 2) / 2)
    across += d * math.erf(d / spread / math.sqrt(2))
    answer = 2 * across - 4 * s / math.sqrt(math.pi)
    first, second = (np.zeros((10_000, 2), "float32") for _ in range(2))
    first[:, 0], second[:, 0] = rng.normal(0, s, 10_000), rng.normal(d, s, 10_000)
    (figure,) = measured(EnergyDistance, first, PointsSource(second, (-2, 2))).values()
    assert figure.low < answer < figure.high
    assert figure.high - figure.low < 0.1 * answer


def test_the_energy_distance_of_like_points_is_about_0_and_its_interval_holds_0():
    held = [
        figure.low < 0 < figure.high
        for seed in range(20)
        for figure in measured(
            EnergyDistance, ring(2000, seed=seed + 1).arrays["points"], ring(2000, split="test")
        ).values()
    ]
    assert sum(held) >= 16  # 19 of 20 on the average; one held-out set for all makes them alike


def test_the_energy_distance_hangs_on_neither_order_nor_batches():
    points, real = ring(1500, seed=1).arrays["points"], ring(1500)
    first = measured(EnergyDistance, points, real)["energy-distance"]
    turned = measured(EnergyDistance, points[::-1].copy(), real, size=77)["energy-distance"]
    assert first.to_dict() == turned.to_dict()


def test_the_energy_distance_is_that_of_a_loop():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
    across = np.mean([np.hypot(*(a - b)) for a in x for b in y])
    of_x = np.mean([np.hypot(*(x[i] - x[j])) for i in range(5) for j in range(5) if i != j])
    of_y = np.mean([np.hypot(*(y[i] - y[j])) for i in range(4) for j in range(4) if i != j])
    assert energy_distance(x, y) == pytest.approx(2 * across - of_x - of_y)


def test_points_that_are_not_finite_or_not_inside_are_refused():
    points = [[0, 0.5], [1, 0], [0, -1.5], [np.nan, 0], [np.inf, 0], [-0.999, 0.999]]
    reasons = InRange(ring(10).schema, "points").review(np.array(points, "float32"))
    out, not_finite = "out of range", "not finite"
    assert reasons == ["", out, out, not_finite, not_finite, ""]


def test_a_table_that_was_written_is_read_again_to_the_bit(tmp_path):
    points = ring(50).arrays["points"]
    Scatter(ring(10).schema, "points").write(points, tmp_path / "p.csv")
    again = open_csv(PointsCsvConfig(path=tmp_path / "p.csv", held_out=0))
    np.testing.assert_array_equal(again.arrays["points"], points)


def test_all_points_stand_in_one_picture_where_they_belong():
    renderer = Scatter(ring(10).schema, "points")
    centre = MODES["ring"].centres[:1].astype("float32")  # to the right, at (0.7, 0)
    (picture,) = renderer.pictures(np.repeat(centre, 5, axis=0))
    ink = np.asarray(picture).astype(int)
    rows, columns = np.nonzero(ink[..., 2] - ink[..., 0] > 50)
    middle = picture.height * (1 - 0.08 - 0.43)
    assert abs(rows.mean() - middle) < 3
    assert abs(columns.mean() - picture.width * (0.11 + 0.86 * 0.85)) < 3
    (many,) = renderer.pictures(ring(1000).arrays["points"])
    assert many.size == picture.size
