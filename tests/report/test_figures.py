"""The section of figures: what all cards say is told once, and each one's own beside it."""

import json
from types import SimpleNamespace

from genkit.evaluation import Figure
from genkit.report.figures import metrics


def test_what_the_cards_have_in_common_is_told_once_and_the_rest_for_each(tmp_path):
    figures = [
        Figure("fid", 3.0, 2.0, 4.0, "min", {"against": "digits", "interval": "jackknife"}),
        Figure("kid", 1.0, 0.5, 1.5, "min", {"against": "digits", "interval": "bootstrap"}),
    ]
    told = {"metrics": [figure.to_dict() for figure in figures]}
    (tmp_path / "evaluation.json").write_text(json.dumps(told))
    body = str(metrics(SimpleNamespace(run=SimpleNamespace(path=tmp_path))).body)
    assert body.count("digits") == 1
    assert body.index("digits") < body.index("jackknife") < body.index("bootstrap")
