"""Help flows at any width; errors are broken at words."""

import os
import shlex
import subprocess
import sys

import pytest

from genkit.cli.help_text import reflowed

pytestmark = pytest.mark.once

GENKIT = [sys.executable, "-m", "genkit"]
COMMANDS = ["", "run", "augment", "compare", "generate", "evaluate", "new", "new plugin"]


def helped(command, columns):
    done = subprocess.run(
        [*GENKIT, *command.split(), "--help"],
        env={**os.environ, "COLUMNS": str(columns), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def words(text):
    return [word for word in text.split() if not set(word) <= set("╭╮╰╯─│\\")]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("columns", [30, 45])
def test_no_word_of_help_is_cut_or_too_wide(command, columns):
    text = helped(command, columns)
    assert "…" not in text
    for line in text.splitlines():
        flag_and_value = line.rstrip("\\ ").split()
        assert len(line) <= columns or len(flag_and_value) <= 2, line


def test_narrow_help_says_all_that_wide_help_says():
    wide, narrow = helped("run", 160), helped("run", 40)
    missing = set(words(wide)) - set(words(narrow)) - {"Options", "Arguments", "*"}
    titles = {"What", "to", "train", "How", "long", "Where", "it", "goes"}
    assert {word for word in missing - titles if word.startswith("-")} == set()
    for sentence in ("A setting of the trainer:", "Seed of all randomness."):
        assert sentence in " ".join(words(narrow))


def test_paragraphs_flow():
    lines = [line.strip() for line in helped("augment", 100).splitlines()]
    assert any(line.startswith("For each seed, a generator") and len(line) > 90 for line in lines)
    assert any(len(line) > 90 and line.startswith("same classifier") for line in lines)


DOC = """Train a model.

    One sentence, which is
    broken for the source.

    Examples:
      genkit run vae --set "augment=color translation" --log tensorboard -k 3
      genkit list
    """


@pytest.mark.parametrize("columns", [200, 50, 30])
def test_examples_stay_commands(columns):
    text = reflowed(DOC, columns)
    assert "One sentence, which is broken for the source." in text
    example = text.partition("Examples:\n")[2].partition("\n  genkit list")[0]
    assert shlex.split(example.replace("\\\n", " ")) == shlex.split(DOC.splitlines()[6])
    if columns < 200:
        assert max(map(len, example.splitlines())) <= max(columns, 45)
        assert "--log tensorboard" in example


@pytest.mark.skipif(os.name != "posix", reason="needs a terminal of POSIX")
@pytest.mark.parametrize("columns", [40, 80])
def test_in_a_terminal_errors_break_at_words(columns):
    import pty

    ours, theirs = pty.openpty()
    subprocess.run(
        [*GENKIT, "run", "ease"], stderr=theirs, check=False,
        env={**os.environ, "COLUMNS": str(columns), "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)
    lines = told.splitlines()
    assert lines[0].startswith("error: 'ease' comes with")
    assert all(len(line) <= columns for line in lines)
    assert any(line.startswith("Install it from a checkout") for line in lines)
    assert "./plugins/genkit-keras-recsys" in told.split()


@pytest.mark.parametrize("words", [(), ("new",)])
def test_a_group_alone_shows_its_help_in_a_narrow_terminal_too(genkit_here, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "40")
    _, out, err = genkit_here(*words)
    assert out.startswith("Usage: genkit")
    assert err == ""


@pytest.mark.parametrize("columns", [40, 100])
def test_usage_has_its_arguments_without_braces(genkit_here, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    _, out, _ = genkit_here("generate", "--help")
    usage = next(line for line in out.splitlines() if "Usage" in line)
    assert usage.strip() == "Usage: genkit generate [OPTIONS] RUN"
