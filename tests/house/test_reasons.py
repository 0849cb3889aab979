"""The system's errors are told in words: no message shows ``[Errno 2]`` and a path twice."""

import ast
from pathlib import Path

import pytest

import genkit
from genkit.files import reason_of

pytestmark = pytest.mark.once

ROOT = Path(genkit.__file__).parents[1]
FILES = sorted([*ROOT.glob("genkit/**/*.py"), *ROOT.glob("plugins/*/genkit_*/**/*.py")])


def bare_errors(tree):
    """Yield the lines where a handler of OSError writes the error as it is into a text."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ExceptHandler) or "OSError" not in ast.dump(node.type or node):
            continue
        for inner in ast.walk(node):
            value = inner.value if isinstance(inner, ast.FormattedValue) else None
            if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "str":
                value = inner.args[0]
            if isinstance(value, ast.Name) and value.id == node.name:
                yield inner.lineno


def test_no_message_is_made_of_a_bare_error_of_the_system():
    found = {
        f"{file.relative_to(ROOT)}:{line}"
        for file in FILES
        for line in bare_errors(ast.parse(file.read_text(encoding="utf-8")))
    }
    assert len(FILES) > 200
    assert found == set(), "use genkit.files.reason_of, or strerror"


@pytest.mark.parametrize("text", ["f'{error}'", "str(error)", "f'a {error}.'"])
def test_a_bare_error_is_found(text):
    program = f"try:\n    pass\nexcept (OSError, ValueError) as error:\n    print({text})"
    assert list(bare_errors(ast.parse(program))) == [4]
    assert list(bare_errors(ast.parse(program.replace("OSError", "KeyError")))) == []


def test_a_reason_is_one_line_of_words(tmp_path):
    with pytest.raises(OSError) as caught:
        (tmp_path / "nothing").read_text()
    assert reason_of(caught.value) == "No such file or directory"
    assert reason_of(ValueError("Not\n a  number")) == "Not a number"
    assert reason_of(OSError("pool: [Errno -2] Name not known")) == "pool: Name not known"
    assert reason_of(EOFError()) == "EOFError"
