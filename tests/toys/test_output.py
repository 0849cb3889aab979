"""What models of other modalities write: reports that play, rows and text in files and pipes."""

import csv
import io
import json
import os
import subprocess
import sys
import wave

import numpy as np
import pytest
from PIL import Image

import genkit
from genkit.errors import GenkitError
from genkit.plugins.registry import Registry, using
from genkit.report.page import write_report
from genkit.report.refilling import MOST_IN_A_ROW, Refilling, Request
from genkit.report.samples import Samples
from tests.browser import DESK, PHONE
from tests.compiling import FAST
from tests.torture.nursery import Nursery
from tests.toys.makers import NoShouting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
]
MAKERS = ("hum", "babble", "reel", "crowd")


@pytest.fixture(scope="module")
def installed(toys, tmp_path_factory):
    """The models as a distribution of their own, beside that of the toys."""
    site = tmp_path_factory.mktemp("makers")
    folder = site / "genkit_keras_makers-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: genkit-keras-makers\nVersion: 1.0\n"
    )
    (folder / "entry_points.txt").write_text("[genkit.plugins]\nmakers = tests.toys.makers\n")
    sys.path.insert(0, str(site))
    with using(Registry()):
        yield {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    sys.path.remove(str(site))


@pytest.fixture(scope="module")
def runs(installed, tmp_path_factory, active_backend):
    """A run of each model, logged for TensorBoard, with its report beside."""
    folder = tmp_path_factory.mktemp("runs")
    for name in MAKERS:
        made = genkit.train(
            name, runs_dir=folder, backend=active_backend, verbose=False, sample_every=2,
            log=["tensorboard"],
        )  # fmt: skip
        made.path.rename(folder / name)
        write_report([folder / name], folder / f"{name}.html")
    return folder


@pytest.fixture(scope="module")
def warm(installed, active_backend):
    with Nursery(active_backend, installed) as nursery:
        yield nursery


@pytest.fixture
def command(installed, runs, warm):
    """Run a command where the models are installed; a fresh process gives bytes."""

    def run(*arguments, text=True):
        if text:
            return warm.run(arguments, runs, {FAST: "1"})
        return subprocess.run(
            [sys.executable, "-m", "genkit", *map(str, arguments)],
            cwd=runs, env=installed, capture_output=True, timeout=300, check=False,
        )  # fmt: skip

    return run


PLAYED = """
async () => {
  const found = [];
  for (const audio of document.querySelectorAll("audio")) {
    if (!(audio.duration > 0))
      await new Promise(done => { audio.onloadedmetadata = audio.onerror = done; audio.load(); });
    audio.muted = true;
    await audio.play();
    found.push([audio.duration, audio.error, audio.getBoundingClientRect().width]);
  }
  return found;
}
"""


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_sounds_of_a_report_play(opened, runs, size):
    with opened(runs / "hum.html", size) as page:
        found = page.evaluate(PLAYED)
        assert len(found) > 24
        assert all(duration > 0 and not error for duration, error, _ in found), found
        assert all(width > 60 for _, _, width in found)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.complaints == []
        assert len([url for url in page.requests if url.startswith("file:")]) == 1


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_clips_of_a_report_move(opened, runs, size):
    with opened(runs / "reel.html", size) as page:
        image = page.locator("#real-against-generated img").last
        shots = set()
        for _ in range(6):
            shots.add(image.screenshot())
            page.wait_for_timeout(110)
        assert len(shots) > 1
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.complaints == []


def test_players_need_no_scripts_and_clips_stand_still_for_who_asks(browser, runs):
    context = browser.new_context(java_script_enabled=False, reduced_motion="reduce")
    page = context.new_page()
    page.goto((runs / "hum.html").as_uri())
    player = page.locator("audio").first
    assert player.get_attribute("controls") is not None
    assert player.bounding_box()["height"] > 20
    page.goto((runs / "reel.html").as_uri())
    image = page.locator("#real-against-generated img").last
    first = image.screenshot()
    page.wait_for_timeout(300)
    assert image.screenshot() == first
    context.close()


def test_a_page_lets_nothing_in_but_what_it_holds(runs):
    page = (runs / "hum.html").read_text()
    assert "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'\"" in page


def test_runs_keep_samples_in_the_form_of_their_modality(runs):
    kept = {name: [file.name for file in sorted((runs / name / "samples").iterdir())]
            for name in MAKERS}  # fmt: skip
    endings = {"hum": "wav", "babble": "txt", "reel": "webp", "crowd": "csv"}
    assert kept == {
        name: [f"{step:08d}.{ending}" for step in (1, 2, 4)] for name, ending in endings.items()
    }
    for name in MAKERS:
        attached = (runs / name / "report.html").read_text()
        assert "Step 4" in attached


def test_tensorboard_shows_sounds_clips_and_text(runs):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = {name: EventAccumulator(str(runs / name / "tensorboard")).Reload() for name in MAKERS}
    sounds = read["hum"].Audio("samples")
    assert [sound.step for sound in sounds] == [1, 2, 4]
    assert (sounds[0].sample_rate, sounds[0].content_type) == (8000, "audio/wav")
    clip = read["reel"].Images("samples")[0]
    with Image.open(io.BytesIO(clip.encoded_image_string)) as picture:
        assert (picture.format, picture.n_frames) == ("GIF", 12)
    for name in ("babble", "crowd"):
        (text,) = read[name].Tensors("samples")[0].tensor_proto.string_val
        kept = next((runs / name / "samples").glob("00000001.*"))
        assert text.decode().splitlines()[0].strip() == kept.read_text().splitlines()[0].strip()


def test_what_can_be_read_is_printed_and_the_rest_goes_into_files(command, runs):
    done = command("generate", "babble", "--n", 4)
    assert done.returncode == 0, done.stderr
    assert "Refused" in done.stderr
    whole = command("generate", "babble", "--n", 4, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["text"] for line in whole] == done.stdout.splitlines()
    rows = list(csv.reader(io.StringIO(command("generate", "crowd", "--n", 3).stdout)))
    assert rows[0] == ["age", "job", "joined", "planet"]
    assert rows[1][1].startswith("job ")
    done = command("generate", "hum", "--n", 2, "--json")
    assert [file.split("/")[-1] for file in json.loads(done.stdout)["files"]] == [
        "00000.wav", "00001.wav"
    ]  # fmt: skip


def test_a_pipe_takes_what_is_one_file(command, runs):
    one = command("generate", "hum", "--n", 1, "--out", "-", text=False).stdout
    with wave.open(io.BytesIO(one)) as opened_:
        assert opened_.getnframes() * 2 + 44 == len(one)
    done = command("generate", "hum", "--n", 2, "--out", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert "wav has a file for each item. Take --n 1, or --format npz." in done.stderr
    many = command("generate", "hum", "--n", 2, "--out", "-", "--format", "npz", text=False).stdout
    with np.load(io.BytesIO(many)) as archive:
        assert archive["samples_length"].sum() == len(archive["samples"])
    done = command("generate", "babble", "--out", "-", "--json")
    assert done.returncode == 2
    assert "not both" in json.loads(done.stdout)["message"]


def test_a_file_tells_its_format_and_stays_as_it_was_where_writing_fails(command, runs):
    file = runs / "rows.csv"
    assert command("generate", "crowd", "--n", 3, "--out", file).returncode == 0
    assert len(file.read_text().splitlines()) == 4
    before = file.read_text()
    done = command("generate", "crowd", "--n", 0, "--out", file)
    assert (done.returncode, file.read_text()) == (2, before)
    done = command("generate", "crowd", "--n", 3, "--out", file, "--format", "jsonl")
    assert "a file of the format jsonl" in done.stderr
    done = command("generate", "crowd", "--n", 3, "--format", "png")
    assert "error: Expected --format csv, jsonl, parquet, npz; received 'png'." in done.stderr
    assert not list(runs.glob(".*partial"))


def test_refused_items_are_replaced_in_their_places(command, runs):
    plain = command("generate", "babble", "--n", 12).stdout.splitlines()
    done = command("generate", "babble", "--n", 12, "--refill")
    full = done.stdout.splitlines()
    assert len(plain) < len(full) == 12
    assert not any("t" in line for line in full)
    assert "and replaced: no-t: has a t" in done.stderr
    kept = iter(full)
    assert all(line in kept for line in plain)


def test_a_reviewer_that_refuses_all_ends_with_an_error(runs, monkeypatch):
    monkeypatch.setattr(NoShouting, "review", lambda self, items: ["no"] * len(items))
    model = genkit.load(runs / "babble")
    writer = Samples(model)

    request = Request(model, 4, seed=0)
    found = writer.reviewed(request.items(), iter("abcd"))
    with pytest.raises(GenkitError, match=r"refused 1,0\d\d items in a row.*no-t: no"):
        list(Refilling(writer.review, request).all_of(found))
    assert writer.review.told()["n"] >= MOST_IN_A_ROW


def test_a_reader_that_goes_away_ends_it_in_silence(installed, runs):
    words = "-m genkit generate babble --n 5000000 --out -"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} {words} | head -n 2"],
        cwd=runs, capture_output=True, text=True, env=installed, timeout=300, check=False,
    )  # fmt: skip
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert "error" not in done.stderr.lower()
