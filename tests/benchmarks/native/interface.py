"""What each hand-written baseline offers the benchmark."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np


class Native(Protocol):
    """One case, hand-written for one framework, at one precision, in one variant."""

    def step(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
        """Do one training step; the losses may still be on their way."""

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Turn noise ``(64, latent_dim)`` into images in [0, 255], float32, without training."""

    def synchronize(self) -> None:
        """Wait until all that was given to the device is done."""
