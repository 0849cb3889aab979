"""Models and data that a Python program hands over: whole runs, without a plugin or a file."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import genkit
from genkit.data import ArraySource, Source, as_source, held
from genkit.errors import DataError, RunError, UsageError
from genkit.plugins.registry import Registry, installed, using

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 255, (40, 8, 8, 1), dtype=np.uint8)
LABELS = np.arange(40, dtype=np.int32) % 4
DATA = {"image": IMAGES, "label": LABELS}
SETTINGS = {"batch_size": 16, "verbose": False}

pytestmark = pytest.mark.usefixtures("compiled_fast")


def tiny_gan(schema):
    """Build a GAN for whatever the first field is."""
    import keras
    from keras import layers

    shape = next(iter(schema.fields.values())).shape
    size = int(np.prod(shape))
    generator = keras.Sequential([keras.Input((4,)), layers.Dense(size, "tanh")])
    generator.add(layers.Reshape(shape))
    discriminator = keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(1)])
    return genkit.GAN(generator, discriminator, output_range=(-1, 1))


@pytest.fixture
def train(tmp_path, active_backend):
    def run(model, name="own", **settings):
        return genkit.train(model, name=name, runs_dir=tmp_path, **{**SETTINGS, **settings})

    return run


@pytest.fixture
def another_process():
    """Forget what was handed over, as a process does that has not trained."""

    def forget():
        held._newest.clear()
        return using(Registry())

    return forget


def weights_of(result):
    return (result.path / "model" / "weights.safetensors").read_bytes()


def items():
    for image, label in zip(IMAGES, LABELS, strict=True):
        yield {"image": image, "label": label}


def torch_dataset():
    torch = pytest.importorskip("torch")

    class Pictures(torch.utils.data.Dataset):
        def __len__(self):
            return 40

        def __getitem__(self, number):
            return IMAGES[number], int(LABELS[number])

    return Pictures()


def torch_loader():
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(torch_dataset(), batch_size=7, shuffle=True)


def tf_data():
    tensorflow = pytest.importorskip("tensorflow")
    return tensorflow.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(6)


def hugging_face():
    datasets = pytest.importorskip("datasets")
    from PIL import Image

    rows = {"image": [Image.fromarray(image[..., 0]) for image in IMAGES], "label": LABELS.tolist()}
    names = datasets.ClassLabel(names=["0", "1", "2", "3"])
    features = datasets.Features(image=datasets.Image(), label=names)
    return datasets.Dataset.from_dict(rows, features)


PICTURES = {
    "arrays": lambda: DATA,
    "a source": lambda: as_source(DATA),
    "a list of items": lambda: list(zip(IMAGES, LABELS, strict=True)),
    "a generator": lambda: items,
    "torch Dataset": torch_dataset,
    "torch DataLoader": torch_loader,
    "tf.data": tf_data,
    "hugging face": hugging_face,
}


@pytest.fixture(scope="module")
def straight(tmp_path_factory, active_backend):
    """Return the weights after four steps in one go."""
    folder = tmp_path_factory.mktemp("straight")
    result = genkit.train(tiny_gan, dataset=DATA, steps=4, runs_dir=folder, **SETTINGS)
    return weights_of(result)


@pytest.mark.slow
@pytest.mark.parametrize("make", PICTURES.values(), ids=PICTURES)
def test_each_kind_of_data_trains_and_resumes_to_the_bit(train, straight, another_process, make):
    begun = train(tiny_gan, dataset=make(), steps=2)
    assert (begun.path / "report.html").is_file()
    with another_process():
        done = genkit.resume(begun.path, 2, dataset=make(), model=tiny_gan, verbose=False)
    assert done.outcome.steps == 4
    assert weights_of(done) == straight


def pandas_frame(columns):
    return pytest.importorskip("pandas").DataFrame(columns)


def polars_frame(columns):
    return pytest.importorskip("polars").DataFrame(columns)


def arrow_table(columns):
    return pytest.importorskip("pyarrow").table(columns)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Left out of the batches")  # names, which no network reads
@pytest.mark.parametrize("table", [pandas_frame, polars_frame, arrow_table])
def test_tables_train_and_resume(train, another_process, table):
    columns = {"pair": RNG.random((40, 2)).tolist(), "name": [f"no. {n}" for n in range(40)]}
    whole = train(tiny_gan, dataset=table(columns), steps=3, name="whole")
    begun = train(tiny_gan, dataset=table(columns), steps=1)
    with another_process():
        done = genkit.resume(begun.path, 2, dataset=table(columns), model=tiny_gan, verbose=False)
        assert genkit.load(done, model=tiny_gan).generate(3).shape == (3, 2)
    assert weights_of(done) == weights_of(whole)


def test_a_list_of_text_trains_a_model_that_makes_its_examples(train):
    class Letters(genkit.GAN):
        def examples(self, source: Source) -> Source:
            texts = source.gather(np.arange(len(source)))["text"]
            codes = np.array([[ord(c) / 128 for c in text] for text in texts], np.float32)
            schema = genkit.Schema({"text": genkit.Field((3,), "float32", "vector", (0, 1))})
            return ArraySource({"text": codes}, schema)

    def letters():
        schema = genkit.Schema({"text": genkit.Field((3,), "float32", "vector", (0, 1))})
        gan = tiny_gan(schema)
        return Letters(gan.generator, gan.discriminator)

    result = train(letters, dataset=["abc", "bcd", "cde"] * 10, steps=2)
    assert result.run.status()["state"] == "done"
    assert result.run.plan.data["object"] == "list of 30 items"


@pytest.mark.once
def test_a_run_on_handed_over_data_is_evaluated_reported_and_loaded(train, another_process):
    result = train("vae", dataset=DATA, steps=2, config={"width": 4, "latent_dim": 4})
    few = {"n": 32, "metrics": ["fid"], "verbose": False}
    (here,) = genkit.evaluate(result, **few)
    (other,) = genkit.evaluate(result, against=DATA | {"image": IMAGES[::-1].copy()}, **few)
    assert other.card["fingerprint"] != here.card["fingerprint"]
    report = genkit.write_report(result).path.read_text(encoding="utf-8")
    assert "Real" in report
    assert "genkit.train(" in report
    assert "dict of 40 items" in report
    with another_process():
        with pytest.raises(DataError, match=r"handed over, dict of 40 items.*dataset=\.\.\."):
            genkit.evaluate(result.path, **few)
        assert genkit.load(result.path).generate(2).shape == (2, 8, 8, 1)
        (again,) = genkit.evaluate(result.path, dataset=DATA, **few)
        assert again.value == here.value
        genkit.write_report(result.path, dataset=DATA)


def test_settings_of_images_work_on_handed_over_data(train):
    result = train(tiny_gan, dataset=DATA, data={"transforms": "resize=4", "per_class": 5}, steps=1)
    data = result.run.environment()["data"]
    assert (data["items"], data["schema"]["image"]["shape"]) == (20, [4, 4, 1])


def test_other_data_is_refused_and_so_is_data_for_a_run_that_names_its_own(train):
    result = train(tiny_gan, dataset=DATA, steps=1)
    changed = {**DATA, "image": IMAGES + 1}
    with pytest.raises(RunError, match=r"trained on, dict of 40 items; received .*other contents"):
        genkit.resume(result, 1, dataset=changed)
    named = train(tiny_gan, dataset="digits", steps=1, name="named")
    with pytest.raises(UsageError, match="finds its data by name, genkit-keras/digits"):
        genkit.resume(named, 1, dataset=DATA)


def test_ones_own_model_has_a_whole_run_and_is_built_again_by_its_function(train, another_process):
    result = train(tiny_gan, dataset=DATA, steps=2)
    assert result.run.plan.model == "tiny-gan"
    expected = genkit.load(result).generate(3)
    (figure,) = genkit.evaluate(result, n=32, metrics=["fid"], verbose=False)
    page = genkit.write_report(result).path.read_text(encoding="utf-8")
    assert "tiny_gan," in page
    assert "python" not in page.partition("pip install")[2].partition("</")[0]
    card = (result.path / "model" / "README.md").read_text(encoding="utf-8")
    assert 'genkit.load("this folder", model=build_model)' in card
    for folder in (result.path, result.path / "model"):
        with another_process():
            with pytest.raises(RunError, match=r"'tiny-gan' was handed over.*load\(run, model"):
                genkit.load(folder)
            made = genkit.load(folder, model=tiny_gan)
            np.testing.assert_array_equal(made.generate(3), expected)
    with another_process():
        again = genkit.evaluate(
            result.path, n=32, metrics=["fid"], dataset=DATA, model=tiny_gan, verbose=False
        )
        assert again[0].value == figure.value


def test_a_model_that_is_built_already_is_trained_itself(train):
    model = tiny_gan(as_source(DATA).schema)
    result = train(model, dataset=DATA, steps=2)
    assert model.trained_steps == 2
    np.testing.assert_array_equal(genkit.load(result).generate(3), model.generate(3))
    assert genkit.resume(result, 1, verbose=False).outcome.steps == 3
    with pytest.raises(UsageError, match="trained on data with image, label of another form"):
        train(model, dataset={"image": IMAGES[:, :4]}, steps=1, name="other")


def test_classes_and_functions_that_are_filled_in_build_models_too(train):
    class Twin(genkit.GAN):
        def __init__(self, width, schema):
            made = tiny_gan(schema)
            super().__init__(made.generator, made.discriminator, schema=schema)
            self.width = width

    assert train(partial(Twin, 3), dataset=DATA, steps=1).run.plan.model == "twin"
    with pytest.raises(UsageError, match=r"Twin needs width too\. Fill them in: functools.partial"):
        train(Twin, dataset=DATA, steps=1, name="second")
    named = train(lambda: tiny_gan(as_source(DATA).schema), dataset=DATA, steps=1, name="third")
    assert named.run.plan.model == "model"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (3, "received int"),
        (lambda: 3, "returned int"),
        ("keras", r"received Sequential\. Networks of Keras are put into one: genkit.GAN"),
    ],
)
def test_another_model_is_refused_in_one_line(train, tmp_path, model, message):
    if model == "keras":
        import keras

        model = keras.Sequential()
    with pytest.raises(UsageError, match=message):
        train(model, dataset=DATA, steps=1)
    assert not (tmp_path / "own").exists()


def test_an_object_that_nobody_opens_leaves_no_run(train, tmp_path):
    with pytest.raises(DataError, match="received set"):
        train("vae", dataset={1}, steps=1)
    assert list(tmp_path.iterdir()) == []


def test_fit_and_train_share_the_door(active_backend):
    gan = tiny_gan(as_source(items).schema)
    gan.fit(items, steps=1, batch_size=16, verbose=False)
    assert gan.schema == as_source(DATA).schema
    with pytest.raises(DataError, match="received set"):
        gan.fit({1}, steps=1)


def test_only_the_last_few_data_sets_are_remembered():
    sources = [as_source(np.full((3, 2), n) + np.eye(3, 2)) for n in range(6)]
    names = [held.hold(source) for source in sources]
    assert held.find_held(names[-1]) is sources[-1]
    assert held.find_held(names[2]) is sources[2]
    with pytest.raises(DataError, match="has not been handed it"):
        held.find_held(names[1])


def test_what_is_handed_over_again_replaces_what_was(train):
    train(tiny_gan, dataset=DATA, steps=1)
    before = len(installed().entries("models"))
    train(tiny_gan, dataset=DATA, steps=1, name="second")
    assert len(installed().entries("models")) == before


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("command", ["evaluate", "generate", "resume"])
def test_commands_tell_in_one_line_that_python_has_to_hand_it_over(train, command):
    result = train(tiny_gan, dataset=DATA, steps=1)
    more = ["--steps", "1"] if command == "resume" else []
    done = subprocess.run(
        [sys.executable, "-m", "genkit", command, str(result.path), *more],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "handed over" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
