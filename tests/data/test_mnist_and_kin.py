import gzip
import hashlib
import http.server
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from genkit.builtin.datasets import fashion_mnist, mnist, pack_mnist
from genkit.builtin.datasets.digits import DigitsConfig, open_digits
from genkit.builtin.datasets.fashion_mnist import FashionMnistConfig, open_fashion_mnist
from genkit.builtin.datasets.idx import read_idx
from genkit.builtin.datasets.mnist import MnistConfig, open_mnist
from genkit.data.downloads import download
from genkit.errors import DataError, UsageError
from genkit.plugins import config as config_module
from genkit.plugins.specs import Field


def raw(name):
    root = os.environ.get("GENKIT_DATA")
    if not root or not (Path(root) / name).is_dir():
        pytest.skip(f"needs the raw files: set GENKIT_DATA to the folder that has {name}")
    return Path(root) / name


def idx(values):
    header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    return header + values.tobytes()


def test_mnist_is_in_the_package():
    train, test, everything = (
        open_mnist(MnistConfig(split=split)) for split in ("train", "test", "all")
    )
    assert [len(source) for source in (train, test, everything)] == [60_000, 10_000, 70_000]
    assert train.schema["image"] == Field((28, 28, 1), "uint8", "image", (0, 255))
    assert train.schema["label"].classes == tuple("0123456789")
    first = train.gather(np.arange(5))
    assert first["label"].tolist() == [5, 0, 4, 1, 9]
    np.testing.assert_array_equal(
        everything.gather(np.array([60_003]))["image"], test.gather(np.array([3]))["image"]
    )


def test_mnist_is_unpacked_once_for_all_that_use_it(monkeypatch):
    train = open_mnist(MnistConfig(split="train"))
    monkeypatch.setattr(mnist, "_unpacked", None)
    test = open_mnist(MnistConfig(split="test"))
    shared = [source.gather(np.arange(1))["image"].copy() for source in (train, test)]
    monkeypatch.undo()
    del train, test
    assert not mnist._in_use  # nobody has it: its memory is free again
    for split, image in zip(("train", "test"), shared, strict=True):
        fresh = open_mnist(MnistConfig(split=split)).gather(np.arange(1))["image"]
        np.testing.assert_array_equal(fresh, image)


def test_mnist_in_the_package_equals_the_published_files():
    folder = raw("mnist")
    for split, part in (("train", "train"), ("test", "t10k")):
        source = open_mnist(MnistConfig(split=split))
        images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())[16:]
        labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())[8:]
        assert source.arrays["image"].tobytes() == images
        assert source.arrays["label"].astype("uint8").tobytes() == labels


def test_packing_puts_the_images_before_the_labels(tmp_path):
    content = b""
    for part in ("train-images-idx3", "t10k-images-idx3", "train-labels-idx1", "t10k-labels-idx1"):
        values = np.frombuffer(part.encode(), "uint8")
        (tmp_path / f"{part}-ubyte.gz").write_bytes(gzip.compress(idx(values), mtime=0))
        content += part.encode()
    digest = pack_mnist.pack(tmp_path, tmp_path / "packed.xz")
    assert digest == hashlib.sha256(content).hexdigest()
    assert mnist.lzma.decompress((tmp_path / "packed.xz").read_bytes()) == content


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b"no xz", lambda b: b[::-1]])
def test_a_damaged_file_in_the_package_is_an_error(tmp_path, damage):
    file = tmp_path / "mnist.xz"
    file.write_bytes(damage(mnist.lzma.compress(bytes(1000))))
    with pytest.raises(DataError, match="damaged"):
        mnist._unpacked(file)
    with pytest.raises(DataError, match="damaged"):
        mnist._unpacked(tmp_path / "missing.xz")


def test_limit_and_transforms_come_from_the_settings():
    config = config_module.parse(
        MnistConfig, {"limit": "100", "transforms": "resize=32 normalize=-1,1 flip"}, "mnist"
    )
    source = open_mnist(config)
    assert len(source) == 100
    assert source.schema["image"] == Field((32, 32, 1), "float32", "image", (-1, 1))
    assert len(source.augment) == 1


def test_a_typo_in_a_transform_dies_with_the_settings():
    with pytest.raises(UsageError, match="Did you mean 'normalize'"):
        config_module.parse(MnistConfig, {"transforms": ["normalise=-1,1"]}, "data set mnist")
    with pytest.raises(UsageError, match="limit"):
        config_module.parse(MnistConfig, {"limit": 0}, "data set mnist")


@pytest.mark.parametrize("config", [MnistConfig, DigitsConfig, FashionMnistConfig])
def test_every_setting_has_a_meaning(config):
    assert all(row["meaning"] for row in config_module.describe(config))


def test_digits_are_split_and_of_their_own_range():
    train, test = (open_digits(DigitsConfig(split=split)) for split in ("train", "test"))
    assert (len(train), len(test)) == (1500, 297)
    assert train.schema["image"] == Field((8, 8, 1), "uint8", "image", (0, 16))
    values = train.gather(np.arange(1500))["image"]
    assert (values.min(), values.max()) == (0, 16)


