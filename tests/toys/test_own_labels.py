"""`genkit augment` where labels are no field of the data: a learner has its own view of items."""

import json
from contextlib import contextmanager

import numpy as np
import pytest
from keras import ops

import genkit
from genkit.data import Source
from genkit.errors import UsageError
from genkit.plugins.registry import Plugin, Registry, using
from tests.toys.measures import CLASSES, COLUMNS, Bells, Centroids, open_measures, rows_of
from tests.toys.settings import MeasuresData

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("active_backend", "compiled_fast")]
SMALL = {"per_class": 3, "ratios": [4], "seeds": 3, "verbose": False}


class Kinds(Source):
    """The measures; what kind a flower is of is a column as others are."""

    def __init__(self, config):
        self._source = open_measures(config)
        fields = {name: genkit.Field((), "float32", "petal") for name in COLUMNS}
        fields["kind"] = genkit.Field((), "int32", "petal", classes=CLASSES)
        self.schema = genkit.Schema(fields)

    def __len__(self):
        return len(self._source)

    def gather(self, indices):
        items = self._source.gather(indices)
        return {"kind" if name == "label" else name: each for name, each in items.items()}

    def fingerprint(self):
        return self._source.fingerprint()


class KindBells(Bells):
    """Bells that may be asked for a kind, and generate it with the rest."""

    conditional = False
    conditions = (genkit.Condition("kind"),)

    def classes(self):
        return CLASSES

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.columns = list(COLUMNS)
        self.means = self.add_weight(shape=(3, 3), initializer="zeros", name="kind_means")
        self.deviations = self.add_weight(shape=(3, 3), initializer="ones", name="kind_spread")

    def solve(self, source):
        items = source.gather(np.arange(len(source)))
        of = [rows_of(items)[items["kind"] == number] for number in range(3)]
        self.means.assign(np.stack([each.mean(0) for each in of]))
        self.deviations.assign(np.stack([each.std(0) for each in of]))
        return {}

    def decode(self, z, kind, kind_missing):
        kind = ops.where(kind_missing, 0, kind)
        return {**super().decode(z, kind), "kind": kind}


class OneRow(Source):
    """Rows as one field each, labelled by their kind."""

    def __init__(self, source):
        self._source = source
        self.assets = {"scale": np.ones(3, "float32")}
        row = genkit.Field((3,), "float32", "vector")
        label = genkit.Field((), "int32", "label", classes=CLASSES)
        self.schema = genkit.Schema({"row": row, "sort": label})

    def __len__(self):
        return len(self._source)

    def gather(self, indices):
        items = self._source.gather(indices)
        return {"row": rows_of(items), "sort": items["kind"]}

    def fingerprint(self):
        return self._source.fingerprint()


class ByKind(Centroids):
    """Learns kinds, and measures more than one thing."""

    measures = ("hits", "worst kind")
    condition = "kind"

    @classmethod
    def view(cls, source, generated):
        assert generated == (*COLUMNS, "kind")
        return OneRow(source)

    def viewed(self, items):
        return {"row": rows_of(items) * self.assets["scale"]}

    def train(self, source, classical, *, steps, seed, callbacks=()):
        items = source.gather(np.arange(len(source)))
        means = [items["row"][items[self.label] == number].mean(0) for number in range(3)]
        return np.stack(means), 0

    def scores(self, trained, source, corruption=""):
        items = source.gather(np.arange(len(source)))
        distances = np.square(items["row"][:, None] - trained).sum(-1)
        hits = distances.argmin(1) == items[self.label]
        worst = min(hits[items[self.label] == number].mean() for number in range(3))
        return float(hits.mean()), float(worst)

    def write(self, folder, parts):
        made = {origin: source.gather(np.arange(len(source))) for origin, source, _ in parts}
        told = {
            origin: {name: each.tolist() for name, each in items.items()}
            for origin, items in made.items()
        }
        (folder / "rows.json").write_text(json.dumps(told))


class Kindly:
    """Registers them."""

    @genkit.hookimpl
    def genkit_datasets(self):
        yield genkit.DatasetSpec(
            name="kinds", summary="Measures by kind", source=f"{__name__}:Kinds",
            config="tests.toys.settings:MeasuresData", modality="petal", splits=("train", "test"),
            subset=("per_class", "subset_seed", "subset"), licence="made by the program",
        )  # fmt: skip

    @genkit.hookimpl
    def genkit_models(self):
        yield genkit.ModelSpec(
            name="kind-bells", summary="A normal distribution a kind",
            model=f"{__name__}:KindBells", config="genkit.plugins.config:Config",
            accepts=("petal",), generates=("petal",), trainer="closed-form",
            conditions=(genkit.Condition("kind"),), presets={"default": {"dataset": "kinds"}},
        )  # fmt: skip

    @genkit.hookimpl
    def genkit_learners(self):
        yield genkit.LearnerSpec(
            name="by-kind", summary="Nearest mean", learner=f"{__name__}:ByKind",
            modality="petal", classical=("none",), steps=7,
        )  # fmt: skip


@contextmanager
def kindly():
    registry = Registry()
    registry.add(Kindly(), Plugin("kindly", "kindly", "1.0"))
    with using(registry):
        yield


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A whole augmentation of measures without a label."""
    with kindly():
        yield genkit.augment("kind-bells", out=tmp_path_factory.mktemp("own") / "rows", **SMALL)


def test_the_learner_says_what_is_measured_and_the_first_is_judged(result):
    told = result.summary
    assert told["measure"] == "hits"
    assert "points of hits" in told["verdict"]["sentence"]
    assert all(row["hits"] > 0.6 and "accuracy" not in row for row in told["table"])
    ((name, rows),) = told["also"].items()
    assert name == "worst kind"
    assert [row["arm"] for row in rows] == [row["arm"] for row in told["table"]]
    assert all(row[name] <= best["hits"] for row, best in zip(rows, told["table"], strict=True))
    assert {row["corruption"] for row in told["robustness"]} == {"shift"}
    kept = json.loads((result.folder / "results.json").read_text())
    real, _, _, mixed, _ = told["table"]
    assert real["values"] == [kept[str(seed)]["real"]["hits"] for seed in range(3)]
    assert real["values"] != rows[0]["values"]
    gain = mixed["hits"] - real["hits"]
    assert told["verdict"]["difference"] == pytest.approx(gain)


def test_generated_rows_are_of_the_kind_that_was_asked_for_and_take_turns(result):
    told = json.loads((result.folder / "mixed" / "rows.json").read_text())
    assert told["synthetic"]["sort"] == [0, 1, 2] * 12
    nearest = np.array(told["synthetic"]["row"]).argmax(1)  # each kind's centre is on its own axis
    assert (nearest == told["synthetic"]["sort"]).mean() > 0.8
    everything = open_measures(MeasuresData(per_class=3)).gather(np.arange(9))
    assert told["real"]["sort"] == everything["label"].tolist()
    np.testing.assert_array_equal(np.float32(told["real"]["row"]), rows_of(everything))


def test_how_long_is_the_learners_word_and_a_closed_form_has_no_steps(result):
    asked = json.loads((result.folder / "settings.json").read_text())
    assert asked["classifier_steps"] == 7
    assert asked["generator"]["steps"] is None


def test_a_model_that_cannot_be_asked_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(ByKind, "condition", "colour")
    with kindly(), pytest.raises(UsageError, match="asked for 'colour'; kind-bells can be asked"):
        genkit.augment("kind-bells", out=tmp_path / "no", **SMALL)
    assert not (tmp_path / "no").exists()
