"""What is installed, and all about one thing of it: for the command line and for Python alike."""

from __future__ import annotations

from typing import Any

from genkit.errors import UnknownNameError
from genkit.plugins.condition import describe_condition
from genkit.plugins.display import Description, Rows
from genkit.plugins.entries import KINDS, Entry
from genkit.plugins.entry_points import Plugin
from genkit.plugins.names import suggestion
from genkit.plugins.registry import Registry, installed
from genkit.plugins.repository import REPOSITORY, missing_plugin, names_in_repository
from genkit.plugins.specs import resolve

# Attributes of records that are told where they say something.
_ATTRIBUTES = (
    *(
        "licence",
        "homepage",
        "accepts",
        "generates",
        "modality",
        "splits",
        "capabilities",
        "capability",
        "trainer",
    ),
    *("direction", "usage", "undone", "aliases", "references"),
)


def list_models() -> Rows:
    """List the models that can be trained, built-in ones and those of plugins.

    Returns:
        a row each: ``name``, ``summary``, ``distribution``, the ``requirement`` that installs what
        it needs, and which packages of that are ``missing``. It prints as a table;
        ``pandas.DataFrame`` takes it.
    """
    return catalogue_rows("models")


def list_datasets() -> Rows:
    """List the data sets that can be trained on: rows as those of ``list_models``."""
    return catalogue_rows("datasets")


def info(name: str) -> Description:
    """Describe a model, a data set, a trainer or another thing of ``genkit list``; or a plugin.

    Args:
        name: its name, an alias, or ``distribution/name``.

    Returns:
        facts by name, among them ``config``, its settings, and ``presets``. It prints as text.

    Raises:
        UnknownNameError: nothing has that name.
    """
    for row in absent_plugins():
        if row["name"] == name:
            return Description({"kind": "plugin", **row})
    registry = installed()
    found = _find(registry, name)
    if isinstance(found, Plugin):
        return Description({"kind": "plugin", **plugin_row(registry, found)})
    return _description(*found)


def catalogue_rows(kind: str) -> Rows:
    """List what is installed of a kind, ``"models"``, ``"datasets"``, ..., or ``"plugins"``."""
    registry = installed()
    if kind == "plugins":
        return Rows(plugin_row(registry, plugin) for plugin in registry.all_plugins())
    return Rows(
        {
            "name": entry.spec.name,
            "summary": entry.spec.summary,
            "distribution": entry.distribution,
            "requirement": entry.requirement,
            "missing": entry.missing_packages(),
        }
        for entry in registry.entries(kind)
    )


def absent_plugins(kind: str | None = None) -> Rows:
    """List the plugins of GenKit's repository that aren't installed: what they bring of a kind."""
    return Rows(
        {
            "name": plugin.distribution,
            "summary": plugin.summary,
            "brings": {k: list(names) for k, names in plugin.brings.items() if kind in (None, k)},
            "install": plugin.install_command,
        }
        for plugin in REPOSITORY
        if (kind is None or kind in plugin.brings) and not plugin.is_installed()
    )


def plugin_row(registry: Registry, plugin: Plugin) -> dict[str, Any]:
    """Return all about a plugin: version, distribution, what it brings, its faults."""
    entries = {kind: registry.entries(kind) for kind in KINDS}
    brings = {
        kind: [e.spec.name for e in found if (e.plugin, e.distribution) == plugin.key]
        for kind, found in entries.items()
    }
    brings = {kind: names for kind, names in brings.items() if names}
    counts = [f"{len(names)} {k if len(names) > 1 else k[:-1]}" for k, names in brings.items()]
    faults = [
        {"stage": b.stage, "hook": b.hook, "error": b.error}
        for b in registry.broken
        if (b.plugin, b.distribution) == plugin.key
    ]
    return {
        "name": plugin.name,
        "summary": ", ".join(counts) or "nothing",
        "version": plugin.version,
        "distribution": plugin.distribution,
        "brings": brings,
        "faults": faults,
    }


def _find(registry: Registry, name: str) -> tuple[str, Entry] | Plugin:
    known: list[str] = []
    for kind in KINDS:
        try:
            return kind, registry.find(kind, name)
        except UnknownNameError:
            known += registry.names(kind)
    for plugin in registry.all_plugins():
        if name in plugin.key:
            return plugin
        known += plugin.key
    raise missing_plugin(name, KINDS) or UnknownNameError(
        f"Nothing is called {name!r}.",
        suggestion(name, known)
        or suggestion(name, [n for kind in KINDS for n in names_in_repository(kind)])
        or "See: genkit list",
    )


def _description(kind: str, entry: Entry) -> Description:
    spec = entry.spec
    result = Description(
        kind=kind.removesuffix("s"),
        name=spec.name,
        summary=spec.summary,
        distribution=entry.distribution,
        requirement=entry.requirement,
        missing=entry.missing_packages(),
    )
    for attribute in _ATTRIBUTES:
        if value := getattr(spec, attribute, None):
            result[attribute] = list(value) if isinstance(value, tuple) else value
    from genkit.plugins.config import describe  # what only lists is quicker without

    if hasattr(spec, "config"):
        result["config"] = describe(resolve(spec.config))
    if getattr(spec, "options", None):
        result["options"] = {c: describe(resolve(each)) for c, each in spec.options.items()}
    if getattr(spec, "conditions", ()):
        result["conditions"] = [describe_condition(each) for each in spec.conditions]
    if hasattr(spec, "presets"):
        result["presets"] = {key: dict(value) for key, value in spec.presets.items()}
    return result
