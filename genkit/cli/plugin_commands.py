"""What plugins add to the command line: verbs, and flags for what their models can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperOption

from genkit.cli import conditions
from genkit.cli.help_text import FlowingCommand, FlowingGroup
from genkit.cli.run_argument import naming_runs
from genkit.errors import (
    AmbiguousNameError,
    PluginError,
    UnknownNameError,
    UsageError,
)
from genkit.plugins.repository import missing_plugin, names_in_repository

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from genkit.plugins.config import Config
    from genkit.plugins.entries import Entry
    from genkit.plugins.specs import ModelSpec

_FLAGS, _RUN = "genkit.flags", "genkit.run"

# Words of other tools, each with the command that does it here.
_SYNONYMS = {
    "train": "run",
    "fit": "run",
    "continue": "resume",
    "sample": "generate",
    "predict": "generate",
    "test": "evaluate",
    "measure": "evaluate",
    "models": "list",
    "datasets": "list",
    "show": "info",
}


class Words(FlowingGroup):
    """A group of commands that answers a mistyped one with the right one."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is None:
            raise self.unknown(ctx, cmd_name)
        return found

    def meant(self, ctx: Any) -> dict[str, str]:
        """Return the commands by the words that people may have in mind for them."""
        return {name: name for name in self.list_commands(ctx)}

    def unknown(self, ctx: Any, cmd_name: str) -> UsageError:
        """Make the error that tells of a command that there isn't."""
        from genkit.plugins.names import near_misses

        meant = self.meant(ctx)
        near = dict.fromkeys(meant[word] for word in near_misses(cmd_name, meant))
        return UsageError(
            f"No such command {cmd_name!r}.",
            f"Did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"See them with: {ctx.command_path} --help",
        )


class Verbs(Words):
    """The built-in verbs, and after them those of plugins.

    Plugins are loaded for a verb that is not built in, and for the list of all. The function behind
    a verb is imported when the verb is used.
    """

    def meant(self, ctx: Any) -> dict[str, str]:
        absent = {name: name for name in names_in_repository("commands")}
        return {**absent, **_SYNONYMS, **super().meant(ctx)}

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_verbs(set(self.commands))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in self.commands:
            return super().get_command(ctx, cmd_name)
        from genkit.plugins.registry import installed

        if rivals := _sharing(cmd_name):
            return _Unloaded(cmd_name, rivals)
        try:
            return _Unloaded(cmd_name, [installed().find("commands", cmd_name)])
        except UnknownNameError:
            error = missing_plugin(cmd_name, ["commands"]) or self.unknown(ctx, cmd_name)
            raise error from None


def _verbs(built_in: set[str]) -> list[str]:
    """List the plugins' verbs by the shortest name that each answers to."""
    from genkit.plugins.registry import installed

    entries = installed().entries("commands")
    names = [entry.spec.name for entry in entries]
    shortest = [
        entry.qualified_name
        if name in built_in or (names.count(name) > 1 and not _sharing(name))
        else name
        for entry, name in zip(entries, names, strict=True)
    ]
    return list(dict.fromkeys(shortest))


def _sharing(name: str) -> list[Entry]:
    """Return the verbs of this name, if there are several and all are for the same capability."""
    from genkit.plugins.registry import installed

    entries = [entry for entry in installed().entries("commands") if entry.spec.name == name]
    capabilities = {entry.spec.capability for entry in entries}
    return entries if len(entries) > 1 and len(capabilities) == 1 and "" not in capabilities else []


def commands_for(capabilities: Sequence[str]) -> list[str]:
    """List the plugins' verbs that are for one of these capabilities."""
    from genkit.plugins.registry import installed

    entries = installed().entries("commands")
    found = [entry.spec.name for entry in entries if entry.spec.capability in capabilities]
    return list(dict.fromkeys(found))


class _Unloaded(TyperCommand):
    """A plugin's verb; it becomes the real one when it is used.

    Args:
        name: what was typed.
        entries: the verbs of that name; of several, that of the run's model is taken.
    """

    def __init__(self, name: str, entries: Sequence[Entry]) -> None:
        summary = entries[0].spec.summary
        super().__init__(name, help=f"{summary}.", rich_help_panel="From plugins")
        self._entries = entries

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        return self._load(self._chosen(args)).make_context(info_name, args, parent, **extra)

    def _chosen(self, args: list[str]) -> Entry:
        """Take the verb of the distribution that brings the model of the run among the words."""
        if len(self._entries) == 1:
            return self._entries[0]
        models = (model_of(word) for word in args if not word.startswith("-"))
        model = next((entry for entry in models if entry is not None), None)
        for entry in self._entries:
            if model is not None and entry.distribution == model.distribution:
                return entry
        raise AmbiguousNameError(
            f"{self.name!r} is offered by {len(self._entries)} distributions.",
            f"Write {' or '.join(entry.qualified_name for entry in self._entries)}, or name a run "
            "of a model of one of them.",
        )

    def _load(self, entry: Entry) -> Any:
        from genkit.plugins.specs import resolve

        spec = entry.spec
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        try:
            function = resolve(spec.command)
            app.command(self.name, cls=for_capability(spec.capability))(naming_runs(function))
            return typer.main.get_command(app)
        except (Exception, SystemExit) as error:
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise PluginError(
                f"The command {spec.name!r} of the plugin {entry.plugin} "
                f"({entry.distribution}) can't be loaded: {reason}",
                "See where it fails with --debug; the plugin's author can mend it.",
            ) from error


