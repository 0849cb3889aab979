"""The documents, and the fenced blocks in them."""

import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SAMPLES = DOCS / "samples"
README = ROOT / "README.md"
PAGES = sorted([README, *DOCS.rglob("*.md")])

_BLOCK = re.compile(
    r"(?:<!-- (?P<marker>[^\n]*?) -->\n)?^```(?P<language>[^\n`]*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


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
    """Return the blocks in these languages; includes have none of them."""
    found = [
        Block(page, match["marker"] or "", match["language"].strip(), match["text"])
        for page in PAGES
        for match in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]
    return [block for block in found if block.language in languages]


def path_with(folder: str, site: Path) -> str:
    """Do what `pip install -e` would with a sample plugin: write its metadata; no network.

    Args:
        folder: of the plugin, in the samples.
        site: where the metadata goes.

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
    kept = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([str(site), str(SAMPLES / folder), kept])
