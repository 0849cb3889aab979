"""Conditions: declared, checked against the data, encoded on the host, inputs of the compiled."""

import numpy as np
import pytest
from keras import ops

import genkit
from genkit.data import ColumnSource, Ragged, with_vocabulary
from genkit.errors import DataError, PluginError, UsageError
from genkit.evaluation.streams import GeneratedItems
from genkit.models.given import values_from

pytestmark = pytest.mark.usefixtures("active_backend")

TOWNS, ASSETS = with_vocabulary(
    "town", genkit.Field((), "int32", "category"), [f"town {n}" for n in range(300)]
)
SCHEMA = genkit.Schema(
    {
        "income": genkit.Field((), "int32", "category", classes=("<=50K", ">50K")),
        "town": TOWNS,
        "age": genkit.Field((), "int64", "number", (17, 90)),
        "joined": genkit.Field((), "datetime64[D]", "date"),
        "text": genkit.Field((None,), "int32", "text", (0, 25)),
        "label": genkit.Field((), "int32", "label", classes=("ant", "bee")),
        "made": genkit.Field((5,), "float32", "vector"),
    }
)


class Rows(genkit.Model):
    """Shows what it is given: income, town, age, a date and the sum of a prompt."""

    output_fields = ("made",)
    conditions = (
        genkit.Condition("income", required=True),
        genkit.Condition("town"),
        genkit.Condition("age"),
        genkit.Condition("joined"),
        genkit.Condition("prompt", modality="text", longest=20),
    )

    def encode_condition(self, name, values):
        if name == "prompt":
            return [np.array([ord(c) - ord("a") for c in text], np.int32) for text in values]
        return super().encode_condition(name, values)

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, 1), dtype="float32")}

    def decode(self, z, prompt, prompt_length, **given):
        self.shapes.append(tuple(prompt.shape))
        columns = [ops.where(given.get(f"{name}_missing", False), -1, given[name])
                   for name in ("income", "town", "age", "joined")]  # fmt: skip
        there = ops.arange(prompt.shape[1])[None] < prompt_length[:, None]
        columns.append(ops.sum(ops.where(there, prompt, 0), 1))
        return ops.stack([ops.cast(each, "float32") for each in columns], 1) + 0.0 * z


def rows(kind=Rows, schema=SCHEMA, **bound):
    model = kind(None, schema)
    model.bind(schema, ASSETS)
    model.shapes = []
    return model


def test_values_are_encoded_and_what_is_not_given_is_told():
    given = {"income": ">50K", "town": "town 7", "age": "39", "joined": "1970-01-11",
             "prompt": "bad"}  # fmt: skip
    np.testing.assert_array_equal(rows().generate(3, given=given), [[1, 7, 39, 10, 4]] * 3)
    np.testing.assert_array_equal(rows().generate(1, given={"income": 0}), [[0, -1, -1, -1, 0]])


def test_a_condition_that_comes_only_if_asked_is_left_out_where_nothing_is():
    class Few(Rows):
        conditions = (
            genkit.Condition("town", only_if_asked=True),
            genkit.Condition("age", only_if_asked=True),
        )

        def decode(self, z, **given):
            self.shapes.append(sorted(given))
            return ops.cast(given["age"][:, None] if given else z, "float32") * (1.0 + 0.0 * z)

    model = rows(Few)
    model.generate(2)
    np.testing.assert_array_equal(model.generate(2, given={"age": [20, None]}), [[20], [0]])
    model.generate(2, given={"age": None})
    assert model.shapes == [[], ["age", "age_missing", "town", "town_missing"]]


def test_values_are_given_for_all_or_by_item():
    given = {"income": ["<=50K", ">50K", 1], "age": [20, None, 22],
             "town": np.array([5, 6, 7]), "prompt": ["b", None, "ccc"]}  # fmt: skip
    expected = [[0, 5, 20, -1, 1], [1, 6, -1, -1, 0], [1, 7, 22, -1, 6]]
    np.testing.assert_array_equal(rows().generate(3, given=given), expected)


def test_an_item_follows_from_its_own_conditions_whatever_those_of_others():
    prompts = ["a" * (n % 21) for n in range(100)]
    model = rows()
    whole = model.generate(100, given={"income": 0, "prompt": prompts, "age": [17] * 100})
    alone = rows()
    for n in (0, 8, 9, 20, 99):
        item = alone.generate(1, given={"income": 0, "prompt": prompts[n], "age": 17})
        np.testing.assert_array_equal(item[0], whole[n])
    # An item's prompt is padded to its own bucket; the last is the longest that the model takes.
    assert set(model.shapes) == set(alone.shapes) == {(64, 8), (64, 16), (64, 20)}
    tail = model.generate_batches(100, given={"income": 0, "prompt": prompts}, begin=90)
    np.testing.assert_array_equal(np.concatenate(list(tail))[:, 4], whole[90:, 4])


