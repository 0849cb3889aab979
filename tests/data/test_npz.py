import io
import zipfile

import numpy as np
import pytest

from genkit.builtin.datasets import npz
from genkit.builtin.datasets.npz import NpzConfig, open_npz
from genkit.errors import DataError, UsageError
from genkit.plugins import config as config_module
from genkit.plugins.specs import Field

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 4, 5, 3), np.uint8)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data.npz"


def save(path, **arrays):
    np.savez_compressed(path, **arrays)
    return path


def member(path, content, name="image.npy", announced=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def npy(shape, descr="'|u1'", data=b""):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


@pytest.mark.parametrize("name", ["image", "images", "x", "x_train", "whatever"])
def test_the_usual_name_or_the_only_array_is_taken(path, name):
    source = open_npz(NpzConfig(path=save(path, **{name: IMAGES})))
    np.testing.assert_array_equal(source.gather(np.arange(6))["image"], IMAGES)
    assert source.schema["image"] == Field((4, 5, 3), "uint8", "image", (0, 255))


def test_labels_range_limit_and_transforms_come_from_the_settings(path):
    save(path, pictures=IMAGES[..., 0] / 255, y=np.array([0, 1, 2, 0, 1, 3]))
    settings = {"path": str(path), "image": "pictures", "label": "y", "range": "0,1", "limit": "5"}
    config = config_module.parse(NpzConfig, settings | {"transforms": "normalize=-1,1"}, "npz")
    source = open_npz(config)
    assert source.schema["image"] == Field((4, 5, 1), "float32", "image", (-1, 1))
    assert source.schema["label"].classes == ("0", "1", "2")
    assert len(source) == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image": "imagess"}, r"Did you mean 'images'"),
        ({"label": "images"}, "Expected 'images' as integers, one an item"),
        ({"label": "other"}, "equal length"),
        ({"range": (0, 10)}, "within the range 0 to 10"),
        ({"image": "flat"}, r"received the shape \(6, 4\)"),
        ({"image": "text"}, "Expected numbers"),
    ],
)
def test_settings_that_do_not_fit_the_file_say_so(path, settings, message):
    save(
        path,
        images=IMAGES,
        other=np.arange(5),
        flat=IMAGES[:, :, 0, 0],
        text=np.full((1, 1, 1, 1), "a"),
    )
    with pytest.raises(DataError, match=message):
        open_npz(NpzConfig(path=path, **settings))


def test_arrays_that_nobody_chose_are_told(path):
    save(path, x_train=IMAGES, y_train=np.arange(6), x_test=IMAGES)
    with pytest.warns(UserWarning, match=r"'x_train'; not used: y_train, x_test\..*label=NAME"):
        open_npz(NpzConfig(path=path))
    with pytest.warns(UserWarning, match="not used: x_test"):
        open_npz(NpzConfig(path=path, label="y_train"))
    open_npz(NpzConfig(path=path, image="x_test"))


def test_an_ambiguous_file_lists_its_arrays(path):
    with pytest.raises(DataError, match=r"received a, b\. Name it: --data image=NAME"):
        open_npz(NpzConfig(path=save(path, a=IMAGES, b=IMAGES)))


def test_a_range_upside_down_is_refused():
    with pytest.raises(UsageError, match="low < high"):
        config_module.parse(NpzConfig, {"path": "x", "range": "1,0"}, "data set npz")


def whole(path):
    buffer = io.BytesIO()
    np.savez(buffer, image=IMAGES)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda path: b"", "Expected a NumPy .npz file"),
        (lambda path: whole(path)[:-30], "Expected a NumPy .npz file"),
        (lambda path: whole(path).replace(IMAGES.tobytes(), bytes(IMAGES.size)), "CRC"),
        (lambda path: member(path, b"not an array").read_bytes(), "magic"),
        (lambda path: member(path, npy("(3, 2, 2)", data=bytes(11))).read_bytes(), "size"),
        (lambda path: member(path, npy("(3, 2, 2)", data=bytes(13))).read_bytes(), "size"),
        (lambda path: member(path, npy("(-3, 2, 2)")).read_bytes(), "negative"),
        (lambda path: member(path, npy("(1", data=b"")).read_bytes(), "Expected a NumPy"),
        (lambda path: member(path, npy("(2**70,)")).read_bytes(), "Expected a NumPy"),
        (lambda path: member(path, npy(str((1 << 70,)))).read_bytes(), "GiB"),
        (lambda path: member(path, b"", "image.txt").read_bytes(), "received no arrays"),
    ],
)
def test_a_damaged_or_hostile_file_is_refused(path, content, message):
    made = content(path)
    path.write_bytes(made)
    with pytest.raises(DataError, match=message):
        open_npz(NpzConfig(path=path))


def test_an_array_larger_than_the_limit_is_refused_unread(path, monkeypatch):
    save(path, image=np.zeros((100, 100, 100), "uint8"))
    monkeypatch.setattr(npz, "_MAX_BYTES", 999_999)
    monkeypatch.setattr(npz.npy, "read_array", None)
    with pytest.raises(DataError, match="header announces"):
        open_npz(NpzConfig(path=path))


def test_pickled_objects_are_never_loaded(path):
    np.savez(path, image=np.array([{"a": 1}, None], object))
    with pytest.raises(DataError, match="pickled objects"):
        open_npz(NpzConfig(path=path))


def test_a_missing_file_is_an_error(path):
    with pytest.raises(DataError, match="No such file"):
        open_npz(NpzConfig(path=path))
