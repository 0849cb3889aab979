"""GenKit's own commands, and the plugin's, in real processes."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import genkit

# What runs for a moment is compiled fast: XLA takes half as long without optimisation.
FAST = {**os.environ, "JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run of each model, and a function that calls genkit there."""
    folder = tmp_path_factory.mktemp("commands")

    def call(*arguments, code=0):
        command = [sys.executable, "-m", "genkit", *map(str, arguments)]
        done = subprocess.run(
            command, cwd=folder, env=FAST, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    for name in ("vae", "flow"):
        conditional = ("--set", "conditional=true") if name == "vae" else ()
        few = ("--steps", 20, "--sample-every", 10, "--data", "n=2000", *conditional)
        call("run", f"points-{name}", "--name", name, *few)
    return folder, call


def test_samples_in_training_are_one_picture_each(place):
    folder, _ = place
    files = sorted(path.name for path in (folder / "runs/flow/samples").iterdir())
    assert files == ["00000001.png", "00000010.png", "00000020.png"]
    with Image.open(folder / "runs/vae/samples/00000020.png") as picture:
        assert picture.width == picture.height < 500, "no grid of points one by one"


def test_generate_writes_a_table_and_a_picture_and_a_file_a_label(place):
    folder, call = place
    told = json.loads(call("generate", "runs/flow", "--n", 30, "--json"))
    assert told["format"] == "csv"
    (file,) = told["files"]
    with (folder / file).open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) + told["refused"]["n"] == 30
    assert all(abs(float(value)) < 1 for row in rows for value in (row["x"], row["y"]))
    some = ("--n", 5, "--label", "0,3")
    told = json.loads(call("generate", "runs/vae", *some, "--out", "by", "--json"))
    assert [Path(file).name for file in told["files"]] == ["label-0.csv", "label-3.csv"]
    call("generate", "runs/vae", *some, "--format", "grid", "--out", "drawn")
    with Image.open(folder / "drawn/grid.png") as picture:
        assert picture.width > 1.9 * picture.height, "a picture for each label"


def test_what_the_model_put_outside_is_refused_and_counted(place):
    _, call = place
    told = json.loads(call("generate", "runs/flow", "--n", 500, "--out", "few", "--json"))
    # After so few steps much of the noise is still where it was, outside the range.
    assert told["refused"]["n"] == told["refused"]["reasons"]["points-in-range: out of range"] > 5


def test_evaluate_measures_all_that_fits(place):
    _, call = place
    found = json.loads(call("evaluate", "runs/flow", "--n", 400, "--json"))
    names = {figure["name"] for figure in found["metrics"]}
    assert names == {"mode-coverage", "high-quality", "energy-distance", "log-density"}
    found = json.loads(call("evaluate", "runs/vae", "--n", 400, "--json"))
    assert "log-density" not in {figure["name"] for figure in found["metrics"]}


def test_the_report_shows_points_together(place):
    folder, call = place
    for name in ("flow", "vae"):
        call("report", f"runs/{name}")
    page = (folder / "runs/vae/report.html").read_text()
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert {"Real against generated", "By class", "Sample evolution"} <= set(headings)
    assert {"Reconstruction pairs", "Interpolation", "Nearest training items"} <= set(headings)
    assert "In each strip" not in page
    assert page.count("<img") == 2 + 8 + 3 + 1 + 1
    call("report", "runs/vae", "runs/flow")


def test_density_draws_and_tells(place):
    folder, call = place
    told = json.loads(call("density", "runs/flow", "--n", 300, "--cells", 20, "--json"))
    assert set(told) == {
        *("run", "path", "n", "label", "options", "mean_log_density", "interval", "mass"),
    }
    low, high = told["interval"]
    assert low < told["mean_log_density"] < high
    assert 0 < told["mass"] < 1.1
    with Image.open(folder / told["path"]) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1.5 * picture.height
    finer = ("--solver-steps", 40, "--n", 300, "--cells", 2, "--json")
    again = json.loads(call("density", "runs/flow", *finer))
    assert again["options"] == {"solver_steps": 40}
    assert again["mean_log_density"] == pytest.approx(told["mean_log_density"], abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("density", "runs/vae"), "can generate, reconstruct, encode, interpolate; not density"),
        (("density", "runs/flow", "--solver-steps", 0), "greater than or equal to 1"),
        (("density", "runs/flow", "--label", "3"), "takes no label"),
        (("density", "runs/flow", "--cells", 1), "--cells of 2 to 1000"),
        (("generate", "runs/flow", "--format", "png"), "Expected --format csv, npz, grid"),
    ],
)
def test_mistakes_are_told_in_one_line(place, arguments, told):
    _, call = place
    said = call(*arguments, code=2)
    assert told in said
    assert len(said.strip().splitlines()) == 1


def test_compare_runs_a_model_of_points(place, active_backend):
    _, call = place
    few = ("--backends", active_backend, "--seeds", 2, "--steps", 20, "--out", "compared")
    little = ("--data", "n=500", "--n", 500)
    told = json.loads(call("compare", "points-flow", *few, *little, "--json"))
    assert sorted(cell["seed"] for cell in told["cells"]) == [0, 1]
    assert all(cell["state"] == "done" for cell in told["cells"])
    assert told["sentences"]


def test_own_points_are_learned_and_given_back(place):
    folder, call = place
    (folder / "mine.csv").write_text("x,y\n" + "".join(f"{k % 7},{k % 5}\n" for k in range(200)))
    few = ("--steps", 5, "--batch-size", 64, "--data", "path=mine.csv")
    call("run", "points-gan", "--name", "own", "--dataset", "points-csv", *few)
    source = genkit.open_data(folder / "runs/own", unseen=True)
    assert len(source) == 40
    call("generate", "runs/own", "--n", 9)
