"""Files that are fetched once, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from genkit.errors import DataError
from genkit.files import reason_of


def download(base_url: str, md5: Mapping[str, str], folder: str | Path, hint: str) -> Path:
    """Fetch the files that aren't there yet, and check them all.

    Args:
        base_url: where they lie, with the slash at its end.
        md5: the digest of each file, by name, as its publisher states it.
        folder: where they go: a name in the user's cache, or an absolute path.
        hint: what to do without a connection; ``{folder}`` stands for the folder.

    Returns:
        the folder.

    Raises:
        DataError: no connection, another content than published, or no room.
    """
    import pooch
    from filelock import FileLock

    folder = Path(pooch.os_cache("genkit")) / folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):  # a second process waits, and finds them there
            for file, digest in md5.items():
                pooch.retrieve(base_url + file, f"md5:{digest}", fname=file, path=folder)
    except (OSError, ValueError) as error:
        raise DataError(
            f"Expected to download {', '.join(md5)} from {base_url}; {reason_of(error)}",
            hint.format(folder=folder),
        ) from error
    return folder
