"""The documents, the fenced blocks in them, and where links may lead."""

import os
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SAMPLES = DOCS / "samples"
README = ROOT / "README.md"
PAGES = sorted([README, *DOCS.rglob("*.md")])
# What is written from the code, and the code's own examples in it.
GENERATED = "<!-- Written by docs/generate_reference.py"
# Whatever a reader may meet on a code host, or in a plugin that was made.
TEMPLATES = ROOT / "genkit" / "cli" / "scaffold" / "templates"
DOCUMENTS = sorted(
    {
        *PAGES,
        *ROOT.glob("*.md"),
        *ROOT.glob("plugins/*/README.md"),
        *TEMPLATES.glob("*/README.md"),
    }
)

_BLOCK = re.compile(
    r"(?:<!-- (?P<marker>[^\n]*?) -->\n)?^```(?P<language>[^\n`]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r'\]\(([^)\s]+)\)|<img src="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, the comment before it, its language and text."""

    page: Path
    marker: str
    language: str
    text: str

    def __str__(self) -> str:
        first = self.text.strip().splitlines()[0] if self.text.strip() else ""
        return f"{self.page.relative_to(ROOT)}: {first}"

    def commands(self) -> list[str]:
        """Return the lines of a shell block, with continued lines joined."""
        return [line for line in self.text.replace("\\\n", " ").splitlines() if line.strip()]


def blocks(*languages: str) -> list[Block]:
    """Return the blocks in these languages, but those of pages that are written from the code."""
    found = [
        Block(page, match["marker"] or "", match["language"].strip(), match["text"])
        for page, text in texts(PAGES).items()
        if not text.startswith(GENERATED)
        for match in _BLOCK.finditer(text)
    ]
    return [block for block in found if block.language in languages]


def texts(pages: Iterable[Path]) -> dict[Path, str]:
    """Return the text of each page."""
    return {page: page.read_text(encoding="utf-8") for page in pages}


def prose(page: Path) -> str:
    """Return a page's text without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[tuple[str, str]]:
    """Return file and place of each link and picture that leads to a file."""
    found = [link or picture for link, picture in _LINK.findall(prose(page))]
    parts = [target.partition("#") for target in found if "://" not in target]
    return [(file, place) for file, _, place in parts]


def anchors(page: Path) -> set[str]:
    """Return the places in a page that a link can name, as code hosts and MyST make them."""
    found: list[str] = []
    for heading in _HEADING.findall(prose(page)):
        words = re.sub(r"\]\([^)]*\)", "", heading).lower()
        found.append(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return {
        f"{name}-{before}" if (before := found[:number].count(name)) else name
        for number, name in enumerate(found)
    }


def path_with(folder: str, site: Path, path: str | None = None) -> str:
    """Do what `pip install -e` would with a plugin: write its metadata; no network.

    Args:
        folder: of the plugin: in the samples, or absolute.
        site: where the metadata goes.
        path: a PYTHONPATH that is added to; by default that of this process.

    Returns:
        a PYTHONPATH with which it is installed.
    """
    project = tomllib.loads((SAMPLES / folder / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    about = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    about += [f"Requires-Dist: {line}" for line in project["dependencies"]]
    (info / "METADATA").write_text("\n".join(about) + "\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    kept = os.environ.get("PYTHONPATH", "") if path is None else path
    return os.pathsep.join([str(site), str(SAMPLES / folder), kept])
