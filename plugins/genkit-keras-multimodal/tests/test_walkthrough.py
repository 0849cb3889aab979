"""The walkthrough that the pages show, at a small size."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from genkit_multimodal.data.fsdd import write_fake
from genkit_multimodal.wav import write_wav
from PIL import Image

SMALL = "--steps 3 --batch-size 8 --data limit=80 --set latent_dim=4 --set width=4 --set hidden=8"


@pytest.mark.filterwarnings("ignore:.*the fewer are there several times:UserWarning")
def test_the_walkthrough_runs(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENKIT_DATA", str(tmp_path))
    (tmp_path / "fsdd").mkdir()
    write_fake(tmp_path / "fsdd")
    write_wav(np.sin(np.arange(4000)) / 2, tmp_path / "seven.wav")
    Image.new("L", (40, 40), 200).save("digit.png")
    script = Path(__file__).parents[1].joinpath("walkthrough.sh").read_text("utf-8")
    assert script.count(" --name ") == 2
    script = script.replace(" --name ", f" {SMALL} --name ")
    script = script.replace("coherence,bounds", "coherence,bounds --n 64")
    said = [
        call(*shlex.split(line)[1:])
        for line in script.replace("\\\n", "").splitlines()
        if line.startswith("genkit ")
    ]
    assert len(said) == 9
    assert (tmp_path / "runs/spoken/generated/translated/translated.png").is_file()
    assert len(list((tmp_path / "runs/spoken/generated").glob("*.audio.wav"))) == 16
    figures = (tmp_path / "runs/spoken/evaluation.json").read_text()
    assert "coherence (image from audio)" in figures
