"""The run's secret key, and how far it has been used for what is given out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Self

from genkit.errors import RunError

FILE = "dp.key"
_BITS = 128


class Key:
    """A key that the system draws when a run begins, and keeps in the run for a resume.

    Args:
        value: 128 bits; samples and noise follow from them.
        released: the step whose model was given out under this key; 0 for none.
        file: where it is kept; None to keep it nowhere.
    """

    def __init__(self, value: int, released: int = 0, file: Path | None = None) -> None:
        self.value, self.released, self._file = value, released, file

    @classmethod
    def of(cls, folder: Path | None, known: int | None = None) -> Self:
        """Read the key of a run directory, or draw it.

        Args:
            folder: the run directory; None for a run in memory.
            known: a key to use instead, for tests.

        Raises:
            RunError: the file is damaged.
        """
        if known is not None:
            return cls(known)
        file = None if folder is None else folder / FILE
        if file is None or not file.exists():
            key = cls(int.from_bytes(os.urandom(_BITS // 8), "big"), file=file)
            key._keep()
            return key
        try:
            kept = json.loads(file.read_text(encoding="ascii"))
            return cls(int(kept["key"], 16), int(kept["released"]), file)
        except (ValueError, TypeError, KeyError) as error:
            raise RunError(f"The file {file} is damaged: the run can't go on the same.") from error

    def check(self, step: int) -> None:
        """Refuse to train steps again whose result was given out.

        Repeated on other hardware or with other settings they would be other steps with the same
        noise: the noise drops out of the difference between the two models.

        Raises:
            RunError: the run would go on before the step of the model that was given out.
        """
        if step < self.released:
            raise RunError(
                f"The model of step {self.released} was given out; the run would go on from "
                f"step {step} and use the same noise twice.",
                f"Bring the checkpoint of step {self.released} back, or begin a new run.",
            )

    def note_release(self, step: int) -> None:
        """Keep in mind that the model of this step is given out."""
        self.released = max(self.released, step)
        self._keep()

    def _keep(self) -> None:
        """Write the file whole, readable by its owner alone from the first byte on."""
        if self._file is None:
            return
        partial = self._file.with_name(f".{FILE}.partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            json.dump({"key": f"{self.value:032x}", "released": self.released}, stream)
            stream.flush()
            os.fsync(descriptor)
        partial.replace(self._file)
