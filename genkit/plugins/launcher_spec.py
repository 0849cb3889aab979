"""The record of what starts the workers of a training."""

from __future__ import annotations

from dataclasses import dataclass

from genkit.plugins.specs import Spec


@dataclass(frozen=True, kw_only=True)
class LauncherSpec(Spec):
    """What starts the workers of a training, named with ``--launcher``.

    Args:
        launcher: reference to a ``genkit.Launcher`` subclass, called with nothing.
    """

    launcher: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("launcher")
