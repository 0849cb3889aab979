"""``statement.json``: what a run's trainer has to say on the model's card, for some trainers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from genkit.errors import RunError
from genkit.files import read_json, write_json

_FILE = "statement.json"
_REMEDY = "Bring it back from a copy of the run: a promise of privacy may stand there."


@dataclass(frozen=True)
class Statement:
    """What a trainer has to say.

    Args:
        protects_data: whether it promises privacy for the data.
        facts: what it did, by name.
    """

    protects_data: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


def read_statement(folder: Path) -> Statement:
    """Read a run's statement; most have none.

    Raises:
        RunError: the file is damaged.
    """
    file = folder / _FILE
    if not file.exists():
        return Statement()
    data = read_json(file, _REMEDY)
    protects_data, facts = data.get("protects_data"), data.get("facts")
    if not isinstance(protects_data, bool) or not isinstance(facts, dict):
        raise RunError(f"The file {file} is damaged: expected 'protects_data', 'facts'.", _REMEDY)
    return Statement(protects_data, {str(key): str(value) for key, value in facts.items()})


def write_statement(folder: Path, statement: Statement) -> None:
    """Write a run's statement."""
    write_json(folder / _FILE, asdict(statement))
