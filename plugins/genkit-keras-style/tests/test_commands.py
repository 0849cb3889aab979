"""The verbs, and GenKit's own of a model of styles, in this process."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small import SMALL, pictures

import genkit
from genkit import cli


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a trained run."""
    folder = tmp_path_factory.mktemp("commands")
    genkit.train(
        "stylegan2",
        dataset=pictures(),
        steps=4,
        batch_size=16,
        config={**SMALL, "conditional": False},
        runs_dir=folder / "runs",
        name="it",
        verbose=False,
    )
    return folder


@pytest.fixture
def call(folder, capsys, monkeypatch):
    """Call genkit in the folder; give what it printed, or of a failure what it said."""
    monkeypatch.chdir(folder)

    def called(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["genkit", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        told = capsys.readouterr()
        assert (ended.value.code or 0) == code, told.err
        return told.out if code == 0 else told.err

    return called


def picture(file, size=(8, 8)):
    Image.new("RGB", size, (200, 30, 30)).save(file)
    return file


def generated(folder, call, *words):
    """Return the samples that a call of generate has written."""
    call("generate", "runs/it", *words, "--format", "npz", "--out", "generated.npz")
    return np.load(folder / "generated.npz")["samples"]


def test_project_writes_styles_that_generate_takes(folder, call):
    files = [picture(folder / "red.png"), picture(folder / "large.png", (24, 24))]
    out = folder / "runs/it/generated/projected"
    said = call("project", "runs/it", *files, "--steps", 5)
    assert said.count("mean squared distance") == 2
    assert sorted(path.name for path in out.iterdir()) == [
        "large.styles", "projected.png", "red.styles",
    ]  # fmt: skip
    with Image.open(out / "projected.png") as drawn:
        assert drawn.width > drawn.height  # a row each: asked for, on the way, found
    samples = generated(folder, call, "--n", 2, "--latent", out / "red.styles")
    np.testing.assert_array_equal(samples[0], samples[1])


@pytest.mark.parametrize(
    ("what", "files"),
    [
        ("truncation", ["truncation.png"]),
        ("mixing", ["mixing.png"]),
        ("walk", ["walk.png", "walk.webp"]),
        ("directions", [f"directions-{number}.png" for number in range(1, 7)]),
    ],
)
def test_styles_draws(folder, call, what, files):
    said = call("styles", "runs/it", what, "--n", 2, "--steps", 3)
    for name in files:
        assert f"runs/it/generated/{name}" in said
        with Image.open(folder / "runs/it/generated" / name) as drawn:
            assert drawn.width >= 8
            assert getattr(drawn, "n_frames", 1) == (6 if name.endswith("webp") else 1)


def test_truncation_and_directions_are_flags_of_generate(folder, call):
    mean = generated(folder, call, "--n", 4, "--truncation-psi", 0)
    assert np.ptp(mean, axis=0).max() < 1e-6
    moved = generated(folder, call, "--n", 1, "--truncation-psi", 0, "--direction", 1)
    assert np.abs(moved - mean[:1]).max() > 1e-4


def test_json_has_what_is_told(folder):
    picture(folder / "red.png")
    words = ["project", "runs/it", "red.png", "--steps", "2", "--json"]
    command = [sys.executable, "-m", "genkit", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["files"] == ["runs/it/generated/projected/red.styles"]
    assert len(told["mean_squared_distance"]) == 1


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (["project", "runs/it", "nowhere.png"], "Expected a picture at nowhere.png", 1),
        (["project", "runs/it", "wide.png"], "square picture; wide.png has 16x8 pixels", 1),
        (["project", "runs/it", "text.png"], "Expected a picture at text.png", 1),
        (["project", "runs/it", "red.png", "--steps", "0"], "--steps of at least 1", 2),
        (["project", "runs/it", "red.png", "red.png"], "pictures of different names", 2),
        (["styles", "runs/it", "--n", "0"], "Expected --n of 1 or more", 2),
        (["styles", "runs/it", "--out", "it.gif"], "Expected --out as a .png file", 2),
        (["generate", "runs/it", "--latent", "text.png"], "no style file of genkit project", 1),
        (["generate", "runs/it", "--label", "1"], "knows no classes", 2),
    ],
)
def test_what_does_not_fit_is_one_line(folder, call, words, told, code):
    picture(folder / "red.png")
    picture(folder / "wide.png", (16, 8))
    (folder / "text.png").write_text("no picture")
    said = call(*words, code=code)
    assert told in " ".join(said.split())
    assert "Traceback" not in said


SMALL_AND_SHORT = "--steps 3 --batch-size 8 --set latent_dim=8 --set base=64 --set most=8"


def test_the_walkthrough_runs(call, tmp_path, monkeypatch):
    script = Path(__file__).parents[1].joinpath("walkthrough.sh").read_text("utf-8")
    assert script.count("--data mode=RGB") == 3
    script = script.replace("--data mode=RGB", f"--data mode=RGB {SMALL_AND_SHORT}")
    script = script.replace("resize=32", "resize=8").replace("me.png", "me.png --steps 3")
    script = script.replace("frozen=2", "frozen=1")
    monkeypatch.chdir(tmp_path)
    for folder in ("faces", "others"):
        Path(folder).mkdir()
        for number, array in enumerate(pictures().arrays["image"]):
            pixels = Image.fromarray((array * 255).astype("uint8"))
            pixels.resize((16, 16)).save(f"{folder}/{number}.png")
    picture(Path("me.png"))
    for line in script.replace("\\\n", "").splitlines():
        if line.startswith("genkit "):
            call(*shlex.split(line)[1:])
    assert Path("plainer/grid.png").is_file()
    assert Path("again/00000.png").is_file()
    assert len(list(Path("moved").iterdir())) == 8
    assert genkit.load("runs/others").config.frozen == 1
