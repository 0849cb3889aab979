"""What was computed of real data alone, kept in the user's cache for later evaluations.

Most of an evaluation's time goes into real items, which are the same for every model: their
features, their distances from each other. Each file is named by all that decides its bits: the
data, the extractor, the seed, GenKit's own code, the backend and the machine. A file may be deleted
at any time; a damaged one is computed anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from genkit.files import write_bytes

MOST_KEPT = 1 << 30
"""Bytes of all files together; those not used for longest go first."""
MOST_OF_ONE = 1 << 27
"""Bytes of one file: what is larger is computed each time."""
_OF_AN_EVALUATION = ("seed", "training")


class RealStore:
    """Files of what was computed of some real data.

    Args:
        identity: all that decides what is computed, but for what each name adds; JSON values.
        folder: where the files are; the user's cache when left out.
    """

    def __init__(self, identity: Mapping[str, Any], folder: Path | None = None) -> None:
        self._identity = {**identity, "made_by": _made_by()}
        self._folder = folder or _cache_folder()

    def of_items(self) -> RealStore:
        """Return the place of what neither the seed nor the training data changes: features."""
        found = RealStore({}, self._folder)
        found._identity = {k: v for k, v in self._identity.items() if k not in _OF_AN_EVALUATION}
        return found

    def arrays(
        self, name: str, make: Callable[[], Mapping[str, np.ndarray]]
    ) -> Mapping[str, np.ndarray]:
        """Return arrays by name: those that are kept, or what ``make`` computes.

        Args:
            name: what they are, with every setting that changes them.
            make: computes them, the same each time.
        """
        found = self.read(name)
        if found is None:
            found = dict(make())
            self.keep(name, found)
        return found

    def read(self, name: str) -> dict[str, np.ndarray] | None:
        """Return the arrays that are kept; None if there are none, or they are damaged."""
        file = self._file(name)
        try:
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                found = {key: archive[key] for key in archive.files}
            os.utime(file)
        except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile):
            return None
        return found

    def keep(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays; where there is no room they are computed again next time."""
        if sum(array.nbytes for array in arrays.values()) > MOST_OF_ONE:
            return
        buffer = BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_bytes(self._file(name), buffer.getvalue())
            self._make_room()

    def _file(self, name: str) -> Path:
        text = json.dumps([name, self._identity], sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"

    def _make_room(self) -> None:
        files = sorted(self._folder.glob("*.npz"), key=lambda file: -file.stat().st_mtime)
        room = MOST_KEPT
        for file in files:
            room -= file.stat().st_size
            if room < 0:
                file.unlink(missing_ok=True)


def _cache_folder() -> Path:
    import pooch

    return Path(pooch.os_cache("genkit")) / "real"


def _made_by() -> list[Any]:
    """Return what computes: other code, another backend or machine may round differently."""
    from genkit import engine
    from genkit.plan.activation import active_backend, backend_version
    from genkit.plan.precision import cpu_name
    from genkit.plugins.entry_points import own_version

    backend = active_backend()
    return [
        own_version(),
        _own_code(),
        backend,
        backend_version(backend) if backend else "",
        np.__version__,
        engine.device(),
        platform.machine(),
        cpu_name(),
    ]


@cache
def _own_code() -> str:
    """Return a digest of the files that compute figures: a change of them is another figure."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
