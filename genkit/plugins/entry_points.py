"""What is installed: the entry points of plugins, and what their distributions say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

DISTRIBUTION = "genkit-keras"
ENTRY_POINT_GROUP = "genkit.plugins"
_FROM_SOURCE = "0+source"
# A requirement with a marker ("; ...") holds for some environments only: it isn't looked at.
_REQUIRES_US = re.compile(
    r"genkit[-_.]+keras\s*(?:\[[^]]*\])?\s*\(?(?P<versions>[^];()]*)\)?", re.IGNORECASE
)


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


@cache
def _allows(versions: str, ours: str) -> bool:
    """Return whether ours is among the versions, as ``">=0.1,<1"`` writes them."""
    # Not packaging.requirements: its parser takes longer to import than all else here.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return SpecifierSet(versions).contains(ours, prereleases=True)
    except InvalidSpecifier:
        return True  # an installer would not have taken it either: it excludes nothing


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
        """Return why the plugin doesn't suit this version of GenKit; empty if it does.

        What it knows is what its distribution requires of ``genkit-keras``. An installer sees to
        that when it installs the plugin, but not when GenKit changes later.
        """
        ours = own_version()
        for line in self.requires:
            named = _REQUIRES_US.fullmatch(line)
            if named and ours != _FROM_SOURCE and not _allows(named["versions"], ours):
                return f"It knows {DISTRIBUTION} {named['versions']}; this is {ours}."
        return ""


@cache
def own_version() -> str:
    """Return GenKit's version."""
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
