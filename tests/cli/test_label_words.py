"""A word after --label means one class, wherever it stands."""

import pytest

from genkit.cli.generate import _show, parse_labels
from genkit.errors import UsageError
from genkit.models.generating import Generating
from genkit.plugins.specs import Field, Schema

pytestmark = pytest.mark.once

TWELVE = tuple(sorted(str(number) for number in range(1, 13)))  # "1", "10", "11", "12", "2", ...


def model(*classes):
    made = Generating()
    made.assets = {}
    made.conditional = True
    made.schema = Schema({"label": Field((), "int32", "label", classes=classes)})
    return made


def named(text, *classes):
    return [classes[number] for number in parse_labels(text, model(*classes))]


@pytest.mark.parametrize("name", TWELVE)
def test_a_name_that_is_a_number_is_the_name_alone_in_a_list_and_in_a_range(name):
    for text in (name, f"{name},{name}", f" {name} , {name}", f"{name}:{name}"):
        assert named(text, *TWELVE) == [name]
    assert named(f"{name},7", *TWELVE)[0] == name
    assert model(*TWELVE).class_number(name) == TWELVE.index(name)


@pytest.mark.parametrize(
    ("text", "classes", "wanted"),
    [
        ("1:3", TWELVE, ["1", "2", "3"]),
        ("9:11,2", TWELVE, ["9", "10", "11", "2"]),
        ("1:5", ("1", "2", "5"), ["1", "2", "5"]),
        ("2:3", ("2", "3", "cat"), ["2", "3"]),
        ("0:2,1", ("ant", "bee", "cat"), ["ant", "bee", "cat"]),
        ("cat,0", ("ant", "bee", "cat"), ["cat", "ant"]),
        ("007", ("ant",) * 7 + ("bond",), ["bond"]),
        ("01", ("01", "02"), ["01"]),
        ("-1,1", ("-1", "1"), ["-1", "1"]),
        ("1.0", ("0.5", "1.0"), ["1.0"]),
        ("cat,dog", ("cat", "cat,dog", "dog"), ["cat,dog"]),
        ("10:30", ("10:30", "cat"), ["10:30"]),
        ("cat,10:30", ("10:30", "cat"), ["cat", "10:30"]),
        ("0:9", tuple("0123456789"), list("0123456789")),
    ],
)
def test_numbers_stand_for_classes_only_where_none_is_called_by_a_number(text, classes, wanted):
    assert named(text, *classes) == wanted


@pytest.mark.parametrize(
    ("text", "classes", "message"),
    [
        ("0", TWELVE, "Expected one of 1, 10, 11, 12, 2, .*received '0'"),
        ("2,13", TWELVE, "received '13'"),
        ("0:3", TWELVE, "received '0'"),
        ("3:1", TWELVE, "that rises; received 3:1"),
        ("9:4,3", tuple("0123456789"), "that rises; received 9:4"),
        ("1", ("01", "02"), "Expected one of 01, 02; received '1'"),
        ("0", ("0.5", "1.0"), "received '0'"),
        ("0", ("2", "cat"), "received '0'"),
        ("2", ("ant", "bee"), r"Expected one of 0 \(ant\), 1 \(bee\); received '2'"),
        ("dgo", ("cat", "dog"), "Did you mean 'dog'"),
        ("cat,", ("cat", "dog"), "received ''"),
        ("-1", ("cat", "dog"), "received '-1'"),
    ],
)
def test_a_word_that_is_no_class_is_refused(text, classes, message):
    with pytest.raises(UsageError, match=message):
        parse_labels(text, model(*classes))


def test_an_integer_of_python_is_the_number_itself():
    made = model(*TWELVE)
    assert made.class_number(4) == 4
    assert made.class_numbers(2, ["2", 2]).tolist() == [4, 2]
    with pytest.raises(UsageError, match="received 12"):
        made.class_number(12)


def test_the_answer_names_classes_whose_number_is_another(capsys):
    shown = {
        "n": 2,
        "files": ["a", "b"],
        "out": "out",
        "refilled": False,
        "refused": {"n": 0, "reasons": {}},
    }
    _show({**shown, "label": [4, 5], "classes": ["2", "3"]})
    assert "Classes: 2 (label 4), 3 (label 5)" in capsys.readouterr().out
    for same in ({"label": [7], "classes": ["7"]}, {"label": None, "classes": None}):
        _show({**shown, **same})
        assert "Classes" not in capsys.readouterr().out
