import gc
import os
import tracemalloc
import warnings

import numpy as np
import pytest
from PIL import Image

import genkit
from genkit.data import ArraySource, FileItem, FileSource, ItemFiles, LeftOut, Loader, item_files
from genkit.errors import DataError
from tests.data.folders import opened

IMAGES = 30


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    lines = []
    for number in range(IMAGES):
        file = root / "ab"[number % 2] / f"{number:02d}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (6, 5, 3), dtype="uint8")).save(file)
        lines.append(f'{{"file_name": "{file.parent.name}/{file.name}", "text": "no. {number}"}}')
    (root / "metadata.jsonl").write_text("\n".join(lines))
    return root


@pytest.fixture
def small_cache(monkeypatch):
    monkeypatch.setattr(item_files, "CACHE_BYTES", 7 * 6 * 5 * 3)


@pytest.fixture(params=[1, 4])
def workers(request, monkeypatch):
    monkeypatch.setattr(item_files, "_worker_count", lambda: request.param)
    item_files._workers.cache_clear()
    yield request.param
    item_files._workers.cache_clear()


def items_of(source, indices=None):
    return source.gather(np.arange(len(source)) if indices is None else np.array(indices))


def assert_same(one, other):
    assert one.schema == other.schema
    assert one.fingerprint() == other.fingerprint()
    expected, received = items_of(one), items_of(other)
    for name in one.schema.fields:
        np.testing.assert_array_equal(received[name], expected[name])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"limit": 20},
        {"per_class": 8, "subset_seed": 3},
        {"transforms": ("center-crop=4", "resize=3", "normalize=-1,1", "flip")},
        {"transforms": ("normalize=-1,1", "resize=8")},
    ],
    ids=str,
)
def test_files_that_are_read_when_needed_are_the_same_data(folder, workers, monkeypatch, settings):
    whole = opened(folder, **settings)
    assert isinstance(whole, ArraySource)
    monkeypatch.setattr(item_files, "CACHE_BYTES", 100)
    lazy = opened(folder, **settings)
    assert isinstance(lazy, FileSource)
    assert lazy.augment == whole.augment
    assert_same(whole, lazy)
    picked = [11, 3, -1, 3]
    np.testing.assert_array_equal(items_of(lazy, picked)["image"], items_of(whole, picked)["image"])


def test_a_few_items_of_each_class_stay_in_memory(folder, small_cache):
    assert isinstance(opened(folder, per_class=3), ArraySource)


def test_batches_are_those_of_one_worker(folder, small_cache, workers):
    with Loader(opened(folder), batch_size=16, seed=5, start_step=1) as loader:
        batch = next(loader)
    with Loader(opened(folder), batch_size=16, seed=5) as loader:
        next(loader)
        again = next(loader)
    np.testing.assert_array_equal(batch["image"], again["image"])
    whole = Loader(
        ArraySource(items_of(opened(folder)), opened(folder).schema), batch_size=16, seed=5
    )
    with whole as loader:
        next(loader)
        np.testing.assert_array_equal(batch["image"], next(loader)["image"])


def test_a_file_that_has_changed_or_is_gone_is_refused_by_name(tmp_path, small_cache):
    for number in range(12):
        Image.new("RGB", (5, 6), (number, 0, 0)).save(tmp_path / f"{number:02d}.png")
    source = opened(tmp_path)
    Image.new("RGB", (5, 6), (99, 0, 0)).save(tmp_path / "10.png")
    (tmp_path / "11.png").unlink()
    with pytest.raises(DataError, match=r"10\.png .*has changed"):
        items_of(source, [10])
    with pytest.raises(DataError, match=r"11\.png .*is gone"):
        items_of(source, [11])
    with (
        Loader(source, batch_size=12, seed=0) as loader,
        pytest.raises(DataError, match=r"1[01]\.png"),
    ):
        next(loader)


