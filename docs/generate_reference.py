"""Write the reference pages that follow from the code: python docs/generate_reference.py.

With --check nothing is written; it fails if a page is stale.

Everything is read from the built-in plugin, the command line's own description and the source
text; no framework is imported, and the same code gives the same pages on every machine.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from reference_pages import command_line, public_names, records, screens

from genkit.builtin import plugin as builtin_plugin
from genkit.plugins.registry import Registry

HERE = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Return the text of each generated page, by file name."""
    registry = Registry(plugins=[builtin_plugin])
    return {
        "cli.md": command_line.written(),
        "hooks.md": records.hooks(),
        "models.md": records.models(registry),
        "datasets.md": records.datasets(registry),
        "trainers-and-callbacks.md": records.trainers_and_callbacks(registry),
        "recipe.md": records.recipe(),
        "checks.md": records.checks(),
        "python.md": public_names.written(),
        "screens.md": screens.written(),
    }


def stale() -> list[str]:
    """Name the pages whose file differs from what would be written, or is missing."""
    return [
        name
        for name, text in pages().items()
        if not (HERE / name).is_file() or (HERE / name).read_text(encoding="utf-8") != text
    ]


def main() -> None:
    """Write the pages; with ``--check`` only say which are stale."""
    if "--check" in sys.argv[1:]:
        if names := stale():
            sys.exit(f"Stale: {', '.join(names)}. Run: python docs/generate_reference.py")
        return
    HERE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
