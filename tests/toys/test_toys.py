"""Text, tables and sound through the same door as pictures: the kit, training, what is refused."""

import numpy as np
import pytest
from keras import ops

import genkit
from genkit.data import ArraySource, Loader, bucket, vocabulary_of
from genkit.errors import DataError, UsageError
from genkit.evaluation.streams import batches_of
from genkit.plugins.registry import installed
from genkit.report.inputs import evenly
from genkit.report.renderers import render_numbers
from genkit.runs.inputs import build_model, open_entry
from genkit.testing import checks_for
from tests.toys.sayings import ALPHABET

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")

DATA = ("sayings", "people", "beeps", "postcards")
LABELLED = ("measures", "bells")
MODELS = {
    "bigrams": "sayings",
    "writer": "sayings",
    "rows": "people",
    "chime": "beeps",
    "collage": "postcards",
}


def opened(name, **settings):
    return open_entry(installed().find("datasets", name), settings)


def built(name, source):
    model = build_model(name, "genkit-keras-toys", {}, source.schema, assets=source.assets)
    assert model.assets == source.assets
    return model


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "writer",
        *(pytest.param(name, marks=pytest.mark.once) for name in sorted({*MODELS} - {"writer"})),
        *(pytest.param(name, marks=pytest.mark.once) for name in (*DATA, *LABELLED)),
        *(pytest.param(name, marks=pytest.mark.once) for name in ("trim", "every", "gain", "toys")),
    ],
)
def test_the_kit_finds_nothing_wrong(name):
    found = [c for c in checks_for(name) if not c.definition.spans_backends]
    if name == "toys":
        found = [c for c in found if c.kind == "plugins"]
    outcomes = [check.run() for check in found]
    assert outcomes
    assert [o for o in outcomes if o.outcome == "failed"] == []


@pytest.mark.cross_backend
@pytest.mark.parametrize(
    "name",
    [name if name == "writer" else pytest.param(name, marks=pytest.mark.full) for name in MODELS],
)
def test_backends_agree(name):
    found = [c.run() for c in checks_for(name) if c.definition.spans_backends]
    assert {o.outcome for o in found} <= {"passed", "skipped"}, found


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_whole_run_learns_and_says_what_it_generates(name, tmp_path, active_backend):
    result = genkit.train(
        name, steps=60, batch_size=16, runs_dir=tmp_path, backend=active_backend, verbose=False
    )
    losses = result.run.history["loss"]
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:5])
    model = genkit.load(result.path)
    wanted = {
        "bigrams": ("text",),
        "writer": ("text",),
        "rows": ("age", "job", "joined", "key", "planet"),
        "chime": ("sound",),
        "collage": ("picture", "caption"),
    }
    assert model.output_fields == wanted[name]
    page = (result.path / "report.html").read_text()
    assert ("<audio" in page) == (name == "chime")


def test_a_vocabulary_comes_with_the_run_and_not_in_its_json(tmp_path, active_backend):
    result = genkit.train("bigrams", steps=2, runs_dir=tmp_path, backend=active_backend,
                          verbose=False)  # fmt: skip
    model = genkit.load(result.path)
    assert vocabulary_of(model.schema, "text", model.assets) == ALPHABET
    assert "<end>" not in (result.path / "environment.json").read_text()


def test_what_stands_behind_an_item_does_not_change_its_loss():
    source = opened("sayings")
    model = built("bigrams", source)
    batch = source.gather(np.arange(4))
    longer = {**batch, "text": np.pad(batch["text"], [(0, 0), (0, 40)])}
    losses = [
        float(ops.convert_to_numpy(model.cross_entropy({k: ops.convert_to_tensor(v)
                                                        for k, v in each.items()})))
        for each in (batch, longer)
    ]  # fmt: skip
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.once
@pytest.mark.parametrize("name", ["sayings", "beeps"])
def test_many_lengths_make_few_shapes(name):
    source = opened(name)
    field = "text" if name == "sayings" else "sound"
    with Loader(source, batch_size=8, seed=0) as loader:
        batches = [next(loader) for _ in range(60)]
    lengths = {int(length) for batch in batches for length in batch[f"{field}_length"]}
    shapes = {batch[field].shape for batch in batches}
    assert len(lengths) > 20
    assert len(shapes) <= 3
    assert all(shape[1] == bucket(shape[1]) for shape in shapes)


@pytest.mark.once
def test_metrics_and_reports_get_items_cut_to_their_length():
    source = opened("beeps", limit=70)
    lengths = source.gather(np.arange(70))["sound_length"].tolist()
    items = [item for batch in batches_of(source, "sound", None) for item in batch.items]
    assert [len(item) for item in items] == lengths
    shown, _ = evenly(source, "sound", 3)
    assert [len(item) for item in shown] == [lengths[0], lengths[34], lengths[69]]
    assert "shape of their own" in render_numbers(shown, "Sounds")


@pytest.mark.once
def test_a_model_of_text_measures_and_shows_text_where_there_are_pictures_too():
    sayings = opened("sayings").schema
    photo = genkit.Field((8, 8, 3), "uint8", "image", (0, 255))
    schema = genkit.Schema({"photo": photo, **sayings.fields})
    model = build_model("bigrams", "genkit-keras-toys", {}, schema)
    assert (model.generated_field(), model.modality) == ("text", "text")


@pytest.mark.once
def test_transforms_of_sound_stand_beside_those_of_images():
    plain = opened("beeps", limit=9)
    made = opened("beeps", limit=9, transforms=("trim=-40", "every=2", "gain=0.5"))
    assert (made.schema["sound"].rate, made.schema["sound"].range) == (4000, (-0.5, 0.5))
    batch, was = (source.gather(np.arange(9)) for source in (made, plain))
    assert (batch["sound_length"] <= (was["sound_length"] + 1) // 2).all()
    # Each tone begins with a zero, which is trimmed.
    assert batch["sound"][0, 0] == was["sound"][0, 1] / 2
    assert made.fingerprint() != plain.fingerprint()
    with pytest.raises(DataError, match="modality 'image'"):
        opened("beeps", transforms=("grayscale",))


@pytest.mark.once
def test_a_transform_is_told_by_its_own_usage():
    with pytest.raises(UsageError, match="Expected trim=-40; received 'trim=loud'"):
        opened("beeps", transforms=("trim=loud",))


class Reader(genkit.Model):
    """Wants text as it is."""

    def training_step(self, batch, minimize):
        return {}


@pytest.mark.once
def test_text_that_a_model_needs_is_refused_by_name_before_training():
    words = np.array(["a", "b"], object)
    source = ArraySource({"words": words}, genkit.Schema(
        {"words": genkit.Field((), "string", "text")}))  # fmt: skip
    with pytest.raises(DataError, match="field 'words' that Reader is trained on; received string"):
        Reader().fit(source, batch_size=1, verbose=False)


@pytest.mark.once
def test_text_that_nobody_declared_is_told_when_it_is_left_out():
    schema = genkit.Schema({"number": genkit.Field((), "float32", "number"),
                            "words": genkit.Field((), "string", "text")})  # fmt: skip
    arrays = {"number": np.ones(2, "float32"), "words": np.array(["a", "b"], object)}
    with pytest.warns(UserWarning, match="hold numbers alone: words"):
        Reader().fit(ArraySource(arrays, schema), batch_size=1, steps=1, verbose=False)
