import numpy as np
import pytest

from genkit.data import ArraySource, as_source
from genkit.data import source as source_module
from genkit.errors import DataError
from genkit.plugins.specs import Field, Schema

SCHEMA = Schema(
    {
        "image": Field((2, 2, 1), "uint8", "image", (0, 255)),
        "label": Field((), "int32", "label", classes=("a", "b")),
    }
)


def arrays(n=4):
    return {
        "image": np.arange(n * 4, dtype="uint8").reshape(n, 2, 2, 1),
        "label": np.arange(n, dtype="int32") % 2,
    }


def test_gather_gives_the_items_at_the_indices_in_their_order():
    batch = ArraySource(arrays(), SCHEMA).gather(np.array([2, 0]))
    assert batch["image"][:, 0, 0, 0].tolist() == [8, 0]
    assert batch["label"].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((4, 3, 2, 1), "uint8")}, r"Expected 'image' of shape"),
        ({"image": np.zeros((4, 2, 2, 1), "float32")}, r"as uint8; received float32"),
        ({"label": np.zeros(3, "int32")}, r"equal length; received image: 4, label: 3"),
        ({"label": np.array([0, 1, 2, 0], "int32")}, r"from 0 to 1, .*received 0 to 2"),
        ({"extra": np.zeros(4)}, r"Expected arrays named image, label"),
    ],
)
def test_arrays_that_do_not_fit_the_schema_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        ArraySource(arrays() | change, SCHEMA)


def test_a_source_without_items_is_refused():
    with pytest.raises(DataError, match="at least one item"):
        ArraySource(arrays(0), SCHEMA)


def test_the_fingerprint_is_of_the_contents_whatever_the_byte_order_or_layout():
    schema = Schema({"vector": Field((3,), "float32", "vector")})
    values = np.arange(12, dtype="float32").reshape(4, 3)
    known = "06132a352dfe4317"
    plain = ArraySource({"vector": values}, schema).fingerprint()
    laid_out = ArraySource({"vector": np.asfortranarray(values)}, schema).fingerprint()
    assert plain == laid_out
    assert plain.startswith(known)
    values[3, 2] += 1
    assert ArraySource({"vector": values}, schema).fingerprint() != plain


def test_the_fingerprint_does_not_depend_on_the_piece_size(monkeypatch):
    whole = ArraySource(arrays(), SCHEMA).fingerprint()
    monkeypatch.setattr(source_module, "_CHUNK_BYTES", 1)
    assert ArraySource(arrays(), SCHEMA).fingerprint() == whole


def test_the_fingerprint_tells_texts_apart():
    schema = Schema({"caption": Field((), "string", "text")})
    first, second = (
        ArraySource({"caption": np.array(texts, object)}, schema).fingerprint()
        for texts in (["ab", "c"], ["a", "bc"])
    )
    assert first != second


def test_large_arrays_go_to_a_file_without_a_name(monkeypatch, tmp_path):
    monkeypatch.setattr(source_module, "MEMORY_LIMIT", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    array = source_module.allocate((10, 20, 20), "uint8")
    array[:] = 7
    assert isinstance(array.base, np.memmap)
    assert list(tmp_path.iterdir()) == []
    assert array.sum() == 7 * 4000


def test_no_room_for_a_large_array_is_an_error_that_says_where(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(DataError, match=r"GiB of room in .*TMPDIR"):
        source_module.allocate((1 << 40, 1 << 10), "uint8")


def test_bytes_become_images_of_the_range_of_bytes():
    source = as_source(np.full((2, 4, 4, 3), 9, "uint8"))
    assert source.schema["image"] == Field((4, 4, 3), "uint8", "image", (0, 255))


def test_floats_become_float32_of_the_range_they_have():
    source = as_source(np.linspace(-2, 3, 32).reshape(2, 4, 4, 1))
    assert source.schema["image"] == Field((4, 4, 1), "float32", "image", (-2, 3))


def test_two_axes_are_vectors():
    field = as_source(np.eye(3)).schema["vector"]
    assert (field.shape, field.modality) == ((3,), "vector")


def test_a_dict_gives_images_labels_and_text():
    source = as_source(
        {
            "image": np.zeros((2, 4, 4, 1), "uint8"),
            "label": np.array([0, 2]),
            "caption": np.array(["a", "b"]),
        }
    )
    modalities = {name: field.modality for name, field in source.schema.fields.items()}
    assert modalities == {"image": "image", "label": "label", "caption": "text"}
    assert source.schema["label"].classes == ("0", "1", "2")
    assert source.gather(np.array([1]))["label"].dtype == np.int32


def test_a_source_is_given_back_as_it_is():
    source = as_source(np.eye(3))
    assert as_source(source) is source


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((2, 4, 4)), r"channel axis: array\[\.\.\., None\]"),
        (np.zeros((2, 4, 4, 1)), "Expected values that vary"),
        (np.array([[1.0, np.nan], [np.inf, 0.0]]), "received 2 of 4 that are not"),
        (np.array([[1.0, 1e300]]), "received 1 of 2 that are not"),
        (np.zeros((0, 4, 4, 1)), "Expected items"),
        (np.zeros((2, 2), complex), "received complex128"),
        ([1, 2], "received list"),
        ({}, "received dict"),
        ({"label": np.array([-1, 0])}, "received -1 to 0"),
        ({"image": np.zeros((2, 1, 1, 1), "uint8"), "label": np.array([0])}, "equal length"),
    ],
)
def test_values_that_can_not_be_used_are_refused(data, message):
    with pytest.raises(DataError, match=message):
        as_source(data)
