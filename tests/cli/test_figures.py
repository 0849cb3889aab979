"""Figures as ``genkit evaluate`` shows them: a headline, and all with --verbose."""

import io
import sys

import pytest

import genkit
from genkit.builtin.zoo import ZooModel, beside, find_zoo_model
from genkit.cli.figures import headline, show_figures
from genkit.evaluation import Figure
from genkit.plugins.registry import Plugin, Registry, using
from genkit.runs.headline import headline as headline_of_run
from genkit.runs.kept_figures import KeptFigures

CARD = {
    "against": "mnist",
    "fingerprint": "4f00",
    "split": "test",
    "n_generated": 1000,
    "n_real": 10_000,
    "seed": 1,
    "extractor": "mnist-classifier",
    "extractor_hash": "26c4",
}
FIGURES = [
    Figure("fid", 103.4, 101.1, 105.7, "min", {"metric": "fid 1", **CARD, "interval": "jackknife"}),
    Figure("kid", 42.9, 40.1, 45.8, "min", {"metric": "kid 1", **CARD, "interval": "jackknife"}),
    Figure("precision", 0.879, 0.873, 0.886, "max", {"metric": "prdc 1", **CARD}),
    Figure("near-copies", 0.0006, 0.000275, 0.00131, "min", {"metric": "m 1", **CARD}),
]
ZOO = ZooModel(
    "vae",
    "mnist",
    "default",
    2340,
    156.0,
    {"fid": 100.2, "precision": 0.879},
    {"against": "mnist", "split": "test", "n_generated": 10_000, "extractor_hash": "26c4"},
)


@pytest.fixture
def shown(monkeypatch, tmp_path):
    def show(figures=FIGURES, zoo=ZOO, *, width=80, encoding="utf-8", **options):
        monkeypatch.setenv("COLUMNS", str(width))
        screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", screen)
        options = {"folder": tmp_path, "asked": False, "verbose": False, **options}
        show_figures("vae on mnist, step 2,340", figures, zoo, **options)
        screen.flush()
        return screen.buffer.getvalue().decode(encoding)

    return show


def test_the_headline_has_value_interval_arrow_and_what_the_zoo_has(shown):
    lines = shown().splitlines()
    assert lines[0] == "vae on mnist, step 2,340"
    table = [" ".join(line.split()) for line in lines[2:6]]
    assert table == [
        "value 95 % interval zoo's vae",
        "FID 103 ↓ 101 to 106 100 distance from real data",
        "precision 0.879 ↑ 0.873 to 0.886 0.879 samples that look real",
        "near copies 0.0006 ↓ 0.0003 to 0.0013 - of training items",
    ]
    assert len(lines) <= 15
    assert "↓ lower is better, ↑ higher is better." in lines
    assert "The zoo's vae: 2,340 steps, measured of 10,000 samples." in lines
    assert "1 more figure: --verbose." in lines


def test_in_a_narrow_terminal_no_line_wraps_and_the_zoo_moves_below(shown):
    text = shown(width=40)
    assert all(len(line) <= 40 for line in text.splitlines() if "evaluation.json" not in line)
    assert "zoo's vae" not in text.splitlines()[2]
    assert "2,340 steps, measured of 10,000 samples; FID 100, precision 0.879." in " ".join(
        text.split()
    )


def test_details_wait_for_verbose_and_what_cards_share_is_said_once(shown):
    assert "kid" not in shown()
    assert "fingerprint" not in shown()
    text = shown(verbose=True)
    assert "kid" in text
    for fact in ("fingerprint: 4f00", "extractor_hash: 26c4", "interval: jackknife", "seed: 1"):
        assert text.count(fact) == 1
    assert "near-copies:\n  metric: m 1" in text


def test_what_was_asked_for_by_name_is_shown(shown):
    assert "kid" in shown(asked=True)
    assert "--verbose" not in shown(asked=True)


def test_where_nothing_is_of_the_headline_the_first_are_shown():
    own = [Figure(f"brightness@{k}", 1, 0, 2, "max", {"seed": 3}) for k in range(28)]
    assert headline(own) == own[:5]
    assert headline(own[:1]) == own[:1]


class Eyes:
    """A plugin whose metric says which of its figures are looked at first."""

    @genkit.hookimpl
    def genkit_metrics(self):
        words = {"sharpness": "edges are clear", "depth": "far from near"}
        yield genkit.MetricSpec(name="eyes", summary="Looks", metric="a:B", direction="max",
                                modality="image", headline=words)  # fmt: skip


@pytest.fixture
def eyes():
    registry = Registry()
    registry.add(Eyes(), Plugin("eyes", "eyes", "1.0"))
    with using(registry):
        yield


@pytest.mark.usefixtures("eyes")
def test_plugins_name_what_is_looked_at_first(shown):
    names = ("blur", "depth", "sharpness", "sharpness (floor)")
    own = [Figure(name, 1, 0, 2, "max", {"seed": 3}) for name in names]
    assert [figure.name for figure in headline(own)] == ["sharpness", "sharpness (floor)", "depth"]
    told = shown(own, None)
    assert "edges are clear" in told
    assert "1 more figure: --verbose." in told
    kept = KeptFigures(tuple(figure.to_dict() for figure in own), 1)
    assert headline_of_run(kept, {}, 1).name == "sharpness"
    images = KeptFigures((*kept.rows, {**kept.rows[0], "name": "fid"}), 1)
    assert headline_of_run(images, {}, 1).name == "fid"


def test_figures_of_an_extractors_features_are_of_the_headline_too(shown):
    names = ("recall (bands)", "density (bands)", "frechet (bands)")
    own = [Figure(name, 1, 0, 2, "max", {"seed": 3}) for name in names]
    assert [figure.name for figure in headline(own)] == [names[2], names[0]]
    told = shown(own, None)
    assert "Frechet distance (bands)" in told
    assert "real data that it covers" in told


def test_the_reference_is_told_only_of_figures_that_were_compared_with_it(shown):
    alone = Figure("brightness", 1, 0, 2, "max", {"seed": 3})
    assert "\nSeed 3.\n" in shown([alone], None)
    assert "zoo" not in shown([alone], None)


def test_without_arrows_in_the_encoding_there_are_words(shown):
    text = shown(encoding="ascii")
    assert "fid: lower is better. precision: higher is better." in text


def test_figures_stand_beside_the_zoos_only_where_they_were_measured_alike():
    assert beside(ZOO, FIGURES) == {"fid": 100.2, "precision": 0.879}
    for change in ({"split": "train"}, {"against": "digits"}, {"extractor_hash": "0"}):
        other = Figure("fid", 1, 0, 2, "min", {**CARD, **change})
        assert beside(ZOO, [other]) == {}
    assert beside(None, FIGURES) == {}


def test_the_zoo_is_found_by_model_and_data():
    found = find_zoo_model("vae", "mnist")
    assert found is not None
    assert found.preset == "default"
    assert found.figures["fid"] > 0
    assert find_zoo_model("vae", "mnist", "no such preset") == found
    assert find_zoo_model("vae", "digits") is None


def test_info_has_the_time_and_the_fid_of_presets_that_the_zoo_has(genkit_here, monkeypatch):
    monkeypatch.setattr("genkit.builtin.zoo.zoo_models", lambda: (ZOO,))
    code, out, err = genkit_here("info", "vae")
    assert code == 0, err
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert any(row.startswith("default mnist 5 epochs 2.6 min 100 ") for row in rows), out
    assert any(row.startswith("reference mnist 30 epochs - - ") for row in rows), out
