"""What comes out: each format holds what was written, in the memory of a batch."""

import csv
import io
import itertools
import json
import tracemalloc
import types
import wave

import numpy as np
import pytest
from PIL import Image

import genkit
from genkit.data import with_vocabulary
from genkit.errors import RunError, UsageError
from genkit.report.archives import read_npz
from genkit.report.clips import ClipRenderer
from genkit.report.images import ImageRenderer
from genkit.report.kept_samples import figure_of
from genkit.report.records import check_installed
from genkit.report.renderers import render_items
from genkit.report.samples import Samples
from genkit.report.sounds import SoundRenderer
from genkit.report.texts import TextRenderer

pytestmark = pytest.mark.once
JOB, ASSETS = with_vocabulary("job", genkit.Field((), "int32", "category"), ["smith", 'a "cook"'])
PEOPLE = genkit.Schema(
    {
        "age": genkit.Field((), "int64", "number", (17, 89), missing=True),
        "job": JOB,
        "born": genkit.Field((), "datetime64[D]", "date", missing=True),
        "key": genkit.Field((), "int64", "id", (2**53, 2**53 + 400)),
        "share": genkit.Field((), "float32", "number", (0, 1)),
    }
)
DAYS = np.array(["1990-02-03", "NaT", "2001-01-01"], "datetime64[D]")
ROWS = {
    "age": np.ma.MaskedArray([20, 30, 40], [False, False, True]),
    "job": np.array([0, 1, 1], np.int32),
    "born": DAYS,
    "key": 2**53 + np.arange(3),
    "share": np.float32([0.1, 0.25, 1]),
}
SOUND = genkit.Schema({"sound": genkit.Field((None,), "float32", "audio", (-1, 1), rate=8000)})
CLIP = genkit.Schema({"clip": genkit.Field((None, 8, 6, 3), "uint8", "video", (0, 255), rate=24)})
TEXT = genkit.Schema({"text": genkit.Field((), "string", "text")})


def samples(schema, assets=None, fields=None, plugins=()):
    fields = fields or tuple(schema.fields)
    model = types.SimpleNamespace(
        schema=schema, assets=assets or {}, output_fields=fields, generated_field=lambda: fields[0]
    )
    return Samples(model, genkit.Registry(plugins=plugins) if plugins else None)


def written(writer, format_, *batches, label=None):
    out = io.BytesIO()
    names = (f"{index:05d}" for index in itertools.count())
    writer.write_to(writer.reviewed(batches, names, label), format_, out)
    return out.getvalue()


def test_rows_are_written_as_people_read_them():
    writer = samples(PEOPLE, ASSETS)
    assert writer.formats() == ["csv", "jsonl", "parquet", "npz"]
    assert written(writer, "csv", ROWS).decode() == (
        "age,job,born,key,share\n"
        "20,smith,1990-02-03,9007199254740992,0.1\n"
        '30,"a ""cook""",,9007199254740993,0.25\n'
        ',"a ""cook""",2001-01-01,9007199254740994,1.0\n'
    )
    first, second, third = map(json.loads, written(writer, "jsonl", ROWS).decode().splitlines())
    assert first == {
        "age": 20, "job": "smith", "born": "1990-02-03", "key": 2**53, "share": 0.1
    }  # fmt: skip
    assert (second["key"], second["born"], third["age"]) == (2**53 + 1, None, None)


def test_classes_may_be_presented_by_name():
    named = {**ROWS, "job": np.array(["smith", 'a "cook"', 'a "cook"'], object)}
    writer = samples(PEOPLE, ASSETS)
    assert written(writer, "csv", named) == written(writer, "csv", ROWS)
    with np.load(io.BytesIO(written(writer, "npz", named))) as archive:
        assert archive["job"].tolist() == [0, 1, 1]


