"""From a template to a distribution.

The templates are plugins that work, with the name ``myplugin``; what is the same for all kinds
stands beside the folders of the kinds:

templates/
  pyproject.toml, noxfile.py, tests/, ...   of every kind; ``dot-NAME`` is written as ``.NAME``
  generator/  recommender/  dataset/  trainer/  metric/
    README.md  genkit_myplugin/  tests/

So they are linted as they stand, and the documentation shows them as they stand.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genkit.errors import UsageError
from genkit.files import check_path
from genkit.plugins.names import suggestion
from genkit.plugins.registry import installed

KINDS = {
    "generator": "models",
    "recommender": "models",
    "dataset": "datasets",
    "trainer": "trainers",
    "metric": "metrics",
}
"""What can be made, and where the registry would list it."""

_TEMPLATES = Path(__file__).with_name("templates")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST = 30


@dataclass(frozen=True)
class NewPlugin:
    """A plugin's distribution that was written.

    Args:
        name: of the plugin, its entry point and what it registers.
        kind: one of ``KINDS``.
        path: its folder.
        files: what is in there, relative to the folder, sorted.
    """

    name: str
    kind: str
    path: Path
    files: tuple[str, ...]

    @property
    def distribution(self) -> str:
        """What pip calls it."""
        return f"genkit-keras-{self.name}"

    @property
    def package(self) -> str:
        """What Python imports."""
        return _package(self.name)


def write_plugin(name: str, kind: str, folder: Path) -> NewPlugin:
    """Write a distribution with a plugin that works, whole or not at all.

    Args:
        name: lower case, digits and single hyphens, 30 characters at most.
        kind: one of ``KINDS``.
        folder: where the distribution's folder, ``genkit-keras-NAME``, is made.

    Raises:
        UsageError: no such kind, no good name, a name that something installed has, or the folder
            is there and not empty, or can't be made.
    """
    if kind not in KINDS:
        raise UsageError(
            f"Expected --kind {', '.join(KINDS)}; received {kind!r}.", suggestion(kind, KINDS)
        )
    _check_name(name, kind)
    path = folder / f"genkit-keras-{name}"
    check_path(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            f"Expected a free place for the plugin; {path} is there already.",
            "Choose another name, or another --folder.",
        )
    texts = {_renamed(place, name): _renamed(text, name) for place, text in _template(kind)}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", suffix=".partial", dir=folder) as partial:
        staged = Path(partial, path.name)
        for place, text in texts.items():
            file = staged / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        staged.rename(path)
    return NewPlugin(name, kind, path, tuple(sorted(texts)))


def _check_name(name: str, kind: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST or name.startswith("genkit"):
        better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
        better = re.sub(r"^(genkit-)?(keras-)?", "", better)[:_LONGEST].strip("-")
        raise UsageError(
            f"Expected a name of lower case letters, digits and single hyphens, {_LONGEST} "
            f"characters at most, without 'genkit' before it; received {name!r}.",
            f"Did you mean {better!r}?" if better else "Such as: shapes",
        )
    if name in installed().names(KINDS[kind]):
        raise UsageError(
            f"The name {name!r} is taken: something installed has it among its {KINDS[kind]}.",
            f"Choose another, such as: my-{name}",
        )


def _template(kind: str) -> Iterator[tuple[str, str]]:
    """Return the files of a kind: their place in the distribution, and their text."""
    for root in (_TEMPLATES, _TEMPLATES / kind):
        for file in sorted(root.rglob("*")):
            parts = file.relative_to(root).parts
            of_a_kind = root == _TEMPLATES and parts[0] in KINDS
            # What Python and the linters leave behind is no part of a template.
            leavings = any(part.startswith(".") or part == "__pycache__" for part in parts)
            if file.is_file() and not of_a_kind and not leavings:
                place = re.sub(r"(^|/)dot-", r"\1.", "/".join(parts))
                yield place, file.read_text(encoding="utf-8")


def _renamed(text: str, name: str) -> str:
    return text.replace("genkit_myplugin", _package(name)).replace("myplugin", name)


def _package(name: str) -> str:
    return f"genkit_{name.replace('-', '_')}"
