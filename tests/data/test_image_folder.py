import contextlib
import json
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genkit.builtin.datasets import image_files
from genkit.builtin.datasets.image_folder import ImageFolderConfig
from genkit.data import Loader
from genkit.data import source as source_module
from genkit.errors import DataError, UsageError
from genkit.plugins import config as config_module
from genkit.plugins.specs import Field
from tests.data.folders import images_of, opened, paint


def describe(folder, *lines):
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "metadata.jsonl").write_text(text)


def test_png_and_jpeg_are_found_in_the_order_of_their_paths(tmp_path):
    paint(tmp_path / "b.png", colour=(2, 2, 2))
    paint(tmp_path / "a.JPG", colour=(1, 1, 1))
    paint(tmp_path / "deep" / "er" / "c.jpeg", colour=(3, 3, 3))
    (tmp_path / "notes.txt").write_text("not an image")
    paint(tmp_path / ".hidden.png", size=(1, 1))
    source = opened(tmp_path)
    assert images_of(source)[:, 0, 0, 0].tolist() == [1, 2, 3]
    assert source.schema.fields == {"image": Field((4, 6, 3), "uint8", "image", (0, 255))}
    assert source.skipped == 0


def test_captions_come_from_the_metadata(tmp_path):
    paint(tmp_path / "a.png")
    paint(tmp_path / "sub" / "b.png")
    paint(tmp_path / "c.png")
    describe(
        tmp_path,
        {"file_name": "sub/b.png", "text": "ein Stück", "more": [1]},
        "",
        {"file_name": "./a.png", "text": "one"},
    )
    source = opened(tmp_path)
    assert source.gather(np.arange(3))["caption"].tolist() == ["one", "", "ein Stück"]
    assert source.schema["caption"] == Field((), "string", "text")
    with Loader(source, batch_size=2, seed=0) as loader:
        assert next(loader).keys() == {"image"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"file_name": "a.png"', "line 2"),
        ("[1, 2]", "line 2 .*no object"),
        ("[" * 100_000, "line 2"),
        ({"text": "x"}, 'line 2 .*no "file_name"'),
        ({"file_name": "a.png", "text": 3}, 'line 2 .*"text" is no string'),
        ('{"file_name": "a.png", "text": "\\ud800"}', "line 2"),
        ({"file_name": "../a.png", "text": "x"}, "line 2 .*outside the folder"),
        ({"file_name": "/etc/a.png", "text": "x"}, "line 2 .*outside the folder"),
        ({"file_name": "missing.png", "text": "x"}, "line 2 .*is not there"),
        ({"file_name": "x" * 5000, "text": "x"}, "line 2"),
        ({"file_name": "b.png", "text": "again"}, "line 2 .*a second time"),
    ],
)
def test_a_broken_line_of_metadata_is_named(tmp_path, line, message):
    paint(tmp_path / "a.png")
    paint(tmp_path / "b.png")
    describe(tmp_path, {"file_name": "b.png", "text": "fine"}, line)
    with pytest.raises(DataError, match=message):
        opened(tmp_path)


def test_what_is_transparent_becomes_white(tmp_path):
    paint(tmp_path / "1.png", mode="RGBA", colour=(255, 0, 0, 0))
    paint(tmp_path / "2.png", mode="RGBA", colour=(255, 0, 0, 128))
    palette = Image.new("P", (6, 4), 1)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.save(tmp_path / "3.png", transparency=1)
    made = images_of(opened(tmp_path))[:, 0, 0]
    assert made.tolist() == [[255, 255, 255], [255, 127, 127], [255, 255, 255]]


def test_palettes_become_colour(tmp_path):
    image = Image.new("P", (6, 4), 1)
    image.putpalette([0, 0, 0, 9, 8, 7])
    image.save(tmp_path / "1.png")
    assert images_of(opened(tmp_path))[0, 0, 0].tolist() == [9, 8, 7]


def test_gray_with_and_without_transparency_and_one_bit_stay_gray(tmp_path):
    paint(tmp_path / "1.png", mode="L", colour=100)
    paint(tmp_path / "2.png", mode="LA", colour=(100, 0))
    paint(tmp_path / "3.png", mode="1", colour=1)
    values = np.full((4, 6), 25_700, np.uint16)
    Image.fromarray(values).save(tmp_path / "4.png")
    made = images_of(opened(tmp_path))
    assert made.shape == (4, 4, 6, 1)
    assert made[:, 0, 0, 0].tolist() == [100, 255, 255, 100]


def test_photos_stand_upright(tmp_path):
    image = Image.new("RGB", (6, 4))
    exif = image.getexif()
    exif[0x0112] = 6  # orientation: turned by a quarter
    image.save(tmp_path / "a.jpg", exif=exif)
    assert images_of(opened(tmp_path)).shape == (1, 6, 4, 3)


