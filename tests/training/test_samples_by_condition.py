"""What a model that needs conditions shows while it trains: what real items have is asked of it."""

import csv

import numpy as np
import pytest
from PIL import Image

import genkit
from genkit.builtin import plugin as builtin
from genkit.plugins.registry import Registry, using
from genkit.runs.sample_conditions import read_conditions
from genkit.workflows import sample_grids
from tests.training import asked_plugin
from tests.training.test_runs import same_files

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("active_backend", "compiled_fast")]


@pytest.fixture(autouse=True)
def plugin():
    with using(Registry(plugins=[builtin, asked_plugin])):
        yield


@pytest.fixture
def made(tmp_path, active_backend):
    def train(name, **settings):
        return genkit.train("shades", runs_dir=tmp_path, name=name, backend=active_backend,
                            verbose=False, **settings)  # fmt: skip

    return train


def table_of(run):
    return list(csv.DictReader((run.path / "samples/conditions.csv").read_text().splitlines()))


def greys_of(file):
    """Return the grey of each sample in reading order: a grid of four by four."""
    with Image.open(file) as opened:
        sheet = np.asarray(opened.convert("L"))
    places = ((np.arange(4) + 0.5) * sheet.shape[0] / 4).astype(int)
    return sheet[np.ix_(places, places)].ravel()


def test_every_grid_shows_the_same_conditions_of_real_items(made):
    run = made("plain")
    rows = table_of(run)
    files = sorted((run.path / "samples").glob("*.png"))
    assert [int(file.stem) for file in files] == [1, 2, 4]
    wanted = np.round([255 * float(row["light"]) for row in rows])
    for file in files:
        np.testing.assert_allclose(greys_of(file), wanted, atol=1)
    assert len({row["light"] for row in rows}) == 16, "items are drawn, not repeated"
    assert all(row["name"] == ("pale" if float(row["light"]) > 0.5 else "dark") for row in rows)
    page = (run.path / "report.html").read_text()
    assert "The same noise and conditions at every step" in page
    assert all(f"<td>{row['light']}</td><td>{row['name']}</td>" in page for row in rows)
    kept = (run.path / "samples/conditions.csv").read_bytes()
    genkit.resume(run.path, 2, verbose=False)
    assert (run.path / "samples/conditions.csv").read_bytes() == kept
    np.testing.assert_allclose(greys_of(run.path / "samples/00000006.png"), wanted, atol=1)
    assert table_of(made("again")) == rows
    assert table_of(made("other", seed=1)) != rows


def test_held_out_items_are_asked_where_there_are_some(made):
    run = made("held", validate_every=2)
    _, held_out = genkit.data.hold_out(asked_plugin.open_shades(None), 0)
    lights = held_out.gather(np.arange(len(held_out)))["light"].astype(str).tolist()
    assert {row["light"] for row in table_of(run)} == set(lights)


def test_training_notices_nothing(made, monkeypatch):
    shown = made("shown", sample_every=1)
    monkeypatch.setattr(sample_grids, "draw_samples", lambda *_, **__: None)
    never = made("never")
    assert not (never.path / "samples").exists()
    same_files(shown.path / "checkpoints/00000004", never.path / "checkpoints/00000004")


def test_without_data_to_ask_nothing_is_shown(made):
    run = made("one").run
    model = genkit.load(run.path)
    assert sample_grids.draw_samples(run, 9, model) is None
    assert sample_grids.draw_samples(run, 9, model, asked_plugin.open_shades(None)) is not None


@pytest.mark.parametrize("text", ["", "light\n", 'light\n"0.1\n', "light\n\udc80"])
def test_a_damaged_table_tells_nothing(tmp_path, text):
    (tmp_path / "conditions.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert read_conditions(tmp_path) == []
    assert read_conditions(tmp_path / "nowhere") == []
