"""What is printed in columns: words stay whole, whatever the width."""

import pytest

from genkit.cli.output import definitions, table

pytestmark = pytest.mark.once

COLUMNS = ["name", "type", "settings"]
ROWS = [
    ["default", "'saturating' or 'non-saturating'", "learning_rate_schedule = linear"],
    ["reference", "float", ""],
]


def printed(capsys, monkeypatch, width, show):
    monkeypatch.setenv("COLUMNS", str(width))
    show()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    return [line.rstrip() for line in lines]


def test_a_table_that_must_be_narrow_breaks_between_words(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, 55, lambda: table("Presets", COLUMNS, ROWS))
    words = {word for row in [COLUMNS, *ROWS] for cell in row for word in cell.split()}
    assert words | {"Presets"} == {word for line in lines for word in line.split()}
    assert len(lines) == 5


def test_nothing_is_cut_off_where_one_long_column_takes_the_room_of_the_short_ones(
    capsys, monkeypatch
):
    columns = ["name", "data set", "length", "time", "FID", "settings"]
    long = ", ".join(f"a_setting_of_the_model_{number} = {number}" for number in range(9))
    rows = [["reference", "mnist", "3300 steps", "2.6 min", "100", long]]
    for width in range(62, 100):
        lines = printed(capsys, monkeypatch, width, lambda: table("", columns, rows))
        shown = {word for line in lines for word in line.split()}
        assert {word for row in [columns, *rows] for cell in row for word in cell.split()} == shown


def test_a_table_whose_words_do_not_fit_is_a_paragraph_a_row(capsys, monkeypatch):
    lines = printed(capsys, monkeypatch, 40, lambda: table("Presets", COLUMNS, ROWS))
    assert lines == [
        "Presets",
        "default",
        "  type: 'saturating' or 'non-saturating'",
        "  settings: learning_rate_schedule =",
        "    linear",
        "reference",
        "  type: float",
    ]


def test_a_setting_is_read_at_any_width(capsys, monkeypatch):
    entries = [("loss", "'saturating' or 'non-saturating'; required", "What the [G] minimises")]
    for width, expected in {
        80: ["loss  'saturating' or 'non-saturating'; required", "  What the [G] minimises"],
        30: [
            "loss  'saturating' or",
            "  'non-saturating'; required",
            "  What the [G] minimises",
        ],
    }.items():
        lines = printed(capsys, monkeypatch, width, lambda: definitions("Settings", entries))
        assert lines == ["", "Settings", *expected]