def test_images_of_mixed_size_name_one_of_each_and_the_remedy(tmp_path):
    paint(tmp_path / "a.png", size=(6, 4))
    paint(tmp_path / "b.png", size=(9, 8))
    with pytest.raises(DataError, match=r"a\.png is 4x6 and .*b\.png is 8x9.*resize=64"):
        opened(tmp_path)
    made = opened(tmp_path, transforms=("center-crop=4", "resize=3", "normalize=-1,1", "flip"))
    assert made.schema["image"] == Field((3, 3, 3), "float32", "image", (-1, 1))
    assert len(made.augment) == 1
    with pytest.raises(DataError, match=r"a\.png: Expected images of at least 5x5"):
        opened(tmp_path, transforms=("center-crop=5",))


def test_gray_and_colour_together_need_a_mode(tmp_path):
    paint(tmp_path / "a.png", mode="L")
    paint(tmp_path / "b.png")
    with pytest.raises(DataError, match=r"a\.png is gray and .*b\.png is in colour.*mode=RGB"):
        opened(tmp_path)
    assert opened(tmp_path, mode="RGB").schema["image"].shape == (4, 6, 3)
    assert opened(tmp_path, mode="L").schema["image"].shape == (4, 6, 1)
    assert opened(tmp_path, transforms=("grayscale",)).schema["image"].shape == (4, 6, 1)


def bomb(path):
    """Write a PNG header that announces 60,000 x 60,000 pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + check)


def test_unreadable_images_are_left_out_counted_and_warned_of_once(tmp_path):
    for name in "aceg":
        paint(tmp_path / f"{name}.png")
    whole = paint(tmp_path / "z.jpg", size=(300, 200)).read_bytes()
    (tmp_path / "z.jpg").unlink()
    (tmp_path / "b.png").write_bytes(b"no image")
    bomb(tmp_path / "d.png")
    (tmp_path / "f.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "h.png").write_bytes(b"")
    with pytest.warns(UserWarning, match=r"Left out .*: unreadable 4 \(first: b\.png\)") as caught:
        source = opened(tmp_path)
    assert len(caught) == 1
    assert (len(source), source.skipped, source.left_out) == (4, 4, {"unreadable": 4})


def test_the_count_survives_transforms(tmp_path):
    paint(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    with pytest.warns(UserWarning, match="unreadable 1"):
        source = opened(tmp_path, transforms=("normalize=0,1", "flip"))
    assert (source.skipped, source.left_out) == (1, {"unreadable": 1})


def test_an_image_with_too_many_pixels_counts_as_unreadable(tmp_path, monkeypatch):
    paint(tmp_path / "a.png", size=(9, 9))
    monkeypatch.setattr(image_files, "MAX_PIXELS", 80)
    with pytest.raises(DataError, match=r"none of 1 can be read, the first .*a\.png"):
        opened(tmp_path)


@pytest.mark.parametrize("seed", range(40))
def test_damage_anywhere_never_escapes_as_another_error(tmp_path, seed):
    rng = np.random.default_rng(seed)
    name = ("x.png", "x.jpg")[seed % 2]
    noise = Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8))
    noise.save(tmp_path / name)
    content = bytearray((tmp_path / name).read_bytes())
    for position in rng.integers(0, len(content), 20):
        content[position] = rng.integers(256)
    (tmp_path / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(DataError):
            opened(tmp_path)


def test_an_empty_or_missing_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match="found none"):
        opened(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        opened(tmp_path / "missing")
    with pytest.raises(DataError, match="Not a directory"):
        opened(paint(tmp_path / "a.png"))


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "remedy"),
    [("photso", "Did you mean 'photos'"), ("elsewhere", "Name the folder: --data path=FOLDER")],
)
def test_a_folder_that_is_not_there_is_answered_with_what_to_do(tmp_path, name, remedy):
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match=remedy):
        opened(tmp_path / name)


def test_the_path_is_required():
    with pytest.raises(UsageError, match="'path'"):
        config_module.parse(ImageFolderConfig, {}, "data set image-folder")


def test_limit_takes_the_first_images(tmp_path):
    for number in range(5):
        paint(tmp_path / f"{number}.png", colour=(number,) * 3)
    assert images_of(opened(tmp_path, limit=2))[:, 0, 0, 0].tolist() == [0, 1]
    assert len(opened(tmp_path, limit=99)) == 5


def test_a_large_folder_is_kept_in_a_file(tmp_path, monkeypatch):
    for number in range(4):
        paint(tmp_path / f"{number}.png", colour=(number,) * 3)
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 100)
    source = opened(tmp_path, transforms=("normalize=0,1",))
    made = source.gather(np.array([3, 1]))["image"]
    assert type(made) is np.ndarray
    np.testing.assert_allclose(made[:, 0, 0, 0], [3 / 255, 1 / 255], rtol=1e-6)


def test_emoji_open_with_captions_on_white():
    folder = Path(os.environ.get("GENKIT_DATA", "/nowhere")) / "emoji64"
    if not folder.is_dir():
        pytest.skip("needs the emoji images: set GENKIT_DATA to the folder that has emoji64")
    source = opened(folder, mode="RGB")
    assert len(source) == 1911
    assert source.schema["image"] == Field((64, 64, 3), "uint8", "image", (0, 255))
    captions = source.arrays["caption"].tolist()
    face = source.gather(np.array([captions.index("grinning face")]))["image"][0]
    assert face[0, 0].tolist() == [255, 255, 255]
    assert face[32, 32].tolist() != [255, 255, 255]
    assert all(captions)
