"""What is read from a log, and how logs are compared."""

import json
import math

import numpy as np
import pytest

from genkit.errors import RunError
from genkit.runs.metrics_log import MetricsLog
from genkit.workflows.comparison.measuring import final, read_log, speed
from genkit.workflows.comparison.parity import largest_difference


def test_speed_is_the_median_step_without_compilation_and_pauses():
    steps = np.full(100, 0.02)
    steps[0] = 30.0  # compilation
    steps[55] = 9.0  # a checkpoint
    assert speed(np.cumsum(steps)) == pytest.approx(50)


def test_a_short_run_has_no_speed():
    assert speed(np.arange(39.0)) is None
    assert speed(np.arange(40.0)) == pytest.approx(1)


def test_final_loss_is_the_mean_of_the_last_tenth():
    assert final(np.arange(100.0)) == pytest.approx(np.mean(range(90, 100)))
    assert final(np.array([3.0])) == 3


def test_a_log_with_holes_and_a_torn_end_is_read(tmp_path):
    rows = [
        {"step": 1, "epoch": 1, "seconds": 0.5, "loss": 2.0},
        {"step": 2, "epoch": 1, "seconds": 0.6, "loss": None, "penalty": 1.0},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows) + '{"step": 3, "ep'
    (tmp_path / "metrics.jsonl").write_text(text)
    steps, seconds, losses = read_log(MetricsLog(tmp_path / "metrics.jsonl"))
    assert steps.tolist() == [1, 2]
    assert seconds.tolist() == [0.5, 0.6]
    assert losses.keys() == {"loss", "penalty"}
    assert losses["loss"][0] == 2
    assert np.isnan([losses["loss"][1], losses["penalty"][0]]).all()
    assert read_log(MetricsLog(tmp_path / "none.jsonl"))[2] == {}


def log(*losses):
    return [{"step": i, "epoch": 1, "seconds": i * 0.1, "loss": v} for i, v in enumerate(losses, 1)]


def test_parity_is_the_largest_difference_and_says_where():
    found = largest_difference(log(400.0, 300.0, 200.0), log(400.0, 300.5, 200.1))
    assert found["difference"] == 0.5
    assert (found["loss"], found["step"], found["steps"]) == ("loss", 2, 3)
    assert found["relative"] == pytest.approx(0.5 / 300)


def test_early_parity_is_that_of_the_first_five_steps():
    found = largest_difference(log(*[1.0] * 7), log(1.0, 1.0, 1.0, 1.1, 1.0, 1.0, 2.0))
    assert (found["early"], found["relative"]) == pytest.approx((0.1, 1.0))


def test_a_loss_that_is_no_number_on_one_side_differs_by_infinity():
    assert largest_difference(log(1.0, 2.0), log(1.0, None))["difference"] == math.inf


def test_logs_of_different_steps_or_losses_are_refused():
    with pytest.raises(RunError, match="same steps"):
        largest_difference(log(1.0), log(1.0, 2.0))
    other = [{**row, "penalty": 0.0} for row in log(1.0)]
    with pytest.raises(RunError, match="penalty"):
        largest_difference(log(1.0), other)
