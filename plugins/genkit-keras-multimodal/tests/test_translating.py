"""A trained model translates: from Python, from files, on the command line."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import genkit


@pytest.fixture
def there(folder, monkeypatch):
    """Stand in the folder of the run."""
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def data(folder):
    """Return the run's test pairs."""
    source = genkit.open_data(folder / "it", unseen=True)
    return source.gather(np.arange(len(source)))


def test_a_picture_gives_its_label_and_the_label_such_pictures(folder, data):
    model = genkit.load(folder / "it")
    labels = model.translate({"image": data["image"]}, n=1)["label"][:, 0]
    assert (labels == data["label"]).mean() > 0.6
    pictures = model.translate({"label": np.arange(10, dtype="int32")}, n=8)["image"]
    means = np.stack([data["image"][data["label"] == each].mean(0) for each in range(10)])
    distance = np.square(pictures.mean(axis=1)[:, None] - means[None]).sum(axis=(2, 3, 4))
    assert (distance.argmin(axis=1) == np.arange(10)).mean() >= 0.7


def test_the_answers_of_a_file_are_written(there, data, call):
    seven = data["image"][data["label"] == 7][0, ..., 0]
    Image.fromarray((seven * 15.9).astype("uint8")).resize((80, 80), 0).save("seven.png")
    said = call("translate", "it", "--from", "image=seven.png", "--n", 5)
    assert said.startswith("5 of label: ")
    out = there / "it/generated/translated"
    lines = (out / "samples.csv").read_text().splitlines()
    assert lines[0] == "label"
    assert said.splitlines()[1] == f"label: {' '.join(lines[1:])}"


def test_a_class_gives_pictures_and_a_sheet(there, call):
    call("translate", "it", "--from", "label=3", "--to", "image", "--n", 4, "--out", "threes")
    files = sorted(path.name for path in (there / "threes").iterdir())
    assert files == [*(f"00000-{n:02d}.png" for n in range(4)), "translated.png"]
    with Image.open(there / "threes/translated.png") as sheet:
        assert sheet.size == (5 * 66 - 2, 64)
    again = call(
        "translate", "it", "--from", "label=3", "--to", "image", "--n", 4, "--out", "again"
    )
    assert "4 of image: again" in again
    assert (there / "again/00000-03.png").read_bytes() == (
        there / "threes/00000-03.png"
    ).read_bytes()


def test_items_of_the_test_data_are_taken_where_none_is_named(there, call):
    words = [
        "translate",
        "it",
        "--from",
        "image",
        "--to",
        "image,label",
        "--items",
        "3",
        "--n",
        "2",
    ]
    told = json.loads(
        subprocess.run(
            [sys.executable, "-m", "genkit", *words, "--json"],
            capture_output=True, text=True, check=True,
        ).stdout
    )  # fmt: skip
    assert (told["items"], told["made"]) == (3, ["image", "label"])
    assert [len(row) for row in told["classes"]["label"]] == [2, 2, 2]
    assert len([f for f in told["files"] if f.endswith(".png")]) == 6


def test_a_walk_crosses_fields(there, call):
    said = call(
        "translate", "it", "--from", "label=0", "--until", "label=1", "--n", 6, "--out", "walk"
    )
    assert "6 of image, label" in said
    with Image.open(there / "walk/translated.png") as sheet:
        assert sheet.width == 13 * 66 - 2  # what is given, then six pictures and six labels


def test_generate_makes_all_fields_of_an_item(there, call):
    call("generate", "it", "--n", 6, "--out", "both")
    rows = [json.loads(line) for line in (there / "both/samples.jsonl").read_text().splitlines()]
    assert {row["label"] for row in rows} <= set("0123456789")
    assert all((there / "both" / row["image"]).is_file() for row in rows)


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (["--from", "picture"], "Expected a field of the model, image, label", 2),
        (["--from", "label=ten"], "Expected label as one of 0, 1, 2", 2),
        (["--from", "image=nowhere.png"], "Expected a picture at nowhere.png", 1),
        (["--from", "image=text.png"], "Expected a picture at text.png", 1),
        (["--from", "image", "--from", "label=3"], "of each field that is given, or of none", 2),
        (["--from", "label=3", "--from", "label=4"], "and each once", 2),
        (["--from", "image", "--to", "sound"], "received 'sound'", 2),
        (["--from", "image", "--n", "0"], "--n and --items of at least 1", 2),
        (["--from", "label=3", "--until", "label=4", "--to", "image"], "--until without --to", 2),
    ],
)
def test_what_does_not_fit_is_one_line(there, call, words, told, code):
    (there / "text.png").write_text("no picture")
    said = call("translate", "it", *words, code=code)
    assert told in " ".join(said.split())
    assert "Traceback" not in said
