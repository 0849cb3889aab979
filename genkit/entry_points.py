"""What is installed: the entry points of plugins, and what their distributions say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

DISTRIBUTION = "genkit-keras"
ENTRY_POINT_GROUP = "genkit.plugins"
_FROM_SOURCE = "0+source"
_NAMES_US = re.compile(r"genkit[-_.]keras(?![\w.-])", re.IGNORECASE)


@dataclass(frozen=True)
class Plugin:
    """A plugin: an entry point of an installed distribution."""

    name: str
    distribution: str
    version: str

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others."""
        return self.name, self.distribution


@dataclass(frozen=True)
class InstalledPlugin:
    """A plugin that could be loaded.

    Args:
        about: its name, distribution and version.
        point: the entry point, not loaded.
        requires: the distribution's requirements, as its metadata has them.
    """

    about: Plugin
    point: EntryPoint
    requires: tuple[str, ...]

    def unknown_version(self) -> str:
        """Say that the plugin doesn't know this version of GenKit; nothing if it does.

        What it knows is what its distribution requires of ``genkit-keras``. An installer sees to
        that when it installs the plugin, but not when GenKit changes later.
        """
        named = [line for line in self.requires if _NAMES_US.match(line)]
        ours = own_version()
        if not named or ours == _FROM_SOURCE:
            return ""
        from packaging.requirements import InvalidRequirement, Requirement

        for line in named:
            try:
                wanted = Requirement(line)
            except InvalidRequirement:
                continue  # pip would not have taken it either; it excludes nothing
            applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            if applies and not wanted.specifier.contains(ours, prereleases=True):
                return f"It knows {DISTRIBUTION} {wanted.specifier}; this is {ours}."
        return ""


def own_version() -> str:
    """Give GenKit's version."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return _FROM_SOURCE


def installed_plugins() -> Iterator[InstalledPlugin]:
    """Find all plugins that are installed; imports none."""
    # An editable install beside a wheel lists the same entry point twice.
    points = {(p.name, p.value): p for p in entry_points(group=ENTRY_POINT_GROUP)}
    for point in points.values():
        if point.dist is None:
            yield InstalledPlugin(Plugin(point.name, point.name, ""), point, ())
            continue
        metadata = point.dist.metadata  # read once: each look parses the file anew
        about = Plugin(point.name, metadata["Name"], metadata["Version"])
        yield InstalledPlugin(about, point, tuple(metadata.get_all("Requires-Dist") or ()))
