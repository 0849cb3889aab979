"""Objects of other libraries as data; each library's tests are skipped where it isn't installed."""

import datetime as dt
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import genkit
from genkit.data import ArraySource, as_source
from genkit.errors import AmbiguousNameError, DataError, UsageError
from genkit.plugins.registry import Registry, installed, using
from genkit.plugins.specs import Field

COLUMNS = {
    "age": [30, 41, 52],
    "income": [1.5, 2.5, 3.5],
    "name": ["ann", "bo", "cy"],
    "employed": [True, False, True],
    "account": [2**40, 1, 2],
}
FIELDS = {
    "age": Field((), "int32", "number", (30, 52)),
    "income": Field((), "float32", "number", (1.5, 3.5)),
    "name": Field((), "string", "text"),
    "employed": Field((), "int32", "label", classes=("False", "True")),
    "account": Field((), "int64", "number", (1, 2**40)),
}
COLOURS = Field((), "int32", "label", classes=("blue", "red"))


def pandas_frame(**more):
    pandas = pytest.importorskip("pandas")
    colours = pandas.Categorical(["red", "blue", "red"])
    return pandas.DataFrame({**COLUMNS, "colour": colours, **more})


def polars_frame(**more):
    polars = pytest.importorskip("polars")
    colours = polars.Series(["red", "blue", "red"], dtype=polars.Categorical)
    return polars.DataFrame({**COLUMNS, "colour": colours, **more})


def arrow_table(**more):
    arrow = pytest.importorskip("pyarrow")
    colours = arrow.array(["red", "blue", "red"]).dictionary_encode()
    return arrow.table({**COLUMNS, "colour": colours, **more})


