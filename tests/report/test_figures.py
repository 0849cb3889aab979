"""The section of figures: what all cards say is told once, and each one's own beside it."""

from types import SimpleNamespace

from genkit.evaluation import Figure
from genkit.report.figures import metrics
from genkit.runs.kept_figures import KeptFigures


def test_what_the_cards_have_in_common_is_told_once_and_the_rest_for_each():
    figures = [
        Figure("fid", 3.0, 2.0, 4.0, "min", {"against": "digits", "interval": "jackknife"}),
        Figure("kid", 1.0, 0.5, 1.5, "min", {"against": "digits", "interval": "bootstrap"}),
    ]
    kept = KeptFigures([figure.to_dict() for figure in figures])
    body = str(metrics(SimpleNamespace(run=SimpleNamespace(figures=lambda: kept))).body)
    assert body.count("digits") == 1
    assert body.index("digits") < body.index("jackknife") < body.index("bootstrap")
