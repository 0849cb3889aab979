"""What is checked: a plugin or a record, and what all checks of a record need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import weakref
from functools import cached_property, lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from genkit.errors import PluginError
from genkit.plugins.config import Config, parse
from genkit.plugins.entries import Entry
from genkit.plugins.entry_points import DISTRIBUTION, ENTRY_POINT_GROUP
from genkit.plugins.registry import BUILTIN, installed
from genkit.plugins.specs import resolve
from genkit.testing.outcomes import CheckFailed

HEAVY = frozenset(
    {"PIL", "grain", "jax", "keras", "matplotlib", "numpy", "pandas", "pydantic", "scipy"}
    | {"sklearn", "tensorflow", "torch"}
)
FRAMEWORKS = frozenset({"jax", "keras", "tensorflow", "torch"})
_PROBE = """
import json, sys
from importlib import import_module
from genkit.plugins.entries import KINDS
from genkit.plugins.registry import Registry
from genkit.plugins.specs import resolve
module, _, attribute = sys.argv[1].partition(":")
def roots():
    return sorted({name.partition(".")[0] for name in sys.modules})
plugin = import_module(module)
for part in filter(None, attribute.split(".")):
    plugin = getattr(plugin, part)
registry = Registry(plugins=[plugin])
imported = {"plugin": roots(), "configs": {}}
for kind in KINDS:
    for entry in registry.entries(kind):
        if hasattr(entry.spec, "config"):
            before = set(roots())
            resolve(entry.spec.config)
            imported["configs"][f"{kind} {entry.spec.name}"] = sorted(set(roots()) - before)
print("\\n" + json.dumps(imported))
"""


class Subject:
    """A plugin, or a record of one.

    Args:
        kind: ``"models"``, ..., ``"plugins"``.
        name: qualified, ``distribution/name``; of a plugin the entry point's.
    """

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        self.folder = Path(mkdtemp(prefix="genkit-check-"))
        # Not a TemporaryDirectory: it warns when it is forgotten, wherever that happens to be.
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    @cached_property
    def entry(self) -> Entry:
        """The record and its distribution."""
        return installed().find(self.kind, self.name)

    @property
    def spec(self) -> Any:
        return self.entry.spec

    @property
    def config_class(self) -> type[Config]:
        """The class of its settings.

        Raises:
            PluginError: the reference leads nowhere.
        """
        found: type[Config] = resolve(self.spec.config)
        return found

    @cached_property
    def config(self) -> Config:
        """The settings for checks: the defaults, changed by ``tiny``."""
        return parse(self.config_class, self.spec.tiny, f"{self.kind} {self.name} (tiny)")

    @property
    def distribution(self) -> str:
        """The distribution that brings it."""
        if self.kind != "plugins":
            return self.entry.distribution
        loaded = {plugin.name: plugin.distribution for plugin in installed().plugins}
        broken = {fault.plugin: fault.distribution for fault in installed().broken}
        return {**broken, **loaded}[self.name]


@lru_cache
def imports_of(distribution: str) -> dict[str, Any]:
    """Return what a distribution's plugins import, in a fresh process.

    Returns:
        ``{"plugin": [...], "configs": {"models vae": [...], ...}}``: the top-level modules there
        are after the plugin was imported and its hooks called, and those that each config class
        brings that no earlier one has brought.

    Raises:
        CheckFailed: the process fails.
    """
    imported: dict[str, Any] = {"plugin": [], "configs": {}}
    for reference in _references(distribution):
        done = subprocess.run(  # noqa: S603 - our own interpreter and text
            [sys.executable, "-c", _PROBE, reference],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it died"])[-1]
            raise CheckFailed(
                f"Expected {reference} to be imported in a fresh process; received {last}",
                "See the traceback with: genkit doctor",
            )
        found = json.loads(done.stdout.strip().splitlines()[-1])
        imported["plugin"] = sorted({*imported["plugin"], *found["plugin"]})
        imported["configs"] |= found["configs"]
    return imported


def _references(distribution: str) -> list[str]:
    if distribution == DISTRIBUTION:
        return [BUILTIN]
    found = {
        point.value
        for point in entry_points(group=ENTRY_POINT_GROUP)
        if (point.dist.name if point.dist else point.name) == distribution
    }
    if not found:
        raise PluginError(f"Expected an entry point of {distribution}; found none.")
    return sorted(found)
