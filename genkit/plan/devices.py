"""Which accelerator is left to a process that works beside others."""

from __future__ import annotations

import os


def variables_for(place: int) -> dict[str, str]:
    """Return the environment by which a process sees its own of several CUDA devices.

    Args:
        place: which of the processes it is, from 0 on; they take the devices in turn.

    Returns:
        variables; none where ``CUDA_VISIBLE_DEVICES`` lists fewer than two.
    """
    devices = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    return {"CUDA_VISIBLE_DEVICES": devices[place % len(devices)]} if len(devices) > 1 else {}