def test_conditions_are_inputs_and_no_reason_to_compile_again():
    model = rows()
    values = [{"income": 0}, {"income": ">50K", "town": "town 3", "prompt": "abc"},
              {"income": [0, 1], "age": [None, 50], "joined": "2001-05-31"}]  # fmt: skip
    calls = []
    for given in (values[0], *values, values[0]):
        before = len(model.shapes)
        model.generate(2, given=given)
        calls.append(len(model.shapes) - before)
    # One call traces it; where nothing is compiled, each call is one.
    assert set(calls[2:4]) == {calls[1]} == {calls[-1]}
    assert calls[1] <= 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"income": 0, "pay": 1}, "Rows takes no condition 'pay'"),
        ({"income": 0, "twon": 1}, "Did you mean 'town'"),
        ({}, "Rows generates nothing without a value of 'income'"),
        ({"income": [0, None]}, "'income' for each item; that of item 1 is missing"),
        ({"income": [0, 1, 0]}, "one value of 'income', or 2 of them; received 3"),
        ({"income": "rich"}, r"income to be one of 0 \(<=50K\), 1 \(>50K\); received 'rich"),
        ({"income": 2}, "received 2"),
        ({"income": 0, "town": "town 7000"}, "Expected town to be one of"),
        ({"income": 0, "age": 120}, "Expected age from 17 to 90, as the data has it; received 120"),
        ({"income": 0, "age": "old"}, "Expected age as a whole number; received 'old'"),
        ({"income": 0, "age": 20.5}, "Expected age as a whole number; received 20.5"),
        ({"income": 0, "joined": "May"}, "Expected joined as a date such as 2001-05-31"),
        ({"income": 0, "prompt": "a" * 21}, "'prompt' of at most 20 steps.*received 21"),
        ({"income": 0, "label": "ant"}, "Rows takes no label"),
    ],
)  # fmt: skip
def test_what_the_model_does_not_take_or_no_item_has_is_refused_in_one_line(given, said):
    with pytest.raises(UsageError, match=said) as refused:
        rows().generate(2, given=given)
    assert "\n" not in str(refused.value)


def test_a_column_that_the_data_lacks_is_told_before_training():
    schema = genkit.Schema({"made": SCHEMA["made"], "text": SCHEMA["text"]})
    with pytest.raises(DataError, match="Expected data with a field 'income'.*received made, text"):
        rows(schema=schema)
    wordless = genkit.Schema({k: v for k, v in SCHEMA.fields.items() if k != "text"})
    with pytest.raises(DataError, match="Expected data with a field of modality 'text'"):
        rows(schema=wordless)


def test_text_that_only_the_model_can_encode_asks_for_its_encoder():
    class Plain(Rows):
        def encode_condition(self, name, values):
            return genkit.Model.encode_condition(self, name, values)

    with pytest.raises(PluginError, match="encode 'prompt', which is given as text"):
        rows(Plain).generate(1, given={"income": 0, "prompt": "abc"})
    tokens = np.array([1, 2, 3])
    assert rows(Plain).generate(1, given={"income": 0, "prompt": tokens})[0, 4] == 6
    with pytest.raises(UsageError, match="prompt from 0 to 25, as the data has it; received 26"):
        rows(Plain).generate(1, given={"income": 0, "prompt": [np.array([1, 26])]})


def test_a_label_is_one_condition_among_others():
    class Labelled(Rows):
        conditional = True

        def decode(self, label, **given):
            return super().decode(**given) + ops.cast(label[:, None], "float32")

    model = rows(Labelled)
    by_turns = model.generate(4, given={"income": 0})
    np.testing.assert_array_equal(by_turns[:, 0], [0, 1, 0, 1])
    for ways in ({"label": "bee"}, {"given": {"label": 1}}):
        given = {"income": 0, **ways.pop("given", {})}
        np.testing.assert_array_equal(model.generate(4, given=given, **ways)[:, 0], [1] * 4)
    with pytest.raises(UsageError, match="Expected the label once"):
        model.generate(4, label=0, given={"income": 0, "label": 1})


def test_a_record_of_a_condition_is_checked():
    with pytest.raises(PluginError, match="without '='"):
        genkit.Condition("a=b")
    with pytest.raises(PluginError, match="longest"):
        genkit.Condition("prompt", longest=0)


def test_what_a_model_needs_can_be_taken_from_data():
    age = genkit.Field((), "int64", "number", (17, 90), missing=True)
    schema = SCHEMA.replace(age=age)
    n = 6
    columns = {
        "income": np.arange(n, dtype="int32") % 2,
        "town": np.arange(n, dtype="int32"),
        "age": np.ma.MaskedArray(np.full(n, 20), [True] * 5 + [False]),
        "joined": np.full(n, "2001-05-31", "datetime64[D]"),
        "text": Ragged.of([[1] * 30] * n, "int32"),
        "label": np.zeros(n, "int32"),
        "made": np.zeros((n, 5), "float32"),
    }
    source, model = ColumnSource(columns, schema, ASSETS), rows(schema=schema)
    assert {k: list(v) for k, v in values_from(source, model, 8).items()} == {
        "income": [0, 1, 0, 1, 0, 1, 0, 1]
    }
    every = values_from(source, model, 8, every=True)
    assert list(every["age"]) == [20] * 8
    assert [len(text) for text in every["prompt"]] == [20] * 8
    with pytest.raises(DataError, match="Expected values of 'age' in the data"):
        values_from(source, model, 3, every=True)
    shuffled = values_from(source, model, 6, seed=1)["income"]
    assert list(shuffled) != [0, 1, 0, 1, 0, 1]


def test_an_evaluation_gives_the_model_what_real_items_have(tmp_path):
    model = rows()
    given = {"income": [n % 2 for n in range(70)]}
    made = GeneratedItems(model, 70, 0, None, tmp_path, given=given)
    incomes = np.concatenate([batch.items[:, 0] for batch in made.batches(None)])
    np.testing.assert_array_equal(incomes, given["income"])
