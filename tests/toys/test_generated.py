"""What the toys generate: rows of a table by condition, pictures with their captions."""

import numpy as np
import pytest
import typer

import genkit
from genkit.cli import app
from genkit.data import items_of
from genkit.errors import UsageError
from tests.toys.beeps import RATE
from tests.toys.people import JOBS
from tests.toys.postcards import WORDS
from tests.toys.test_toys import built, opened

pytestmark = pytest.mark.usefixtures("active_backend")


@pytest.fixture(scope="module")
def rows(active_backend):
    source = opened("people")
    model = built("rows", source)
    model.fit(source, steps=30, batch_size=16, verbose=False)
    return model


def test_a_row_has_all_columns_as_people_hold_them(rows):
    table = rows.generate(300, seed=1)
    assert list(table) == ["age", "job", "joined", "key", "planet"]
    assert set(table["job"]) <= set(JOBS)
    assert (table["key"].dtype, table["joined"].dtype) == (np.int64, np.dtype("datetime64[D]"))
    assert table["key"].min() >= 2**53
    assert len(set((table["key"] % 2).tolist())) == 2, "beyond 2^53 floats are even"
    assert {*table["planet"].tolist()} == {3}
    ages = table["age"]
    assert ages.mask.any()
    assert 17 <= ages.min() <= ages.max() <= 89


def test_a_column_may_be_asked_for_and_the_others_follow(rows):
    for job in ("job 00042", 1999):
        table = rows.generate(20, seed=1, given={"job": job})
        assert set(table["job"]) == {JOBS[job] if isinstance(job, int) else job}
    jobs = [None, "job 00001", None]
    asked, free = rows.generate(3, seed=1, given={"job": jobs}), rows.generate(3, seed=1)
    assert asked["job"][1] == "job 00001"
    assert (asked["job"][[0, 2]] == free["job"][[0, 2]]).all()
    with pytest.raises(UsageError, match="Expected job to be one of .*; received 'job 2000'"):
        rows.generate(1, given={"job": "job 2000"})


def test_noise_of_rows_is_drawn_many_at_once(rows, monkeypatch):
    sizes, draw = [], rows.noise

    def counted(rng, n):
        sizes.append(n)
        return draw(rng, n)

    monkeypatch.setattr(rows, "noise", counted)
    rows.generate(2 * rows.noise_block)
    assert sizes == [rows.noise_block] * 2
    assert rows.noise_block >= 1000


def test_a_picture_comes_with_its_caption(active_backend):
    source = opened("postcards")
    model = built("collage", source)
    model.fit(source, steps=150, batch_size=16, verbose=False)
    cards = model.generate(200, seed=1)
    assert cards["picture"].shape == (200, 6, 6, 1)
    assert {word for text in cards["caption"] for word in text.split()} <= set(WORDS)
    assert len({len(text.split()) for text in cards["caption"]}) > 1, "captions vary in length"
    # What is said of the place is true of the picture beside it.
    halves = cards["picture"][:, :3].sum((1, 2, 3)) > cards["picture"][:, 3:].sum((1, 2, 3))
    assert np.mean(halves == np.array(["top" in text for text in cards["caption"]])) > 0.7


def heard(sounds):
    """Return 20 quantiles of the loudest frequency, in hertz, and of the length, in samples."""
    spectra = [np.abs(np.fft.rfft(s * np.hanning(len(s)), 1 << 13)) for s in sounds if len(s) >= 32]
    loudest = [spectrum.argmax() * RATE / (1 << 13) for spectrum in spectra]
    places = np.linspace(0, 1, 20)
    return np.quantile(loudest, places), np.quantile([len(sound) for sound in sounds], places)


@pytest.mark.once
def test_a_model_of_sound_learns_how_high_and_how_long_beeps_are():
    source = opened("beeps")
    real = heard(items_of(source.gather(np.arange(100)), source.schema, "sound"))
    model = built("chime", source)
    apart = []
    for steps in (None, 400):
        if steps:
            model.fit(source, steps=steps, batch_size=32, verbose=False)
        made = heard(model.generate(200, seed=1))
        apart.append([np.mean(np.abs(a - b)) for a, b in zip(made, real, strict=True)])
    (untrained_hertz, untrained_length), (hertz, length) = apart
    assert hertz < 200
    assert untrained_hertz > 500
    assert length < 25
    assert untrained_length > 30


@pytest.mark.slow
def test_the_command_line_writes_all_fields_of_items_that_meet_a_condition(
    tmp_path, active_backend
):
    command = typer.main.get_command(app)
    runs = {
        name: genkit.train(name, steps=5, batch_size=16, runs_dir=tmp_path, backend=active_backend,
                           verbose=False).path
        for name in ("rows", "collage")
    }  # fmt: skip
    out = tmp_path / "out" / "samples.csv"
    table = ["--format", "csv", "--out", str(out.parent)]
    where = ["--where", "job=job 00042", "--n", "3", *table]
    command(["generate", str(runs["rows"]), *where], standalone_mode=False)
    head, *lines = out.read_text().splitlines()
    assert head == "age,job,joined,key,planet"
    assert [line.split(",")[1] for line in lines] == ["job 00042"] * 3
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("job\njob 00001\n1999\n")
    given = ["--given", str(seeds), *table]
    command(["generate", str(runs["rows"]), *given], standalone_mode=False)
    lines = out.read_text().splitlines()[1:]
    assert [line.split(",")[1] for line in lines] == ["job 00001", JOBS[1999]]

    command(["generate", str(runs["collage"]), "--n", "2"], standalone_mode=False)
    written = {file.name for file in (runs["collage"] / "generated").iterdir()}
    assert {"samples.jsonl", "00000.picture.png", "00001.picture.png"} <= written
