"""Recipes run in a small form without real data, and check what they say they check."""

import os
import subprocess
import sys
from pathlib import Path

import fx_report
import keras
import pytest
import quiz
import stories

RECIPES = Path(__file__).parents[1] / "recipes"
FAST = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
SAID = {
    "names": ("112 names", "1000 made:", "beginning 'mar':"),
    "stories": ("54 tales", "There was once a king who had"),
    "product_copy": ("18 products", "have the style", "by 4 beams"),
    "quiz": ("40 questions", "are answered right", "(right: "),
    "fx_report": ("324 months", ", 0 have a number that is not in the table", "USD: "),
}


# The others are of the same parts: these two have the most of their own.
EACH_TIME = {"quiz", "fx_report"}


@pytest.mark.parametrize(
    "name",
    [name if name in EACH_TIME else pytest.param(name, marks=pytest.mark.full) for name in SAID],
)
def test_a_recipe_runs_without_real_data(tmp_path, name):
    done = subprocess.run(
        [sys.executable, str(RECIPES / f"{name}.py"), str(tmp_path), "--steps", "3"],
        env={**os.environ, **FAST, "GENKIT_DATA": "", "KERAS_BACKEND": keras.config.backend()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in SAID[name]:
        assert words in done.stdout
    assert (tmp_path / "run" / "report.html").is_file()


SLOTS = {"currency": "USD", "month": "2024-03", "change": "1.20", "close": "1.0811",
         "high": "1.0948", "low": "1.0796"}  # fmt: skip


def test_a_number_that_is_not_in_the_table_is_found():
    text, sound = fx_report.filled("{currency} fell by {change} % to {close} in {month}.", SLOTS)
    assert sound
    assert text == "USD fell by 1.20 % to 1.0811 in 2024-03."
    assert fx_report.checked(text, SLOTS)
    for wrong in (text.replace("1.20", "1.21"), f"{text} It had 3 quiet weeks."):
        assert not fx_report.checked(wrong, SLOTS)


@pytest.mark.parametrize(
    "worded",
    ["{currency} fell.", "{change} % to {close} and {open}", "{change} % to {close} {", "", "{}"],
)
def test_a_sentence_with_other_slots_is_replaced_by_the_plain_one(worded):
    text, sound = fx_report.filled(worded, SLOTS)
    assert not sound
    assert text == "USD stood at 1.0811 per euro at the end of 2024-03, 1.20 % from its beginning."
    assert fx_report.checked(text, SLOTS)


def test_each_sentence_of_the_templates_is_sound_and_says_the_right_direction():
    for wording in fx_report._all_wordings():
        text, sound = fx_report.filled(wording, SLOTS)
        assert sound
        assert fx_report.checked(text, SLOTS)
        up = any(word in wording for word in ("gained", "rose", "weakened"))
        assert fx_report._against(wording, ("down",)) == up
        assert fx_report._against(wording, ("up",)) != up


def test_a_month_is_told_as_its_rates_are(monkeypatch, tmp_path):
    monkeypatch.setenv("GENKIT_DATA", str(tmp_path))
    monkeypatch.setattr(
        fx_report, "_rates", lambda: {"USD": [("2024-01-02", 1.0), ("2024-01-03", 1.2),
                                              ("2024-01-04", 0.9), ("2024-02-01", 1.1)]}
    )  # fmt: skip
    first, second = fx_report.months()
    assert first["told"] == "USD; down; much; high first"
    assert first["slots"]["change"] == "10.00"
    assert second["told"] == "USD; down; little; low first"


def test_books_are_parted_at_titles_and_lines_are_joined(tmp_path):
    tale = "A king\nhad a bird.\n\nIt sang.\n\n" + "And so on. " * 40
    (tmp_path / "grimm.txt").write_text(f"Tales\n\nTHE GOLDEN BIRD\n\n{tale}\n\nHANS IN LUCK\n\nx")
    (tmp_path / "bryant-stories.txt").write_text("THE CLOUD\n\nshort")
    (found,) = stories.tales(tmp_path)
    assert found.startswith("A king had a bird.\nIt sang.\nAnd so on.")


def test_made_up_questions_have_their_answer_among_the_choices():
    assert all(each["answer"] in each["choices"] for each in quiz.SMALL)
