"""Write tutorials as notebooks: python docs/write_notebooks.py.

With --check nothing is written; it fails if a notebook is stale.

A notebook has the words of its page. What the page shows of `docs/samples` becomes cells that run:
Python as it is, commands with `!`, a change to files as a patch that is applied. The output that
the page shows below a command is left out, since the cell makes its own; a picture may name the
cell that shows the reader's own in a comment before it, `<!-- cell: ... -->`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
NOTEBOOKS = {
    "first-model.ipynb": "in-a-notebook.md",
    "first-generator.ipynb": "first-generator.md",
}
_CELL = re.compile(
    r"^<!-- sample: \.\./samples/(?P<file>[^\n,]+)[^\n]* -->\n```\w+\n(?P<text>.*?)^```\n"
    r"(?:\n```text\n.*?^```\n)?"
    r"|^<!-- cell: (?P<code>[^\n]+) -->\n<img [^\n]+>\n",
    re.MULTILINE | re.DOTALL,
)
# Comments, and the line by which a page leads to its notebook.
_LEFT_OUT = re.compile(r"^<!-- [^\n]+ -->\n|^As a notebook, [^\n]+\n\n", re.MULTILINE)
_SIBLING = re.compile(r"\]\((?=[\w-]+\.md)")


def written(page: str) -> str:
    """Return the notebook of a tutorial, in the format nbformat 4.5."""
    cells = [
        {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": _lines(source)}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for number, (kind, source) in enumerate(_cells(page), 1)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cells(page: str) -> Iterator[tuple[str, str]]:
    """Return kind and source of each cell."""
    text = (HERE / "tutorials" / page).read_text(encoding="utf-8")
    end = 0
    for match in _CELL.finditer(text):
        yield from _words(text[end : match.start()])
        yield from (("code", source) for source in _sources(match))
        end = match.end()
    yield from _words(text[end:])


def _words(text: str) -> Iterator[tuple[str, str]]:
    text = _SIBLING.sub("](../tutorials/", _LEFT_OUT.sub("", text)).strip()
    if text:
        yield "markdown", text


def _sources(match: re.Match[str]) -> Iterator[str]:
    file, text = match["file"], (match["text"] or "").strip("\n")
    if match["code"]:
        yield match["code"].replace("; ", "\n\n")
    elif file.endswith(".diff"):
        yield f"%%writefile ../{file}\n{text}"
        yield f"!git apply ../{file}"
    elif file.endswith(".sh"):
        yield "\n".join(_in_a_cell(line) for line in text.splitlines())
    else:
        yield text


def _in_a_cell(command: str) -> str:
    """Return a line of a shell as a notebook has it: `%cd` and `%pip` act on the notebook's own."""
    return f"{'%' if command.startswith(('cd ', 'pip ')) else '!'}{command}"


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def stale() -> list[str]:
    """Name the notebooks whose file differs from what would be written, or is missing."""
    return [
        name
        for name, page in NOTEBOOKS.items()
        if not (file := HERE / "notebooks" / name).is_file()
        or file.read_text(encoding="utf-8") != written(page)
    ]


def main() -> None:
    """Write the notebooks; with ``--check`` only say which are stale."""
    if "--check" in sys.argv[1:]:
        if names := stale():
            sys.exit(f"Stale: {', '.join(names)}. Run: python docs/write_notebooks.py")
        return
    for name, page in NOTEBOOKS.items():
        (HERE / "notebooks" / name).write_text(written(page), encoding="utf-8")


if __name__ == "__main__":
    main()
