"""The commands of the README and the how-to page run as they stand there, one after the other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from genkit_language.score import Score, read_text, score
from genkit_language.shaded import MOST_SHOWN, shaded_page
from small import LINES, write_text

import genkit
from genkit.errors import DataError

# What runs for a moment is compiled fast: XLA takes half as long without optimisation.
FAST = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
SCRIPT = Path(__file__).parents[1] / "walkthrough.sh"
TUTORIAL = SCRIPT.with_name("tutorial.sh")
SMALL = "--set width=32 --set layers=1 --set context=32 --steps 40"


def run_script(script, steps, folder):
    """Run a script of the pages in a folder, its models so small that it takes a moment."""
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    text = script.read_text(encoding="utf-8")
    assert steps in text
    done = subprocess.run(
        ["bash", "-ec", text.replace(steps, SMALL)],
        cwd=folder,
        env={**os.environ, **FAST, "PATH": scripts, "KERAS_BACKEND": keras.config.backend()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which all was done."""
    folder = tmp_path_factory.mktemp("walkthrough")
    write_text(folder).rename(folder / "letters.txt")
    sums = "".join(f"{a} and {b},{a + b}\n" for a in range(9) for b in range(9))
    (folder / "sums.csv").write_text(f"sum,is\n{sums}")
    (folder / "letter.txt").write_text(f"{LINES[0]}.\nthe lazy dog.\n")
    return folder, run_script(SCRIPT, "--steps 300", folder)


def test_the_walkthrough_runs(place):
    folder, told = place
    assert "the quick " in told
    assert "nats a character" in told
    texts = (folder / "texts.txt").read_text().splitlines()
    assert len(texts) == 3
    assert all(text.startswith("a stitch") for text in texts)
    assert all("." not in text[:-1] for text in texts)
    rows = [
        json.loads(line)["text"] for line in (folder / "beginnings.jsonl").read_text().splitlines()
    ]
    beginnings = ("the quick", "a stitch in")
    assert [
        row[: len(begun)] for row, begun in zip(rows, np.repeat(beginnings, 2), strict=True)
    ] == np.repeat(beginnings, 2).tolist()
    assert "2 and 3\n" in told
    assert "shaded" in (folder / "letter.html").read_text()


def test_the_tutorial_runs(tmp_path):
    told = run_script(TUTORIAL, "--steps 400 --validate-every 200", tmp_path)
    assert told.count("ROMEO:") == 3
    assert told.count("JULIET:") == told.count("My lord,") - 1 == 2
    assert "nats a character" in told
    assert "copied-32" in told


def test_a_score_is_the_sum_of_all_surprise(place):
    folder, _ = place
    model = genkit.load(folder / "runs" / "letters")
    context, text = model.config.context, "well begun is half done.\n"
    found = model.score(text)
    assert "".join(found.pieces) == text
    numbers = np.array([model.first_token, *model.tokenizer.encode(text)], "int32")
    window = np.pad(numbers, (0, context + 1 - len(numbers)))[None]
    right = model.map_items("surprise", window=window)[0, : len(text)]
    np.testing.assert_allclose(found.nats, right, atol=1e-5)
    figures = found.figures
    assert figures["nats_per_character"] == pytest.approx(float(right.mean()), abs=1e-5)
    assert figures["bits_per_character"] == pytest.approx(figures["nats_per_token"] / np.log(2))


def test_a_long_text_is_foretold_from_half_a_context_on(place):
    folder, _ = place
    model = genkit.load(folder / "runs" / "letters")
    half, text = model.config.context // 2, (f"{LINES[2]}.\n{LINES[1]}.\n" * 30)[:1111]
    found = model.score(text)
    assert len(found.nats) == found.characters == 1111
    numbers = np.array([model.first_token, *model.tokenizer.encode(text)], "int32")
    for place_ in (5 * half, 5 * half + half - 1, 1110):
        start = place_ // half * half - half
        window = np.pad(numbers, (0, 2 * half))[None, start : start + 2 * half + 1]
        right = model.map_items("surprise", window=window)[0, place_ - start]
        assert found.nats[place_] == pytest.approx(float(right), abs=1e-5)


def test_a_page_is_escaped_and_cut_and_says_so():
    found = Score(["<b>", "&", "a"] * 10_000, np.zeros(30_000), 30_000)
    page = shaded_page(found, "<i>", {"nats_per_token": 0.5})
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;b&gt;" in page
    assert "nats per token 0.5000" in page
    assert page.count("<span") == MOST_SHOWN
    assert "10,000 are left out" in page


def test_what_surprises_is_shaded():
    page = shaded_page(Score(["a", "b"], np.array([0.0, 20.0]), 2), "t", {})
    assert 'title="0.00 nats" style="background:rgba(230,120,0,0.00)">a<' in page
    assert 'title="20.00 nats" style="background:rgba(230,120,0,0.80)">b<' in page


@pytest.mark.parametrize(
    ("content", "told"), [(b"\xff", "no UTF-8"), (b"a\0", "NUL"), (None, "no such file")]
)
def test_a_file_that_is_no_text_is_not_scored(tmp_path, content, told):
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_text(path)
    with pytest.raises(DataError, match="is a folder"):
        read_text(tmp_path)
    with pytest.raises(DataError, match="received none"):
        score(None, "")


def test_json_has_each_part(place):
    folder, _ = place
    command = [sys.executable, "-m", "genkit", "score", "runs/letters", "letter.txt", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert "".join(part["text"] for part in told["parts"]) == (folder / "letter.txt").read_text()
    assert told["characters"] == told["tokens"] == len(told["parts"])
    assert (folder / told["path"]).is_file()
