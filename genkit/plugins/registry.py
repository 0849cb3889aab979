"""The plugin host: entry points in, specs out; faults isolated; names resolved on use."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from functools import cache
from importlib.metadata import EntryPoint
from threading import RLock
from typing import Any

import pluggy

from genkit.errors import AmbiguousNameError, PluginError, UnknownNameError
from genkit.plugins import hookspecs
from genkit.plugins.entries import KINDS, BrokenPlugin, Entry
from genkit.plugins.entry_points import (
    DISTRIBUTION,
    ENTRY_POINT_GROUP,
    InstalledPlugin,
    Plugin,
    installed_plugins,
    own_version,
)
from genkit.plugins.names import suggestion
from genkit.plugins.repository import missing_plugin, names_in_repository
from genkit.plugins.specs import Spec
from genkit.plugins.time_box import time_box

BUILTIN = "genkit.builtin.plugin"
"""The plugin of what GenKit itself brings, loaded by name like every other."""


class _Hooks:
    """The specifications alone: pluggy looks at every name that it is shown, for each plugin."""

    def __init__(self) -> None:
        vars(self).update({f"genkit_{k}": getattr(hookspecs, f"genkit_{k}") for k in KINDS})

    def __dir__(self) -> list[str]:
        return list(vars(self))


_HOOKS: Any = _Hooks()
_in_use: ContextVar[Registry | None] = ContextVar("in_use", default=None)
_loading = RLock()


class Registry:
    """All specs of all plugins, found by name.

    Args:
        plugins: plugin objects to use instead of scanning what is installed; for tests.

    ``GENKIT_DISABLE_PLUGINS`` names entry points or distributions to leave out, separated by
    commas; ``all`` leaves only the built-ins. With ``GENKIT_STRICT_PLUGINS=1`` the first fault
    is raised instead of recorded. ``GENKIT_TRACE_PLUGINS=1`` tells of each import and hook call on
    stderr, with its duration.
    """

    def __init__(self, plugins: Iterable[object] | None = None) -> None:
        self.plugins: list[Plugin] = []
        self.broken: list[BrokenPlugin] = []
        self._entries: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
        self._strict = _switched_on("GENKIT_STRICT_PLUGINS")
        self._trace = _switched_on("GENKIT_TRACE_PLUGINS")
        if plugins is None:
            self._scan()
        else:
            for plugin in plugins:
                name = getattr(plugin, "__name__", type(plugin).__name__)
                self.add(plugin, Plugin(name, name, ""))

    def entries(self, kind: str) -> list[Entry]:
        """List the entries of a kind (``"models"``, ``"datasets"``, ...), sorted by name."""
        return sorted(self._entries[kind], key=lambda e: (e.spec.name, e.distribution))

    def find(self, kind: str, name: str) -> Entry:
        """Find an entry by ``name``, by an alias, or by ``distribution/name``.

        Raises:
            UnknownNameError: nothing has that name.
            AmbiguousNameError: two distributions have it.
        """
        found = [entry for entry in self.entries(kind) if entry.answers_to(name)]
        # A built-in keeps its bare name, whatever else is installed beside it.
        found = [e for e in found if e.distribution == DISTRIBUTION] or found
        if len(found) == 1:
            return found[0]
        if found:
            choices = " or ".join(sorted(entry.qualified_name for entry in found))
            raise AmbiguousNameError(
                f"{name!r} is offered by {len(found)} distributions.", f"Write {choices}."
            )
        raise missing_plugin(name, [kind]) or UnknownNameError(
            f"Expected the name of one of the {kind}; received {name!r}.",
            suggestion(name, self.names(kind))
            or suggestion(name, names_in_repository(kind))
            or f"See them with: genkit list {kind}",
        )

    def all_plugins(self) -> list[Plugin]:
        """List the plugins, those that could not be loaded too, in order of distribution."""
        loaded = {plugin.key: plugin for plugin in self.plugins}
        failed = {
            (b.plugin, b.distribution): Plugin(b.plugin, b.distribution, b.version)
            for b in self.broken
        }
        return sorted({**failed, **loaded}.values(), key=lambda p: (p.distribution, p.name))

    def names(self, kind: str) -> list[str]:
        """Return every name of a kind that a person may type, aliases included."""
        entries = self.entries(kind)
        aliases = [alias for e in entries for alias in getattr(e.spec, "aliases", ())]
        return sorted({*(e.spec.name for e in entries), *aliases})

    def headline(self) -> dict[str, str]:
        """Return the figures that metrics want looked at first, in order, and what they say."""
        specs = [entry.spec for entry in self.entries("metrics")]
        return {name: words for spec in specs for name, words in spec.headline.items()}

    def _scan(self) -> None:
        own = Plugin("builtin", DISTRIBUTION, own_version())
        point = EntryPoint(own.name, BUILTIN, ENTRY_POINT_GROUP)
        self._load(InstalledPlugin(own, point, requires=()))
        disabled = {
            part.strip() for part in os.environ.get("GENKIT_DISABLE_PLUGINS", "").split(",")
        }
        for found in installed_plugins():
            about = found.about
            if disabled.isdisjoint({about.name, about.distribution, "all"}):
                with time_box(f"The plugin {about.name} ({about.distribution})", about.name):
                    self._load(found)

    def _load(self, found: InstalledPlugin) -> None:
        if problem := found.unknown_version():
            self._record_fault(found.about, "version", PluginError(problem))
            return
        try:
            with self._traced(found.about, f"import {found.point.module}"):
                loaded = found.point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugins raise anything
            self._record_fault(found.about, "import", error)
        else:
            self.add(loaded, found.about)

    def add(self, plugin: object, about: Plugin) -> None:
        """Add the specs of a plugin, beside those that are there; its faults are recorded.

        Args:
            plugin: an object or module with hooks.
            about: what it is called, and the distribution it is of.

        Raises:
            PluginError: it has a fault, and the registry is strict.
        """
        # One pluggy manager a plugin: what one plugin does can't reach another's calls.
        manager = pluggy.PluginManager("genkit")
        manager.add_hookspecs(_HOOKS)
        try:
            manager.register(plugin)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugins raise anything
            self._record_fault(about, "hooks", error)
            return
        callers = manager.get_hookcallers(plugin) or []
        for caller in callers:
            if not caller.has_spec():
                self._record_fault(about, "hooks", _unknown_hook(caller.name), caller.name)
        known = {caller.name for caller in callers if caller.has_spec()}
        if not callers:
            no_hook = PluginError("It implements no genkit hook (is @genkit.hookimpl missing?).")
            self._record_fault(about, "hooks", no_hook)
        if not known:
            return
        self.plugins.append(about)
        for kind, record_type in KINDS.items():
            hook = f"genkit_{kind}"
            for record in self._call(manager, hook, about) if hook in known else ():
                try:
                    self._check_record(record, record_type, about, kind)
                except PluginError as error:
                    self._record_fault(about, "record", error, hook)
                else:
                    self._entries[kind].append(Entry(record, about.distribution, about.name))

    def offer(self, kind: str, spec: Spec, about: Plugin) -> None:
        """Add a record that this process makes itself, in place of one of the same name.

        Args:
            kind: ``"models"``, ``"datasets"``, ...
            spec: the record.
            about: what stands for a plugin.
        """
        name = (about.distribution, spec.name)
        others = [e for e in self._entries[kind] if (e.distribution, e.spec.name) != name]
        self._entries[kind] = [*others, Entry(spec, about.distribution, about.name)]

    def _call(self, manager: pluggy.PluginManager, hook: str, about: Plugin) -> list[object]:
        found: list[object] = []
        try:
            with self._traced(about, hook):
                for records in getattr(manager.hook, hook)():
                    for record in records:  # not extend: what came before a fault stays
                        found.append(record)  # noqa: PERF402
        except PluginError as error:
            self._record_fault(about, "record", error, hook)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugins raise anything
            self._record_fault(about, "call", error, hook)
        return found

    @contextmanager
    def _traced(self, about: Plugin, what: str) -> Iterator[None]:
        """Write to stderr how long the block took, if that was asked for."""
        started = time.perf_counter()
        try:
            yield
        finally:
            if self._trace:
                took = (time.perf_counter() - started) * 1000
                line = f"{about.distribution} {about.name}: {what} {took:.1f} ms"
                print(line, file=sys.stderr, flush=True)  # noqa: T201

    def _check_record(self, record: object, expected: type[Spec], about: Plugin, kind: str) -> None:
        if not isinstance(record, expected):
            raise PluginError(f"Expected a {expected.__name__}; received {record!r}.")
        same = (e for e in self._entries[kind] if e.distribution == about.distribution)
        if any(entry.spec.name == record.name for entry in same):
            raise PluginError(f"Expected one {record.name!r} a distribution; received a second.")

    def _record_fault(
        self, about: Plugin, stage: str, error: BaseException, hook: str = ""
    ) -> None:
        if self._strict:
            raise PluginError(
                f"The plugin {about.name} ({about.distribution}) failed at {stage}: {error}"
            ) from error
        self.broken.append(
            BrokenPlugin(
                plugin=about.name,
                distribution=about.distribution,
                version=about.version,
                stage=stage,
                hook=hook,
                error=f"{type(error).__name__}: {' '.join(str(error).split())}"[:300],
                traceback="".join(traceback.format_exception(error)),
            )
        )


def _switched_on(variable: str) -> bool:
    return os.environ.get(variable, "") not in ("", "0")


def _unknown_hook(name: str) -> PluginError:
    return PluginError(
        f"It implements the unknown hook {name!r}, which GenKit {own_version()} lacks.",
        suggestion(name, [f"genkit_{kind}" for kind in KINDS]),
    )


def installed() -> Registry:
    """Return the registry in use: of what is installed, loaded once, unless ``using`` says else."""
    in_use = _in_use.get()
    if in_use is not None:
        return in_use
    with _loading:
        return _of_installed()


@contextmanager
def using(registry: Registry) -> Iterator[None]:
    """Make this registry the one in use, for what the block calls in this thread."""
    before = _in_use.set(registry)
    try:
        yield
    finally:
        _in_use.reset(before)


@cache
def _of_installed() -> Registry:
    # Plugins may print while they load; stdout belongs to the command's own output. What they print
    # to, sys.stdout, is the whole process's: two threads that load at once would restore each
    # other's. Hence the lock.
    with redirect_stdout(sys.stderr):
        return Registry()
