"""The walkthrough of the how-to page, in this process, and what the verbs refuse."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from genkit_text2image.shapes import write_shapes
from PIL import Image
from small import CLIP, DALLE

from genkit import cli

_FLOW = {
    "first_stage": 3,
    "latent_dim": 8,
    "halvings": 1,
    "picture_width": 4,
    "residual_blocks": 0,
    "width": 16,
    "blocks": 1,
    "sampling_steps": 4,
}
_DATA = "--data side=8 --data known=1 --data longest=6 --batch-size 8 --steps 6"


def flags(settings):
    return " ".join(f"--set {name}={value}" for name, value in settings.items())


def short(script):
    """Return the walkthrough with small models and runs of some steps."""
    for model, settings in (("dalle", DALLE), ("clip", CLIP), ("text-flow", _FLOW)):
        assert script.count(f"genkit run {model} ") == 1
        small = f"genkit run {model} {_DATA} {flags(settings)} "
        script = script.replace(f"genkit run {model} ", small)
    return script.replace("--candidates 8", "--candidates 2").replace("judge --", "judge --n 6 --")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with captioned pictures."""
    folder = tmp_path_factory.mktemp("walk")
    (folder / "pictures").mkdir()
    write_shapes(folder / "pictures", items=96, side=12)
    Image.open(folder / "pictures" / "0000.png").save(folder / "half.png")
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


def printed(folder, *words):
    """Return what a command says and the JSON that it prints, in a process of its own."""
    command = [sys.executable, "-m", "genkit", *map(str, words), "--json"]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stderr, json.loads(done.stdout)


def test_the_walkthrough_runs(folder, call):
    script = short(Path(__file__).parents[1].joinpath("walkthrough.sh").read_text("utf-8"))
    said = [
        call(*shlex.split(line)[1:])
        for line in script.replace("\\\n", "").splitlines()
        if line.startswith("genkit ")
    ]
    assert any("other captions" in text and "real pictures" in text for text in said)
    for file in ("chosen/grid.png", "completed/grid.png", "runs/judge/search/red-circle.png"):
        assert (folder / file).is_file()
    with Image.open(folder / "runs/painter/judged/train.png") as drawn:
        assert drawn.height > drawn.width  # real, made and nearest, a row a caption

    _, found = printed(folder, "search", "runs/judge", "red", "--n", 3)
    assert len(found["found"]) == 3
    cosines = [each["cosine"] for each in found["found"]]
    assert cosines == sorted(cosines, reverse=True)
    _, judged = printed(folder, "judge", "runs/painter", "--by", "runs/judge", "--n", 4)
    recall = judged["recall"]
    assert judged["captions"] == 4
    assert all(recall[kind]["R@5"] == 1 for kind in ("real", "generated", "shuffled"))

    for words, told in (
        (("search", "runs/painter", "red"), "search"),
        (("search", "runs/judge", "zebra"), "has none"),
        (("search", "runs/judge", "red", "--dataset", "mnist"), "captioned-folder"),
        (("search", "runs/judge", "red", "--split", "some"), "train"),
        (("judge", "runs/painter", "--by", "runs/flow"), "Expected a run of clip"),
        (("search", "runs/judge", "red", "--out", "a.jpg"), "a .png file"),
        (("judge", "runs/painter", "--by", "gone", "--out", "a.jpg"), "a .png file"),
        (("generate", "runs/painter", "--n", 1), "prompt"),
    ):
        assert told in call(*words, code=2)
    gone = ("generate", "runs/painter", "--prompt", "red", "--image", "gone.png")
    assert "Expected a picture at" in call(*gone, code=1)
    made = call("generate", "runs/painter", "--prompt", "red", "--n", 2, "--format", "npz")
    assert "2 samples" in made
    samples = np.load(folder / "runs/painter/generated/samples.npz")["samples"]
    assert samples.shape == (2, 8, 8, 3)
