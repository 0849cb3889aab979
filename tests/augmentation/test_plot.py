"""The picture of an augmentation's result, over many ratios and over one."""

import pytest

from genkit.workflows.augmentation import plot

pytestmark = pytest.mark.once
ARMS = ("synthetic", "real+synthetic", "all")


def summary(*ratios):
    def row(arm, ratio, accuracy):
        low, high = accuracy - 0.01, accuracy + 0.01
        return {"arm": arm, "ratio": ratio, "accuracy": accuracy, "low": low, "high": high, "n": 5}

    levels = [row("real", None, 0.71), row("real+classical", None, 0.73)]
    found = [{"ratio": r, "difference": 0.02, "low": 0.01, "high": 0.03} for r in ratios]
    return {
        "measure": "accuracy",
        "table": [*levels, *(row(arm, r, 0.7) for arm in ARMS for r in ratios)],
        "verdict": {"comparisons": found},
        "verdict_beyond_classical": {"comparisons": found},
    }


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(plot.plots, "save_plot", lambda made, path: figures.append(made) or [])

    def draw(*ratios):
        plot.draw_result(summary(*ratios), tmp_path / "picture")
        return figures[-1].axes

    return draw


def test_over_one_ratio_each_arm_has_a_row_with_its_name_and_number(drawn):
    left, right = drawn(2.0)
    assert [label.get_text() for label in left.get_yticklabels()] == [
        "real only",
        "real, classical",
        "synthetic only",
        "real + synthetic",
        "all three",
    ]
    assert [label.get_text() for label in right.get_yticklabels()] == [
        "real + synthetic",
        "all three",
    ]
    assert [text.get_text() for text in left.texts] == ["71.0", "73.0", "70.0", "70.0", "70.0"]
    assert "2 synthetic for each real item" in left.get_title(loc="left")
    assert left.get_legend() is None


def test_over_several_ratios_there_are_curves(drawn):
    left, _ = drawn(0.5, 1.0, 5.0)
    assert [label.get_text() for label in left.get_xticklabels()] == ["0.5", "1", "5"]
    assert left.get_legend() is not None
