"""What the plugin brings; light, because every genkit command imports it."""

from __future__ import annotations

from collections.abc import Iterable

import genkit


@genkit.hookimpl
def genkit_launchers() -> Iterable[genkit.LauncherSpec]:
    """Register the launcher."""
    yield genkit.LauncherSpec(
        name="ray",
        summary="An actor of Ray a worker: on the cluster of RAY_ADDRESS, or on this machine",
        launcher="genkit_ray.launcher:RayLauncher",
    )
