"""MovieLens data as GroupLens publishes it: fetched once, checked, read from its own files.

Harper and Konstan 2015, "The MovieLens Datasets: History and Context".
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from genkit.errors import DataError
from genkit_recsys.catalogue import Catalogue, read_catalogue
from genkit_recsys.events import Events
from genkit_recsys.reading import Columns, EventReader
from genkit_recsys.table_files import reason_of

BASE_URL = "https://files.grouplens.org/datasets/movielens/"
# As GroupLens publishes them beside the archives.
MD5 = {
    "ml-100k": "0e33842e24a9c977be4e0107933c0723",
    "ml-1m": "c4d9eecfca2ab87c1945afe126590906",
    "ml-20m": "cd245b17a1ae2cc31bb14903e1204af3",
}
# In the order of the columns of u.item.
_GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)


def folder_of(name: str, path: Path | None) -> Path:
    """Return the folder with the unpacked files, fetching them where needed.

    Args:
        name: of the data set, as in ``MD5``.
        path: the folder, if somebody has it already.

    Raises:
        DataError: no connection, or another content than published.
    """
    if path is not None:
        return path
    import pooch
    from filelock import FileLock

    cache = Path(pooch.os_cache("genkit")) / "movielens"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f".{name}.lock"):  # a second process waits, and finds them there
            url = f"{BASE_URL}{name}.zip"
            archive = Path(pooch.retrieve(url, f"md5:{MD5[name]}", fname=f"{name}.zip", path=cache))
            if not (cache / name / ".complete").is_file():
                with zipfile.ZipFile(archive) as content:
                    content.extractall(cache)
                (cache / name / ".complete").touch()
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"Expected to download {name}.zip from {BASE_URL}; {reason_of(error)}.",
            f"Unpack it yourself and name the folder: --data path={name}",
        ) from error
    return cache / name


def read_100k(folder: Path) -> tuple[Events, Catalogue]:
    """Read ``u.data`` and ``u.item``."""
    reader = EventReader(Columns("0", "1", "2", "3"))
    reader.read(folder / "u.data")
    catalogue = Catalogue()
    items = folder / "u.item"
    if items.is_file():
        for line in items.read_text(encoding="latin-1").splitlines():
            cells = line.split("|")
            if len(cells) >= len(_GENRES) + 5:
                catalogue.titles[cells[0]] = cells[1]
                genres = [g for g, on in zip(_GENRES, cells[5:], strict=False) if on == "1"]
                catalogue.attributes[cells[0]] = "|".join(genres)
    return reader.events(), catalogue


def read_1m(folder: Path) -> tuple[Events, Catalogue]:
    """Read ``ratings.dat`` and ``movies.dat``."""
    reader = EventReader(Columns("0", "1", "2", "3"))
    reader.read(folder / "ratings.dat")
    movies = folder / "movies.dat"
    catalogue = read_catalogue(movies, "0", "1", "2") if movies.is_file() else Catalogue()
    return reader.events(), catalogue


def read_20m(folder: Path) -> tuple[Events, Catalogue]:
    """Read ``ratings.csv`` and ``movies.csv``."""
    reader = EventReader(Columns("userId", "movieId", "rating", "timestamp"))
    reader.read(folder / "ratings.csv")
    movies = folder / "movies.csv"
    catalogue = (
        read_catalogue(movies, "movieId", "title", "genres") if movies.is_file() else Catalogue()
    )
    return reader.events(), catalogue


def fake_100k(folder: Path) -> dict[str, object]:
    """Write a little data in the form of MovieLens 100K."""
    return _fake(folder / "u.data", "\t")


def fake_1m(folder: Path) -> dict[str, object]:
    """Write a little data in the form of MovieLens 1M."""
    return _fake(folder / "ratings.dat", "::")


def fake_20m(folder: Path) -> dict[str, object]:
    """Write a little data in the form of MovieLens 20M."""
    return _fake(folder / "ratings.csv", ",", "userId,movieId,rating,timestamp\n")


def _fake(file: Path, delimiter: str, head: str = "") -> dict[str, object]:
    rows = [
        (user, item, 1 + (user + item) % 5, 1000 * user + item)
        for user in range(1, 13)
        for item in range(1, 25)
        if (user * item) % 3
    ]
    lines = [delimiter.join(map(str, row)) for row in rows]
    file.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return {"path": str(file.parent)}
