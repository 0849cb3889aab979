"""The two faces of the kit: the list of checks, and the same list for pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from genkit.errors import UnknownNameError, UsageError
from genkit.plugins.entries import KINDS, Entry
from genkit.plugins.names import suggestion
from genkit.plugins.registry import Registry, installed
from genkit.plugins.repository import missing_plugin
from genkit.testing.check import Check, definitions

PLUGINS = "plugins"


def checks_for(name: str) -> list[Check]:
    """List the checks of a plugin, or of one thing that a plugin brings; imports no framework.

    Args:
        name: of a plugin, by its entry point or its distribution: everything it brings is checked.
            Or of a model, data set, trainer, metric or callback.

    Raises:
        UnknownNameError: nothing has that name.
        UsageError: a record expects the failure of a check that there isn't.
    """
    registry = installed()
    plugins = _plugins(registry)
    if name in plugins or name in plugins.values():
        chosen = {p: d for p, d in plugins.items() if name in (p, d)}
        listed = [c for p in chosen for c in _checks(PLUGINS, p, {})]
        return listed + [
            check
            for kind in KINDS
            for entry in registry.entries(kind)
            if entry.distribution in chosen.values()
            for check in _checks_of(kind, entry)
        ]
    found = list(_named(registry, name))
    if not found:
        known = [*plugins, *plugins.values(), *(n for k in KINDS for n in registry.names(k))]
        raise missing_plugin(name, KINDS) or UnknownNameError(
            f"Expected the name of a plugin or of something it brings; received {name!r}.",
            suggestion(name, known) or "See: genkit list",
        )
    return [check for kind, entry in found for check in _checks_of(kind, entry)]


def parametrize_with_checks(name: str) -> Callable[[Any], Any]:
    """Make a pytest test of each check of a plugin, or of one thing that a plugin brings.

    The test takes the argument ``check`` and calls it. Checks that the record expects to fail are
    marked so, with the reason. ``KERAS_BACKEND`` chooses the backend.

    Args:
        name: as for ``checks_for``.

    Example:
        >>> from genkit.testing import parametrize_with_checks
        >>> @parametrize_with_checks("digits")  # doctest: +SKIP
        ... def test_conformance(check):
        ...     check()
    """
    import pytest

    def marks(check: Check) -> Sequence[Any]:
        reason = check.expected_failure
        return [pytest.mark.xfail(reason=reason, strict=True)] if reason else []

    found = checks_for(name)
    parameters = [pytest.param(check, id=str(check), marks=marks(check)) for check in found]
    return pytest.mark.parametrize("check", parameters)


def _plugins(registry: Registry) -> dict[str, str]:
    """Return the distribution of each plugin, those that could not be loaded too."""
    loaded = {plugin.name: plugin.distribution for plugin in registry.plugins}
    return {fault.plugin: fault.distribution for fault in registry.broken} | loaded


def _named(registry: Registry, name: str) -> Iterator[tuple[str, Entry]]:
    for kind in KINDS:
        try:
            yield kind, registry.find(kind, name)
        except UnknownNameError:
            continue


def _checks_of(kind: str, entry: Entry) -> Iterator[Check]:
    return _checks(kind, entry.qualified_name, entry.spec.expected_failures)


def _checks(kind: str, subject: str, expected: Any) -> Iterator[Check]:
    found = list(definitions(kind))
    names = [definition.name for definition in found]
    for check in expected:
        if check not in names:
            raise UsageError(
                f"The record of {subject} expects the failure of {check!r}; no check has that "
                "name.",
                suggestion(check, names),
            )
    for definition in found:
        yield Check(definition, kind, subject, expected.get(definition.name, ""))
