"""Which files of a folder are images; what is left out is counted by reason, and told once."""

import os
import warnings

import numpy as np
import pytest
from PIL import Image

from genkit.builtin.datasets.image_search import SUFFIXES
from genkit.errors import DataError
from tests.data.folders import images_of, opened, paint, paint_all

pytestmark = pytest.mark.once


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".JPG", ".WebP"])
def test_every_usual_format_is_read(tmp_path, suffix):
    kinds = {".jpe": "JPEG", ".jfif": "JPEG", ".pnm": "PPM"}
    format_ = kinds.get(suffix.lower(), Image.registered_extensions()[suffix.lower()])
    Image.new("L", (6, 4), 255).convert("RGB").save(tmp_path / f"a{suffix}", format_)
    made = opened(tmp_path, mode="RGB")
    assert images_of(made).shape == (1, 4, 6, 3)
    assert images_of(made).min() >= 254
    assert made.left_out == {}


def test_the_content_decides_what_a_file_is_not_its_suffix(tmp_path):
    paint(tmp_path / "a.webp").rename(tmp_path / "a.jpg")
    assert images_of(opened(tmp_path)).shape == (1, 4, 6, 3)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".tif", ".png"])
def test_of_several_frames_or_pages_the_first_is_taken_and_the_rest_counted(tmp_path, suffix):
    frames = [Image.new("RGB", (6, 4), (value, 0, 0)) for value in (255, 0, 90)]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match=r"frames or pages after the first 1 \(first: a\."):
        source = opened(tmp_path)
    assert images_of(source)[0, 0, 0, 0] >= 250
    assert source.left_out == {"frames or pages after the first": 1}


@pytest.mark.parametrize(
    "values",
    [
        np.full((4, 6), 0.5, np.float32),
        np.full((4, 6), 1 << 20, np.int32),
        np.full((4, 6), -1, np.int32),
    ],
)
def test_values_whose_white_nobody_knows_are_unreadable(tmp_path, values):
    paint(tmp_path / "a.png", mode="L")
    Image.fromarray(values).save(tmp_path / "b.tif")
    with pytest.warns(UserWarning, match=r"unreadable 1 \(first: b\.tif\)"):
        assert len(opened(tmp_path)) == 1


def test_formats_that_are_not_read_are_counted_by_suffix(tmp_path):
    paint_all(tmp_path, "p/a.png", "p/b.png")
    for name in ("1.heic", "2.HEIC", "3.jxl", "4.jpg_large", "5.png.part", "6.mp4", "7.npy"):
        (tmp_path / "p" / name).write_bytes(b"x")
    told = r"Left out of .*: \.heic 2 \(first: p/1\.heic\), \.jxl 1 .*\.npy 1"
    with pytest.warns(UserWarning, match=told) as caught:
        source = opened(tmp_path)
    assert len(caught) == 1
    rest = dict.fromkeys((".jxl", ".jpg_large", ".part", ".mp4", ".npy"), 1)
    assert source.left_out == {".heic": 2, **rest}
    assert source.skipped == 0


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_damaged_tiffs_are_counted_and_the_c_library_prints_nothing(tmp_path, capfd, compression):
    paint(tmp_path / "a.png", size=(64, 64))
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    for name, cut in (("b.tif", 200), ("c.tif", 2000)):
        Image.fromarray(noise).save(tmp_path / name, compression=compression)
        content = bytearray((tmp_path / name).read_bytes())
        content[cut : cut + 900] = bytes(900)
        (tmp_path / name).write_bytes(content)
    with pytest.warns(UserWarning, match="unreadable 2"):
        opened(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_file_without_a_suffix_is_told_if_it_is_an_image(tmp_path):
    paint(tmp_path / "a.png")
    paint(tmp_path / "b.png").rename(tmp_path / "b")
    (tmp_path / "LICENSE").write_text("free")
    with pytest.warns(UserWarning, match=r"no suffix 1 \(first: b\)"):
        assert opened(tmp_path).left_out == {"no suffix": 1}


def test_documents_and_hidden_files_are_passed_over(tmp_path):
    paint_all(tmp_path, "a.png", ".b.png", "._c.png", ".thumbs/d.png", "__MACOSX/._e.png")
    for name in ("notes.txt", "README.md", "labels.csv", "Thumbs.db", "boxes.XML", ".heic"):
        (tmp_path / name).write_text("x")
    source = opened(tmp_path)
    assert (len(source), source.left_out) == (1, {})


def test_a_document_that_belongs_to_an_image_is_told(tmp_path):
    paint_all(tmp_path, "a.png", "b/c.jpg")
    for name in ("a.txt", "b/c.XML", "b/d.txt", "metadata.csv"):
        (tmp_path / name).write_text("x")
    with pytest.warns(UserWarning, match=r"\.txt beside its image 1 \(first: a\.txt\)"):
        left_out = opened(tmp_path).left_out
    assert left_out == {
        ".txt beside its image": 1,
        ".xml beside its image": 1,
        "metadata.csv": 1,
    }


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar.gz"])
def test_an_archive_is_to_be_unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(DataError, match="photos.*Not a directory. Unpack it first"):
        opened(tmp_path / name)


def test_a_folder_of_nothing_else_says_what_there_is(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.heic").write_bytes(b"x")
    with pytest.raises(DataError, match=r"JPEG, WebP.*found none.*\.heic 3 \(first: 0\.heic\)"):
        opened(tmp_path)


def test_links_to_files_and_folders_are_followed(tmp_path):
    store = tmp_path / "store"
    paint_all(store, "1.png", "2.png", "deep/3.png")
    photos = tmp_path / "photos"
    paint_all(photos, "dog/1.png", "bird/1.png")
    (photos / "cat").symlink_to(store)
    (photos / "dog" / "2.png").symlink_to(store / "1.png")
    (photos / "bird" / "more").symlink_to("../../store")
    source = opened(photos)
    assert source.schema["label"].classes == ("bird", "cat", "dog")
    assert np.bincount(source.arrays["label"]).tolist() == [4, 3, 2]
    assert source.left_out == {}
    (tmp_path / "by-link").symlink_to(photos)
    assert opened(tmp_path / "by-link").fingerprint() == source.fingerprint()


def test_links_that_lead_nowhere_back_or_to_a_pipe_are_counted(tmp_path):
    photos = paint_all(tmp_path / "photos", "a/1.png", "b/1.png", "b/deep/2.png")
    (photos / "a" / "2.png").symlink_to("missing.png")
    (photos / "a" / "3.png").symlink_to("3.png")
    (photos / "a" / "up").symlink_to(photos)
    (photos / "b" / "again").symlink_to("deep")
    (photos / "b" / "self").symlink_to(".")
    os.mkfifo(photos / "b" / "3.png")
    with pytest.warns(UserWarning, match=r"broken link 2 \(first: a/2\.png\)") as caught:
        source = opened(photos)
    assert len(caught) == 1
    assert len(source) == 3
    assert source.left_out == {
        "broken link": 2,
        "link to a folder that is read already": 3,
        "not a file": 1,
    }


def test_links_that_multiply_folders_read_each_once(tmp_path):
    for number in range(30):
        paint(tmp_path / "all" / str(number) / "x.png")
        for name in ("l", "r"):
            (tmp_path / "all" / str(number) / name).symlink_to(f"../{(number + 1) % 30}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(opened(tmp_path)) == 30