def for_capability(capability: str) -> type[TyperCommand]:
    """Make a class of commands with flags for what the model of their ``RUN`` takes.

    Before anything heavy is imported, the model's spec is looked up by what the run directory
    says, and asked whether it can do that. Its options become flags; ``context.obj`` holds those
    that were given. Without a capability nothing is looked up.
    """

    class Command(FlowingCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            ctx.obj = {}
            spec = self._model_spec(ctx, args) if capability else None
            if spec is not None and capability not in spec.capabilities:
                raise UsageError(
                    f"The model {spec.name} can {', '.join(spec.capabilities)}; not {capability}."
                )
            if spec is None or capability not in spec.options:
                return super().parse_args(ctx, args)
            from genkit.plugins.config import parse
            from genkit.plugins.specs import resolve

            options = resolve(spec.options[capability])
            flags = _flags(options, spec.name, {param.name for param in self.params})
            ctx.meta[_FLAGS] = flags
            rest = super().parse_args(ctx, args)
            values = {str(flag.name): ctx.params.pop(str(flag.name)) for flag in flags}
            given = {name: value for name, value in values.items() if value is not None}
            checked = parse(options, given, f"{capability} options of {spec.name}")
            ctx.obj = checked.model_dump(mode="json", exclude_unset=True)
            return rest

        def get_params(self, ctx: Any) -> list[Any]:
            return [*ctx.meta.get(_FLAGS, ()), *super().get_params(ctx)]

        def format_help(self, ctx: Any, formatter: Any) -> None:
            super().format_help(ctx, formatter)
            if _RUN in ctx.meta and "where" in {param.name for param in self.params}:
                formatter.write(conditions.help_of(ctx.meta[_RUN]))

        def _model_spec(self, ctx: Any, args: list[str]) -> ModelSpec | None:
            """Find the run among the words that are no flags known so far, nor their values."""
            parser = self.make_parser(ctx)
            parser.ignore_unknown_options = True
            completes = ctx.resilient_parsing
            ctx.resilient_parsing = True  # mistakes are told of when it is parsed in earnest
            values, rest, _ = parser.parse_args(list(args))
            ctx.resilient_parsing = completes
            taken = [
                values.get(str(param.name))
                for param in self.params
                if param.param_type_name == "argument"
            ]
            words = [word for word in (*taken, *rest) if isinstance(word, str)]
            found = ((word, model_of(word)) for word in words)
            word, entry = next(((word, e) for word, e in found if e is not None), ("", None))
            if entry is None:
                return None
            ctx.meta[_RUN] = word
            spec: ModelSpec = entry.spec
            return spec

    return Command


def model_of(word: str) -> Entry | None:
    """Return the record of the model of a run or an exported model; None if it names neither.

    Raises:
        GenkitError: its files are damaged, or no installed plugin offers the model.
    """
    from genkit.runs.saved_model import saved_model_entry

    return saved_model_entry(word)


def _flags(options: type[Config], model: str, taken: set[str | None]) -> list[TyperOption]:
    """Make a flag for each field of a class of options."""
    from genkit.plugins.config import describe

    if clash := taken & set(options.model_fields):
        raise PluginError(f"The options of {model} clash with flags of the command: {clash}.")
    flags = []
    for row in describe(options):
        name, flag = row["name"], f"--{row['name'].replace('_', '-')}"
        field = options.model_fields[name]
        truth = field.annotation is bool
        default = "" if row["default"] == "None" else f" Default {row['default']}."
        flags.append(
            TyperOption(
                param_decls=[name, f"{flag}/--no-{flag[2:]}" if truth else flag],
                type=bool if truth else str,
                is_flag=truth,
                default=None,
                metavar=None if truth else row["type"].replace(" or None", "").upper(),
                help=f"{row['meaning']}.{default}",
                autocompletion=None if truth else _offering(field),
                rich_help_panel=f"Of the model {model}",
            )
        )
    return flags


def _offering(field: FieldInfo) -> Callable[[Any, Any, str], list[Any]]:
    """Make what offers a shell the values of an option."""
    from genkit.cli.completion import beginning
    from genkit.cli.setting_completion import values_of

    def offer(_: Any, __: Any, incomplete: str) -> list[Any]:
        return beginning(incomplete, [(value, "") for value in values_of(field, incomplete)])

    return offer
