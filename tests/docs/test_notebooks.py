"""The notebooks are their tutorials, and run."""

import json
import re
import sys

import pytest

from tests.docs.documents import DOCS, SAMPLES
from tests.docs.script import notebooks
from tests.docs.test_samples import check

# A cell after the other, in one namespace; few steps are enough to see that they work. What a cell
# ends with is displayed.
RUN = r"""
import ast, json, re, sys
namespace = {}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        body = ast.parse(re.sub(r"steps=\d+", "steps=20", "".join(cell["source"]))).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), "cell", "exec"), namespace)
        if last is not None:
            shown = eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)
            print(getattr(shown, "_repr_html_", shown.__repr__)() if shown is not None else "")
"""
# What a notebook does by itself where a shell has a command.
SHOWS, WRITES = "from IPython.display", "%%writefile"


def cells(name):
    notebook = json.loads((DOCS / "notebooks" / name).read_text(encoding="utf-8"))
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


def test_notebooks_are_what_the_tutorials_say():
    assert notebooks.stale() == [], "run: python docs/write_notebooks.py"


@pytest.mark.parametrize("name", notebooks.NOTEBOOKS)
def test_notebook_has_the_words_of_its_page_and_no_comment_of_it(name):
    words = "\n".join(source for kind, source in cells(name) if kind == "markdown")
    assert words.startswith("# Your first ")
    assert "<!--" not in words
    assert "../notebooks/" not in words


@pytest.mark.slow
def test_first_model_runs(tmp_path):
    notebook = DOCS / "notebooks" / "first-model.ipynb"
    shown = check([sys.executable, "-c", RUN, str(notebook)], tmp_path, MPLBACKEND="agg")
    assert shown.count("<img") >= 2  # pictures and curves of the two results


def test_first_generator_does_what_the_tested_sample_does():
    sample = (SAMPLES / "first_generator.sh").read_text(encoding="utf-8")
    commands = [line for line in sample.splitlines() if not line.startswith("# [")]
    sources = [source for kind, source in cells("first-generator.ipynb") if kind == "code"]
    written = [source for source in sources if source.startswith(WRITES)]
    done = [source for source in sources if not source.startswith((SHOWS, WRITES))]
    assert re.sub("^[!%]", "", "\n".join(done), flags=re.MULTILINE).splitlines() == commands
    (patch,) = written
    head, _, change = patch.partition("\n")
    assert head == f"{WRITES} ../first_generator.diff"
    shown = (SAMPLES / "first_generator.diff").read_text(encoding="utf-8")
    assert change.split() == shown.split()