def test_what_is_left_out_is_counted_by_reason_and_told_once_in_order(tmp_path, workers):
    for number in range(40):
        Image.new("RGB", (5, 6)).save(tmp_path / f"{number:02d}.png")
    for name in ("07.png", "30.png"):
        (tmp_path / name).write_bytes(b"no image")
    pages = [Image.new("RGB", (5, 6), colour) for colour in ("red", "blue")]
    pages[0].save(tmp_path / "12.gif", save_all=True, append_images=pages[1:])
    with pytest.warns(UserWarning, match="Left out") as told:
        source = opened(tmp_path)
    frames = "frames or pages after the first 1 (first: 12.gif)"
    message = f"Left out of {tmp_path}: unreadable 2 (first: 07.png), {frames}."
    assert [str(each.message) for each in told] == [message]
    assert source.left_out == {"unreadable": 2, "frames or pages after the first": 1}
    assert (len(source), source.skipped) == (39, 2)


def test_files_after_the_limit_are_not_counted(tmp_path, workers):
    for number in range(10):
        Image.new("RGB", (5, 6)).save(tmp_path / f"{number}.png")
    (tmp_path / "7.png").write_bytes(b"no image")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(opened(tmp_path, limit=5)) == 5


def numbered(root, count, size=4096):
    """Make items of so many files that don't exist: their names are enough."""
    files = [root / f"{number:08d}.bin" for number in range(count)]

    def read(file):
        return FileItem(np.full(size, int(file.stem) % 251, np.uint8))

    return ItemFiles(root, files, read, LeftOut(root))


def test_memory_does_not_grow_with_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(item_files, "CACHE_BYTES", 1 << 20)

    def kept(count):
        tracemalloc.start()
        items = numbered(tmp_path, count)
        gc.collect()
        ours = [tracemalloc.Filter(True, item_files.__file__), tracemalloc.Filter(True, __file__)]
        # Threads that other tests have left may take memory meanwhile.
        traces = tracemalloc.take_snapshot().filter_traces(ours).traces
        tracemalloc.stop()
        size = sum(trace.size for trace in traces)
        assert items.index_bytes == count * (len("00000000.bin") + 8 + 16)
        return size

    few, many = kept(1_000), kept(5_000)
    assert (many - few) / 4_000 < 64  # bytes a file, its name included
    assert few < (1 << 20) + 300_000


def test_items_of_another_shape_are_refused(tmp_path):
    def read(file):
        return FileItem(np.zeros(int(file.stem)))

    with pytest.raises(
        DataError, match=r"one shape and dtype; that of .*2 is \(2,\) and that of .*4 \(4,\)"
    ):
        ItemFiles(tmp_path, [tmp_path / "2", tmp_path / "4"], read, LeftOut(tmp_path))


def test_fields_beside_the_files_must_be_those_of_the_schema(tmp_path):
    items = numbered(tmp_path, 3)
    schema = genkit.Schema(
        {
            "sound": genkit.Field((4096,), "uint8", "audio"),
            "label": genkit.Field((), "int32", "label"),
        }
    )
    with pytest.raises(DataError, match="arrays named label beside the files of 'sound'"):
        FileSource("sound", items, schema)
    with pytest.raises(DataError, match="3 rows, one a file; 'label' has 2"):
        FileSource("sound", items, schema, {"label": np.zeros(2, np.int32)})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system forks no process")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # JAX may run; the child only decodes
def test_a_forked_process_decodes_too(folder, small_cache):
    source = opened(folder)
    items_of(source)
    child = os.fork()
    if not child:
        os._exit(0 if len(items_of(source)["image"]) == IMAGES else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.slow
def test_a_run_on_files_is_that_on_the_same_images_in_memory(folder, tmp_path, monkeypatch):
    def losses(name):
        result = genkit.train(
            "vae",
            dataset="image-folder",
            data={"path": str(folder), "transforms": "resize=8"},
            steps=6,
            batch_size=16,
            runs_dir=tmp_path,
            name=name,
            verbose=False,
        )
        data = result.run.environment()["data"]
        return result.run.metrics()[-1]["loss"], data["fingerprint"]

    whole = losses("whole")
    monkeypatch.setattr(item_files, "CACHE_BYTES", 1000)
    assert losses("lazy") == whole
