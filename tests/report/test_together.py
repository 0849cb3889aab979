"""Items that say little alone: many in one picture, all in one file."""

import itertools
import types

import numpy as np
import pytest
from PIL import Image

import genkit
from genkit.errors import UsageError
from genkit.report.grids import render_pictures
from genkit.report.renderers import shown_together
from genkit.report.samples import Samples

pytestmark = pytest.mark.slow

SCHEMA = genkit.Schema({"dot": genkit.Field((1,), "float32", "dot", range=(0, 1))})


class Dots(genkit.Renderer):
    """A picture as wide as there are items; a file with a line for each."""

    suffix = "txt"
    draws = True
    together = 7

    def write(self, item, file):
        file.write_text("".join(f"{float(value):g}\n" for (value,) in item))

    def pictures(self, items):
        return [Image.new("L", (400 + len(items), 400))]


class NoHalves(genkit.Reviewer):
    """Refuses 0.5."""

    def review(self, items):
        return ["half" if value == 0.5 else "" for (value,) in items]


@genkit.hookimpl
def genkit_renderers():
    here = __name__
    yield genkit.RendererSpec(name="dots", summary="Dots", renderer=f"{here}:Dots", modality="dot")


@genkit.hookimpl
def genkit_reviewers():
    name = f"{__name__}:NoHalves"
    yield genkit.ReviewerSpec(name="halves", summary="Halves", reviewer=name, modality="dot")


@pytest.fixture
def samples():
    plugin = types.SimpleNamespace(
        genkit_renderers=genkit_renderers, genkit_reviewers=genkit_reviewers
    )
    model = types.SimpleNamespace(
        schema=SCHEMA, generated_field=lambda: "dot", output_fields=("dot",), assets={}
    )
    return Samples(model, genkit.Registry(plugins=[plugin]))


def dots(*values):
    return np.array(values, "float32")[:, None]


def test_all_items_that_may_be_written_are_in_one_picture(samples, tmp_path):
    samples.draw(dots(0.1, 0.5, 0.2), tmp_path / "all.png")
    with Image.open(tmp_path / "all.png") as picture:
        assert picture.width == 402  # two dots, and nothing around them


def test_what_would_be_a_row_is_a_picture_and_blank_if_all_are_refused(samples, tmp_path):
    rows = dots(0.1, 0.2, 0.5, 0.5, 0.3, 0.4)
    samples.draw(rows, tmp_path / "rows.png", columns=2)
    with Image.open(tmp_path / "rows.png") as picture:
        assert picture.size == (2 * 410 + 8, 2 * 408 + 8)
        assert [picture.getpixel((x, 200)) for x in (200, 600)] == [0, 208]
    with pytest.raises(UsageError, match="refused"):
        samples.draw(dots(0.5), tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_one_file_holds_all_items_of_a_label(samples, tmp_path):
    names = itertools.repeat("")
    every = itertools.chain.from_iterable(
        samples.reviewed([dots(0.1, 0.5), dots(0.2)], names, label) for label in (3, 4)
    )
    files = samples.write(every, "txt", tmp_path)
    assert [file.name for file in files] == ["label-3.txt", "label-4.txt"]
    assert files[0].read_text() == "0.1\n0.2\n"
    (file,) = samples.write(samples.reviewed([dots(0.3)], names), "txt", tmp_path)
    assert (file.name, file.read_text()) == ("samples.txt", "0.3\n")


def test_html_shows_a_picture_for_each_row(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "genkit.report.grids.render_pictures",
        lambda pictures, alt, columns: drawn.append((len(pictures), columns)) or "",
    )
    renderer = Dots(SCHEMA, "dot")
    for columns in (None, 3, 1):
        renderer.html(dots(0.1, 0.2, 0.3, 0.4), "four dots", columns)
    assert drawn == [(1, 1), (2, 2), (4, 4)]


def test_other_modalities_are_shown_one_by_one():
    image = genkit.Schema({"image": genkit.Field((8, 8, 1), "uint8", "image", range=(0, 255))})
    assert shown_together(image, "image") == 0
    assert "data:image/png" in render_pictures([Image.new("L", (8, 8))], "one")