TABLES = [pandas_frame, polars_frame, arrow_table]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_a_field_a_column(table):
    source = as_source(table(pair=[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    pair = Field((2,), "float32", "vector", (1, 6))
    assert source.schema.fields == {**FIELDS, "colour": COLOURS, "pair": pair}
    batch = source.gather(np.array([2, 0]))
    assert batch["account"].tolist() == [2, 2**40]
    assert batch["colour"].tolist() == [1, 1]
    assert batch["name"].tolist() == ["cy", "ann"]
    assert batch["pair"].tolist() == [[5, 6], [1, 2]]


@pytest.mark.parametrize("table", TABLES)
def test_values_that_are_missing_are_marked_and_dates_stay_dates(table):
    born = [dt.date(1990, 1, 2), None, dt.date(2000, 1, 2)]
    source = as_source(table(height=[1.5, None, 2.0], town=["a", None, "b"], born=born))
    assert source.schema["height"] == Field((), "float32", "number", (1.5, 2), missing=True)
    assert source.schema["town"].missing
    batch = source.gather(np.arange(3))
    for name in ("height", "town"):
        assert batch[f"{name}_missing"].tolist() == [False, True, False]
    assert batch["town"].tolist() == ["a", "", "b"]
    assert batch["account"].tolist() == COLUMNS["account"]
    days = int(np.datetime64("2000-01-02").astype(int))
    assert (source.schema["born"].modality, source.schema["born"].range[1]) == ("date", days)
    assert batch["born"][2] == np.datetime64("2000-01-02")


@pytest.mark.parametrize("table", TABLES)
def test_lists_of_several_lengths_and_empty_columns_are_refused_by_name(table):
    with pytest.raises(DataError, match="one length in 'bits'; received lengths 1 to 2"):
        as_source(table(bits=[[1], [1, 2], [1]]))
    with pytest.raises(DataError, match="in some row of 'gone'; none has one"):
        as_source(table(gone=[None, None, None]))


def test_dates_of_pandas():
    pandas = pytest.importorskip("pandas")
    days = pandas.to_datetime(["2020-01-01", None, "2020-01-03"]).astype("datetime64[s]")
    field = as_source(pandas.DataFrame({"day": days, "n": [1, 2, 3]})).schema["day"]
    assert (field.dtype, field.modality, field.missing) == ("datetime64[s]", "date", True)
    assert field.range == (1577836800, 1577836800 + 2 * 86400)


def test_other_objects_of_the_table_libraries():
    frame = polars_frame()
    assert as_source(frame.lazy()).fingerprint() == as_source(frame).fingerprint()
    assert as_source(frame["age"]).schema.fields == {"age": FIELDS["age"]}
    pandas = pytest.importorskip("pandas")
    assert as_source(pandas_frame()["age"]).schema.fields == {"age": FIELDS["age"]}
    nullable = pandas.DataFrame({"n": pandas.array([1, 2, 3], "Int64")})
    assert as_source(nullable).schema["n"] == Field((), "int32", "number", (1, 3))
    twice = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(DataError, match="'a' occurs twice"):
        as_source(twice)


def test_a_split_of_hugging_face_keeps_the_names_of_its_classes():
    datasets = pytest.importorskip("datasets")
    from PIL import Image

    images = [Image.new("RGB", (5, 4), (n, 0, 0)) for n in range(3)]
    rows = {"image": images, "label": [0, 1, 0], "caption": ["a", "b", "c"]}
    features = datasets.Features(
        image=datasets.Image(),
        label=datasets.ClassLabel(names=["cat", "dog"]),
        caption=datasets.Value("string"),
    )
    split = datasets.Dataset.from_dict(rows, features)
    source = as_source(split)
    assert source.schema["label"].classes == ("cat", "dog")
    assert source.schema["image"] == Field((4, 5, 3), "uint8", "image", (0, 255))
    assert source.gather(np.array([2]))["image"][0, 0, 0].tolist() == [2, 0, 0]
    assert as_source(split.to_iterable_dataset()).fingerprint() == source.fingerprint()
    with pytest.raises(DataError, match=r"one split; received train, test.*data\['train'\]"):
        as_source(datasets.DatasetDict(train=split, test=split))
    with pytest.raises(DataError, match="each row of 'a'; row 1 has none"):
        as_source(datasets.Dataset.from_dict({"a": [1, None]}))


@pytest.fixture
def digits():
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (20, 8, 8, 1), dtype=np.uint8), np.arange(20, dtype=np.int64) % 4


@pytest.mark.slow
def test_data_sets_and_loaders_of_pytorch(digits):
    torch = pytest.importorskip("torch")
    images, labels = digits
    expected = as_source({"image": images, "label": labels}).fingerprint()

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return 20

        def __getitem__(self, number):
            return images[number], int(labels[number])

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(zip(images, labels, strict=True))

    first = torch.from_numpy(np.moveaxis(images, -1, 1).copy())
    tensors = torch.utils.data.TensorDataset(first, torch.from_numpy(labels))
    loader = torch.utils.data.DataLoader(Pictures(), batch_size=7, shuffle=True)
    for data in (Pictures(), Stream(), tensors, loader):
        assert as_source(data).fingerprint() == expected
    own = torch.utils.data.DataLoader(Pictures(), collate_fn=lambda items: items)
    with pytest.raises(DataError, match="default collate_fn"):
        as_source(own)


@pytest.mark.slow
def test_data_sets_of_tensorflow_of_items_and_of_batches(digits):
    tensorflow = pytest.importorskip("tensorflow")
    images, labels = digits
    expected = as_source({"image": images, "label": labels}).fingerprint()
    data = tensorflow.data.Dataset.from_tensor_slices((images, labels))
    named = tensorflow.data.Dataset.from_tensor_slices({"image": images, "label": labels})
    for each in (data, data.batch(6), data.batch(5, drop_remainder=True), named.batch(7)):
        assert as_source(each).fingerprint() == expected
    words = tensorflow.data.Dataset.from_tensor_slices(["ein", "Stück"])
    assert as_source(words).gather(np.arange(2))["text"].tolist() == ["ein", "Stück"]
    with pytest.raises(DataError, match=r"repeats for ever\. Leave out repeat"):
        as_source(data.repeat())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({3, 4}, r"an object of arrow, .*pandas.*; received set\. See what opens which"),
        (None, "received NoneType"),
        ({}, "received dict"),
        ("photos", r'received str\. Name the data set that reads files: dataset="image-folder"'),
        (iter([1]), r"received list_iterator\. It can be read only once: pass the function"),
        (lambda argument: argument, "received function"),
        ([], "at least one item"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_another_object_is_refused_in_one_line_that_says_what_can_be_opened(data, message):
    with pytest.raises(DataError, match=message) as refused:
        as_source(data)
    assert "\n" not in str(refused.value)


class Cube:
    """An object of a library that only a plugin knows."""

    __module__ = "cubes.inside"


class SmallCube(Cube):
    __module__ = "cubes.small"


def open_cube(cube):
    return {"vector": np.arange(6.0).reshape(3, 2)}


def opener(name, types, **more):
    module = __name__
    spec = genkit.OpenerSpec(
        name=name, summary="Cubes", types=types, opener=f"{module}:open_cube", **more
    )
    hook = genkit.hookimpl(lambda: [spec])
    return SimpleNamespace(__name__=name, genkit_openers=hook)


def test_a_plugin_opens_objects_of_a_library_that_is_never_imported():
    with using(Registry([opener("cubes", ("cubes:Cube",))])):
        source = as_source(Cube())
        assert as_source(SmallCube()).fingerprint() == source.fingerprint()
    assert isinstance(source, ArraySource)
    assert "cubes" not in sys.modules
    with pytest.raises(DataError, match="received cubes.inside.Cube"):
        as_source(Cube())


def test_the_opener_of_the_nearest_class_is_chosen_and_two_of_one_class_are_refused():
    near, far = opener("near", ("cubes:SmallCube",)), opener("far", ("cubes:Cube",))
    with using(Registry([near, far])):
        from genkit.data.openers import opener_of

        assert opener_of(SmallCube()).spec.name == "near"
        assert opener_of(Cube()).spec.name == "far"
    with (
        using(Registry([far, opener("other", ("cubes:Cube",))])),
        pytest.raises(AmbiguousNameError, match="far/far and other/other"),
    ):
        as_source(Cube())


def test_an_opener_of_a_modality_opens_for_models_that_accept_it_and_no_others():
    rooms = opener("rooms", ("cubes:Cube",), modality="room")
    with using(Registry([opener("far", ("cubes:Cube",)), rooms])):
        from genkit.data.openers import opener_of

        assert opener_of(Cube()).spec.name == "far"
        assert opener_of(Cube(), ("image",)).spec.name == "far"
        assert opener_of(Cube(), ("room",)).spec.name == "rooms"
    with using(Registry([rooms])):
        assert opener_of(Cube(), ("image",)) is None


def test_an_opener_whose_packages_are_missing_says_which_extra_brings_them():
    lacks = opener("cubes", ("cubes:Cube",), packages=("no_such_package",), extra="cubes")
    with using(Registry([lacks])):
        with pytest.raises(UsageError, match=r"no_such_package.*pip install 'cubes\[cubes\]'"):
            as_source(Cube())
        with pytest.raises(DataError, match=r"cubes \(pip install 'cubes\[cubes\]'\)"):
            as_source({3})


def test_no_library_is_imported_to_recognise_its_objects():
    modules = {each.split(":")[0] for e in installed().entries("openers") for each in e.spec.types}
    before = modules & sys.modules.keys()
    with pytest.raises(DataError):
        as_source(ModuleType("anything"))
    assert modules & sys.modules.keys() == before


@pytest.mark.parametrize("types", [(), "pandas:DataFrame", ("pandas.DataFrame",)])
def test_types_must_be_named_by_module_and_class(types):
    with pytest.raises(genkit.GenkitError, match="types: a tuple of 'module:Class'"):
        genkit.OpenerSpec(name="x", summary="X", types=types, opener="a:b")
