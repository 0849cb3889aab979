"""Write the samples into the pages that show them: python docs/fill_samples.py.

With --check nothing is written; it fails if a page shows a sample as it no longer is.

A fenced block with one of these comments on the line before it is a sample, or a part of one:

    <!-- sample: ../samples/own_model.py -->
    <!-- sample: ../samples/own_model.py, after "# [noise]", before "# [/noise]" -->
    <!-- sample: ../samples/own_model.py, from "class WGAN" -->

The path is relative to the page. `after` and `before` name lines that are left out, `from` the
first line that is shown; lines that mark a place, as `# [noise]`, are never shown. So the pages can
be read as they stand, on a code host too, and the samples are files that tests run.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parent
PAGES = (HERE.parent / "README.md", *sorted(HERE.rglob("*.md")))

SAMPLE = re.compile(
    r"(?P<head>^<!-- sample: (?P<path>[^\n,]+?)(?P<places>(?:, \w+ \"[^\n\"]+\")*) -->\n"
    r"```(?P<language>[^\n`]*)\n)(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PLACE = re.compile(r', (\w+) "([^"]+)"')
_MARK = re.compile(r"\s*# \[/?\w+\]")


def filled(page: Path) -> str:
    """Return the page's text with each sample as its file has it now."""

    def fill(match: re.Match[str]) -> str:
        return f"{match['head']}{sample(page, match['path'], match['places'])}```"

    return SAMPLE.sub(fill, page.read_text(encoding="utf-8"))


def sample(page: Path, path: str, places: str) -> str:
    """Return what a page shows of a file: whole lines, without the margin they share.

    Raises:
        LookupError: a place isn't in the file.
    """
    lines = (page.parent / path).read_text(encoding="utf-8").splitlines()
    for word, mark in _PLACE.findall(places):
        number = next((n for n, line in enumerate(lines) if mark in line), None)
        if number is None or word not in ("after", "from", "before"):
            raise LookupError(f'{page.name}: {path} has no place {word} "{mark}".')
        if word == "before":
            del lines[number:]
        else:
            del lines[: number + (word == "after")]
    shown = "\n".join(line for line in lines if not _MARK.fullmatch(line))
    return textwrap.dedent(shown).strip("\n") + "\n"


def stale() -> list[str]:
    """Name the pages that show a sample as it no longer is."""
    return [page.name for page in PAGES if page.read_text(encoding="utf-8") != filled(page)]


def main() -> None:
    """Fill the pages; with ``--check`` only say which are stale."""
    if "--check" in sys.argv[1:]:
        if names := stale():
            sys.exit(f"Stale: {', '.join(names)}. Run: python docs/fill_samples.py")
        return
    for page in PAGES:
        page.write_text(filled(page), encoding="utf-8")


if __name__ == "__main__":
    main()
