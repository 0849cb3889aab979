"""What is known of items beside who likes them: titles and attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from genkit.errors import DataError
from genkit_recsys.reading import table_chunks


@dataclass(frozen=True)
class Catalogue:
    """Titles and attributes by item id.

    Args:
        titles: of the items that have one.
        attributes: of the items that have some, several parted by ``|``.
    """

    titles: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)


def read_catalogue(file: Path, item: str, title: str = "", attribute: str = "") -> Catalogue:
    """Read a file of items; rows without an id are left out.

    Args:
        file: CSV, TSV, Parquet or RecBole's ``.item``.
        item: column of the id.
        title: column of the title; empty for none.
        attribute: column of the attributes; empty for none. Blanks part them in ``.item`` files.

    Raises:
        DataError: the file can't be read, lacks a column, or names neither title nor attribute.
    """
    if not (title or attribute):
        raise DataError(
            f"Expected a column of titles or of attributes in {file}; none is named.",
            "Name it: --data title_column=... or --data attribute_column=...",
        )
    found = Catalogue()
    for chunk, _ in table_chunks(file, [item, *filter(None, (title, attribute))]):
        for row in chunk:
            if len(row) < 1 + bool(title) + bool(attribute) or not row[0]:
                continue
            if title and row[1]:
                found.titles[row[0]] = row[1]
            if attribute and row[-1]:
                blanks = file.suffix == ".item" and "|" not in row[-1]
                found.attributes[row[0]] = "|".join(row[-1].split()) if blanks else row[-1]
    return found
