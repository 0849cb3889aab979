"""Files from strangers: every input gives a result or a GenkitError; no crash, hang or blow-up.

GENKIT_FUZZ_EXAMPLES sets how many inputs each test tries; the long form is `nox -s torture`.
"""

import gzip
import io
import json
import os
import struct
import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save

import genkit
from genkit.builtin.datasets.idx import read_idx
from genkit.builtin.datasets.image_files import image_items
from genkit.builtin.datasets.metadata import read_captions
from genkit.builtin.datasets.npz import NpzConfig, open_npz
from genkit.data.left_out import LeftOut
from genkit.errors import GenkitError
from genkit.plan.plan import load_plan, make_plan, read_recipe
from genkit.plugins.registry import installed
from genkit.plugins.specs import Schema
from genkit.runs import checkpoint_files
from genkit.runs.run import Run
from tests.fuzz.strategies import json_like, mutated

MEMORY = 64 * 2**20
EXAMPLES = int(os.environ.get("GENKIT_FUZZ_EXAMPLES", "150"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=5000,
    derandomize="GENKIT_FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.fixture(autouse=True)
def bounded_memory(active_backend):
    """No test here may take more memory than its files are worth."""
    import genkit.engine.state  # noqa: F401 - imports Keras, which takes more

    find(st.text(min_size=1), lambda _: True)  # makes hypothesis' tables of characters
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEMORY, f"{peak / 2**20:.0f} MiB"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


def survives(read, *arguments):
    """Call a reader; what it raises must be meant for people, in one line."""
    try:
        return read(*arguments)
    except GenkitError as refused:
        error = refused
    assert str(error)
    assert "\n" not in error.message
    return None


PLAN = make_plan(installed(), {"model": "vae", "dataset": "digits", "steps": 3}).model_dump(
    mode="json"
)
SCHEMA = {"image": {"shape": [8, 8, 1], "dtype": "uint8", "modality": "image", "range": [0, 16]}}
STATE = {
    "step": 4, "seconds": 1.5, "epoch_sums": {"loss": 3.0}, "window_sums": {"loss": 3.0},
    "first": {"loss": 4.0}, "metrics": {"loss": 2.0}, "finished": False,
    "callbacks": {"Count": {"dict": {"n": 3, "best": {"float": "inf"}, "seen": {"array": "a"}}}},
    "files": {"model.safetensors": "0" * 64, "training.safetensors": "0" * 64},
}  # fmt: skip


@fuzz
@given(json_like(PLAN) | mutated(json.dumps(PLAN).encode()).map(lambda b: b.decode("latin-1")))
def test_plans(text):
    survives(load_plan, text)


@fuzz
@given(mutated(b'model = "vae"\nsteps = 3\n[config]\nlatent_dim = 4\n[data]\nlimit = 9\n'))
def test_recipes(folder, content):
    file = folder / "recipe.toml"
    file.write_bytes(content)
    recipe = survives(read_recipe, file)
    if recipe is not None:
        survives(make_plan, installed(), {}, recipe)


@pytest.mark.slow
@fuzz
@given(json_like(STATE) | mutated(json.dumps(STATE).encode()))
def test_checkpoint_states(folder, text):
    (folder / "state.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    survives(checkpoint_files.read_position, folder)


@pytest.mark.slow
@fuzz
@given(json_like({"state": "running", "step": 3, "pid": 7, "host": "h"}))
def test_status(folder, text):
    run = Run(folder, load_plan(json.dumps(PLAN)))
    (folder / "status.json").write_text(text)
    survives(run.status)
    (folder / "environment.json").write_text(text)
    survives(run.environment)


@pytest.mark.slow
@fuzz
@given(json_like(SCHEMA))
def test_schemas(text):
    survives(Schema.from_dict, json.loads(text))


@pytest.mark.slow
@fuzz
@given(mutated(b'{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.0}\n'))
def test_logs(folder, content):
    run = Run(folder, load_plan(json.dumps(PLAN)))
    (folder / "metrics.jsonl").write_bytes(content)
    assert all(isinstance(row["step"], int) for row in run.metrics())


class Weights:
    """Stands where a model's state would: two variables to load."""

    def __init__(self):
        self.weights = {"a/kernel": np.zeros((4, 3)), "a/bias": np.zeros(3)}
        self.loaded = None

    def load_weights(self, arrays):
        self.loaded = arrays


ARRAYS = save({"a/kernel": np.ones((4, 3), "float32"), "a/bias": np.ones(3, "float32")})


def with_header(header):
    """Return a safetensors file whose header says what it likes."""
    text = header.encode()
    return struct.pack("<Q", len(text)) + text + bytes(60)


@fuzz
@given(
    mutated(ARRAYS)
    | json_like(json.loads(ARRAYS[8 : 8 + struct.unpack("<Q", ARRAYS[:8])[0]])).map(with_header)
    | st.binary(max_size=200)
    | st.integers(0, 2**64 - 1).map(lambda n: struct.pack("<Q", n) + b"{}")
)
def test_safetensors(folder, content):
    file = folder / "weights.safetensors"
    file.write_bytes(content)
    weights = Weights()
    survives(checkpoint_files.load_arrays, file, weights)
    if weights.loaded is not None:
        assert {k: a.shape for k, a in weights.loaded.items()} == {
            k: a.shape for k, a in weights.weights.items()
        }


@pytest.fixture(scope="module")
def pictures(folder):
    images = folder / "images"
    images.mkdir()
    Image.new("RGB", (6, 6), "red").save(images / "a.png")
    return images


@fuzz
@given(mutated(b'{"file_name": "a.png", "text": "a red square"}\n{"file_name": "b.png"}\n'))
def test_captions(pictures, content):
    (pictures / "metadata.jsonl").write_bytes(content)
    captions = survives(read_captions, pictures)
    assert set(captions or {}) <= {pictures / "a.png"}


IDX = b"\0\0\x08\x03" + struct.pack(">III", 2, 3, 3) + bytes(range(18))


@fuzz
@given(mutated(IDX) | mutated(gzip.compress(IDX, mtime=0)) | st.binary(max_size=64))
def test_idx(folder, content):
    file = folder / "images-idx3-ubyte"
    file.write_bytes(content)
    survives(read_idx, file)


def picture(format_, mode="RGB"):
    stream = io.BytesIO()
    rng = np.random.default_rng(0)
    shape = (16, 16, len(mode)) if len(mode) > 1 else (16, 16)
    Image.fromarray(rng.integers(0, 255, shape, dtype="uint8")).save(stream, format_)
    return stream.getvalue()


@fuzz
@given(
    st.one_of(
        mutated(picture("PNG", "RGBA")),
        *(mutated(picture(each)) for each in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")),
    )
)
def test_images(folder, content):
    file = folder / "picture.png"
    file.write_bytes(content)
    survives(partial(image_items, mode="RGB"), folder, [file], LeftOut(folder))


def archive():
    stream = io.BytesIO()
    np.savez(stream, image=np.zeros((4, 3, 3), "uint8"), label=np.arange(4))
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore::UserWarning")  # of what a file has and isn't used
@fuzz
@given(mutated(archive()))
def test_npz(folder, content):
    file = folder / "mine.npz"
    file.write_bytes(content)
    survives(open_npz, NpzConfig(path=file, label="label"))


@pytest.fixture(scope="module")
def export(tmp_path_factory, active_backend):
    """A small trained model, as it is handed on."""
    folder = tmp_path_factory.mktemp("export")
    config = {"width": 4, "latent_dim": 4, "hidden": 8}
    return genkit.train(
        "vae", dataset="digits", config=config, batch_size=100, steps=1, runs_dir=folder,
        verbose=False,
    ).path / "model"  # fmt: skip


@pytest.mark.slow
@settings(fuzz, max_examples=max(40, EXAMPLES // 20))
@given(st.data())
def test_exported_models(export, data):
    file = export / "config.json"
    original = json.loads(file.read_text())
    try:
        file.write_text(data.draw(json_like(original)))
        model = survives(genkit.load, export)
        assert model is None or model.schema is not None
    finally:
        file.write_text(json.dumps(original))