def test_parquet_keeps_types_and_what_is_missing(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "rows.parquet"
    file.write_bytes(written(samples(PEOPLE, ASSETS), "parquet", ROWS, ROWS))
    table = pq.read_table(file)
    kinds = [str(field.type) for field in table.schema]
    assert kinds == ["int64", "string", "date32[day]", "int64", "float"]
    assert table["age"].to_pylist() == [20, 30, None] * 2
    assert table["born"].to_pylist() == [DAYS[0].item(), None, DAYS[2].item()] * 2
    assert table["key"].to_pylist() == [2**53, 2**53 + 1, 2**53 + 2] * 2
    assert table["job"].to_pylist() == ["smith", 'a "cook"', 'a "cook"'] * 2


def test_parquet_says_what_to_install(monkeypatch):
    monkeypatch.setattr("genkit.report.records.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'genkit-keras\[parquet\]'"):
        check_installed("parquet")


def test_an_archive_holds_rows_with_what_is_missing_and_sounds_with_their_lengths(tmp_path):
    file = tmp_path / "a.npz"
    file.write_bytes(written(samples(PEOPLE, ASSETS), "npz", ROWS, ROWS))
    read = read_npz(file)
    np.testing.assert_array_equal(read["born"], np.tile(DAYS, 2))
    assert read["age"].tolist() == [20, 30, None] * 2
    sounds = [np.float32([0, 1]), np.float32([0.5]), np.float32([])]
    file.write_bytes(written(samples(SOUND), "npz", {"sound": sounds}, label=3))
    read = read_npz(file)
    assert [item.tolist() for item in read["samples"]] == [[0, 1], [0.5], []]
    assert read["label"].tolist() == [3, 3, 3]


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8"])
@pytest.mark.parametrize("channels", [(), (2,)])
def test_sounds_come_back_from_wav(tmp_path, dtype, channels):
    limits = {"float32": (-1, 1), "int16": (-32768, 32767), "uint8": (0, 255)}[dtype]
    field = genkit.Field((None, *channels), dtype, "audio", limits, rate=11025)
    renderer = SoundRenderer(genkit.Schema({"sound": field}), "sound")
    sound = np.random.default_rng(0).uniform(*limits, (700, *channels)).astype(dtype)
    renderer.write(sound, tmp_path / "a.wav")
    with wave.open(str(tmp_path / "a.wav")) as opened:
        assert (opened.getframerate(), opened.getnframes()) == (11025, 700)
    again = renderer.read(tmp_path / "a.wav")
    assert (again.shape, again.dtype) == (sound.shape, sound.dtype)
    if dtype == "float32":
        np.testing.assert_allclose(again, sound, atol=2**-15)
    else:
        np.testing.assert_array_equal(again, sound)
    assert np.ptp(renderer.blank()) == 0
    assert renderer.blank().flat[0] == {"float32": 0, "int16": 0, "uint8": 128}[dtype]


def test_a_sound_that_is_too_loud_becomes_quieter_as_a_whole_and_nan_is_refused(tmp_path):
    renderer = SoundRenderer(SOUND, "sound")
    loud = np.float32([0, 1, -4, 2])
    renderer.write(loud, tmp_path / "a.wav")
    np.testing.assert_allclose(renderer.read(tmp_path / "a.wav"), loud / 4, atol=2**-15)
    with pytest.raises(RunError, match="finite"):
        renderer.write(np.float32([0, np.nan]), tmp_path / "b.wav")
    assert not (tmp_path / "b.wav").exists()


def test_clips_come_back_from_webp_with_their_time_and_equal_frames(tmp_path):
    renderer = ClipRenderer(CLIP, "clip")
    frames = np.random.default_rng(0).integers(0, 256, (9, 8, 6, 3)).astype("uint8")
    frames[3:6] = frames[3]
    renderer.write(frames, tmp_path / "a.webp")
    np.testing.assert_array_equal(renderer.read(tmp_path / "a.webp"), frames)
    with Image.open(tmp_path / "a.webp") as opened:
        lasting = []
        for place in range(opened.n_frames):
            opened.seek(place)
            opened.load()
            lasting.append(opened.info["duration"])
    assert sum(lasting) == 9 * 1000 // 24


@pytest.mark.parametrize("ending", ["png", "webp"])
def test_images_come_back_without_loss(tmp_path, ending):
    image = genkit.Schema({"image": genkit.Field((8, 6, 3), "uint8", "image", (0, 255))})
    renderer = ImageRenderer(image, "image")
    item = np.random.default_rng(0).integers(0, 256, (8, 6, 3)).astype("float32")
    renderer.write(item, tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(renderer.read(tmp_path / f"a.{ending}"), item)


def test_text_comes_back_whatever_is_in_it(tmp_path):
    writer = samples(TEXT)
    assert writer.formats() == ["txt", "csv", "jsonl", "parquet"]
    texts = np.array(["two\nlines", "back\\slash\\n", "", "\r tab\t", "ünï\u2028"], object)
    file = tmp_path / "a.txt"
    file.write_bytes(written(writer, "txt", {"text": texts[:2]}, {"text": texts[2:]}))
    assert len(file.read_bytes().split(b"\n")) == 6
    assert TextRenderer(TEXT, "text").read(file) == list(texts)
    kept = file.rename(tmp_path / "00000007.txt")
    assert "two\nlines</li>" in figure_of(kept), "as the page of a report shows it"
    rows = list(csv.reader(io.StringIO(written(writer, "csv", {"text": texts}).decode())))
    assert rows == [["text"], *([text] for text in texts)]


def test_numbers_of_a_vocabulary_are_shown_as_text():
    for names, numbers, wanted in (
        (("<end>", " ", "a", "b"), [2, 1, 3, 0], "a b"),
        (("[PAD]", "well", "done"), [1, 2, 0], "well done"),
        (("the ", "cat"), [0, 1], "the cat"),
    ):
        field, assets = with_vocabulary("text", genkit.Field((None,), "int32", "text"), names)
        renderer = TextRenderer(genkit.Schema({"text": field}), "text", assets)
        assert renderer.text(np.array(numbers)) == wanted


def test_a_captioned_picture_is_a_row_that_names_its_file(tmp_path):
    photo = genkit.Field((8, 8, 1), "uint8", "image", (0, 255))
    writer = samples(genkit.Schema({"photo": photo, **TEXT.fields}))
    assert writer.formats() == ["jsonl", "csv", "parquet"]
    assert not writer.in_one_file("jsonl")
    items = {"photo": np.zeros((2, 8, 8, 1)), "text": np.array(["a", "b"], object)}
    files = writer.write(writer.reviewed([items], iter(["0", "1"])), "jsonl", tmp_path)
    assert [file.name for file in files] == ["samples.jsonl", "0.photo.png", "1.photo.png"]
    rows = [json.loads(line) for line in files[0].read_text().splitlines()]
    assert rows == [{"photo": "0.photo.png", "text": "a"}, {"photo": "1.photo.png", "text": "b"}]
    assert writer.write_overview(items, tmp_path / "1").name == "1.png"
    shown = render_items(writer.schema, items, "Pictures")
    assert shown.count("<img") == 2
    assert "text: b" in shown


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet", "npz"])
def test_rows_take_the_memory_of_a_batch(tmp_path, format_):
    if format_ == "parquet":
        pytest.importorskip("pyarrow")
    writer, n = samples(PEOPLE, ASSETS), 4096
    batch = {name: rows[np.zeros(n, int)] for name, rows in ROWS.items()}
    peaks = []
    for count in (2, 40):
        tracemalloc.start()
        with (tmp_path / "a").open("wb") as out:
            batches = itertools.repeat(batch, count)
            writer.write_to(writer.reviewed(batches, itertools.repeat("")), format_, out)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 6_000_000


def test_a_class_that_was_asked_for_is_a_column():
    label = genkit.Field((), "int32", "label", classes=("calm", "loud"))
    writer = samples(genkit.Schema({**TEXT.fields, "label": label}), fields=("text",))
    made = written(writer, "csv", {"text": np.array(["a"], object)}, label=1)
    assert made == b"label,text\nloud,a\n"