def test_fashion_mnist_is_found_without_a_download(monkeypatch):
    monkeypatch.setenv("GENKIT_DATA", str(raw("fashion-mnist").parent))
    monkeypatch.setattr(fashion_mnist, "download", None)
    test, everything = (open_fashion_mnist(FashionMnistConfig(split=s)) for s in ("test", "all"))
    assert (len(test), len(everything)) == (10_000, 70_000)
    assert test.schema["label"].classes[test.gather(np.array([0]))["label"][0]] == "Ankle boot"


def test_debians_folder_is_looked_at(monkeypatch, tmp_path):
    monkeypatch.delenv("GENKIT_DATA", raising=False)
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path)
    assert fashion_mnist.find() is None
    for name in fashion_mnist.MD5:
        (tmp_path / name).write_bytes(b"")
    assert fashion_mnist.find() == tmp_path


def test_files_of_another_content_are_refused(monkeypatch, tmp_path):
    (tmp_path / "fashion-mnist").mkdir()
    for name in fashion_mnist.MD5:
        (tmp_path / "fashion-mnist" / name).write_bytes(gzip.compress(idx(np.zeros(3, "uint8"))))
    monkeypatch.setenv("GENKIT_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"train-images.*another SHA-256"):
        open_fashion_mnist(FashionMnistConfig())


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{httpd.server_port}/"
        httpd.shutdown()
        thread.join()


def test_a_download_is_checked_and_kept(server, tmp_path):
    served, url = server
    (served / "a.gz").write_bytes(b"content")
    digest = hashlib.md5(b"content").hexdigest()
    folder = download(url, {"a.gz": digest}, tmp_path / "cache", fashion_mnist.HINT)
    assert (folder / "a.gz").read_bytes() == b"content"
    (served / "a.gz").unlink()
    assert download(url, {"a.gz": digest}, tmp_path / "cache", fashion_mnist.HINT) == folder


def test_a_download_that_fails_says_where_to_put_the_files(server, tmp_path):
    served, url = server
    with pytest.raises(DataError, match=r"404.*\$GENKIT_DATA"):
        download(url, {"missing.gz": "0" * 32}, tmp_path / "cache", fashion_mnist.HINT)
    (served / "wrong.gz").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"hash.*\$GENKIT_DATA"):
        download(url, {"wrong.gz": "0" * 32}, tmp_path / "cache", fashion_mnist.HINT)
    assert not list((tmp_path / "cache").glob("*.gz"))
    with pytest.raises(DataError, match=r"\$GENKIT_DATA"):
        download("http://127.0.0.1:9/", {"a.gz": "0" * 32}, tmp_path / "cache", fashion_mnist.HINT)


def test_two_processes_that_download_at_once_get_one_whole_file(server, tmp_path):
    served, url = server
    content = np.random.default_rng(0).bytes(20_000_000)
    (served / "a.gz").write_bytes(content)
    digest = hashlib.md5(content).hexdigest()
    text = (
        "import pathlib, sys; from genkit.data.downloads import download\n"
        "url, digest, folder = sys.argv[1:]\n"
        "download(url, {'a.gz': digest}, pathlib.Path(folder), '')\n"
    )
    command = [sys.executable, "-c", text, url, digest, str(tmp_path / "cache")]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    errors = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert (tmp_path / "cache/a.gz").read_bytes() == content
    assert sorted("Downloading" in error for error in errors) == [False, True]


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_an_idx_file_is_read_compressed_or_not(tmp_path, compress):
    values = np.arange(24, dtype="uint8").reshape(2, 3, 4)
    (tmp_path / "file").write_bytes(compress(idx(values)))
    digest = hashlib.sha256(idx(values)).hexdigest()
    np.testing.assert_array_equal(read_idx(tmp_path / "file", sha256=digest), values)


GOOD = idx(np.arange(24, dtype="uint8").reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x01\x00", "begins with 00 00 0d"),
        (b"\x00\x00\x08\x00", "0 axes"),
        (b"\x00\x00\x08\xff" + bytes(2000), "255 axes"),
        (GOOD[:10], "cut short"),
        (GOOD[:-1], "23 bytes of values where 24"),
        (GOOD + b"x", "data after"),
        (b"\x00\x00\x08\x04" + b"\xff" * 16, "the limit is"),
        (b"\x00\x00\x08\x01\x3f\xff\xff\xff", "0 bytes of values where 1073741823"),
        (gzip.compress(GOOD, mtime=0)[:-9], "end-of-stream"),
        (gzip.compress(GOOD, mtime=0)[:-8] + bytes(8), "CRC"),
        (gzip.compress(GOOD + bytes(10_000_000), mtime=0), "data after"),
    ],
)
def test_an_idx_file_with_a_fault_is_refused(tmp_path, content, message):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "file")


def test_a_missing_idx_file_is_an_error(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_idx(tmp_path / "file")
