"""What is known of items beside who likes them: titles and attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from genkit.data.tables import Dialect, is_missing
from genkit.errors import DataError
from genkit_recsys.left_out import LeftOut
from genkit_recsys.table_files import place_in, suffix_of, table_chunks

_SHOWN = 3


@dataclass(frozen=True)
class Catalogue:
    """Titles and attributes by item id.

    Args:
        titles: of the items that have one.
        attributes: of the items that have some, several parted by ``|``.
        ids: of all items of the file.
        notes: what is left out of the file, and what is there twice, a sentence each.
    """

    titles: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def read_catalogue(
    file: Path, item: str, title: str = "", attribute: str = "", dialect: Dialect | None = None
) -> Catalogue:
    """Read a file of items; rows without an id are left out.

    Of several rows of one item the last counts.

    Args:
        file: CSV, TSV, Parquet or RecBole's ``.item``.
        item: column of the id.
        title: column of the title; empty for none.
        attribute: column of the attributes; empty for none. Blanks part them in ``.item`` files.
        dialect: how a text is written.

    Raises:
        DataError: the file can't be read, lacks a column, or names neither title nor attribute.
    """
    if not (title or attribute):
        raise DataError(
            f"Expected a column of titles or of attributes in {file}; none is named.",
            "Name it: --data title_column=... or --data attribute_column=...",
        )
    found, left_out, changed = Catalogue(), LeftOut(), dict[str, None]()
    place = f"{file.name} {place_in(file)}"
    for chunk in table_chunks(file, [item, *filter(None, (title, attribute))], dialect):
        left_out.take(chunk, place)
        for row, line in zip(chunk.rows, chunk.lines, strict=True):
            name = row[0]
            if is_missing(name):
                left_out.add("no item", f"{place} {line}: expected an item; received {row[0]!r}")
                continue
            found.ids.add(name)
            if title and not _put(found.titles, name, row[1]):
                changed[name] = None
            if attribute and not _put(found.attributes, name, _parted(file, row[-1])):
                changed[name] = None
    found.notes.extend(left_out.sentences())
    if changed:
        first = ", ".join(map(repr, list(changed)[:_SHOWN]))
        found.notes.append(
            f"{len(changed)} items stand in {file.name} several times, with different titles or "
            f"attributes, and the last counts: {first}."
        )
    return found


def _put(texts: dict[str, str], name: str, text: str) -> bool:
    """Put a text that is not empty by its name; whether none or the same was there."""
    same = not text or texts.get(name, text) == text
    if text:
        texts[name] = text
    return same


def _parted(file: Path, attributes: str) -> str:
    """Return attributes parted by ``|``; blanks part them in ``.item`` files."""
    blanks = suffix_of(file) == ".item" and "|" not in attributes
    return "|".join(attributes.split()) if blanks else attributes
