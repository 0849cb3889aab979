"""What plugins add to the command line: verbs, and flags for what their models can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

from genkit.errors import PluginError, RunError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from genkit.config import Config
    from genkit.registry import Entry
    from genkit.specs import ModelSpec

_FLAGS = "genkit.flags"


class Verbs(TyperGroup):
    """The built-in verbs, and after them those of plugins.

    Plugins are loaded for a verb that is not built in, and for the list of all. The function behind
    a verb is imported when the verb is used.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_verbs(set(self.commands))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        built_in = super().get_command(ctx, cmd_name)
        if built_in is not None:
            return built_in
        from genkit.registry import installed, suggestion

        try:
            entry = installed().find("commands", cmd_name)
        except UnknownNameError:
            raise UsageError(
                f"No such command {cmd_name!r}.",
                suggestion(cmd_name, self.list_commands(ctx)) or "See them with: genkit --help",
            ) from None
        return _Unloaded(cmd_name, entry)


def _verbs(built_in: set[str]) -> list[str]:
    """List the plugins' verbs by the shortest name that each answers to."""
    from genkit.registry import installed

    entries = installed().entries("commands")
    names = [entry.spec.name for entry in entries]
    return [
        entry.qualified_name if name in built_in or names.count(name) > 1 else name
        for entry, name in zip(entries, names, strict=True)
    ]


def commands_for(capabilities: Sequence[str]) -> list[str]:
    """List the plugins' verbs that are for one of these capabilities."""
    from genkit.registry import installed

    entries = installed().entries("commands")
    return [entry.spec.name for entry in entries if entry.spec.capability in capabilities]


class _Unloaded(TyperCommand):
    """A plugin's verb; it becomes the real one when it is used."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=f"{entry.spec.summary}.", rich_help_panel="From plugins")
        self._entry = entry

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        return self._load().make_context(info_name, args, parent, **extra)

    def _load(self) -> Any:
        from genkit.specs import resolve

        spec = self._entry.spec
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        try:
            function = resolve(spec.command)
            app.command(self.name, cls=for_capability(spec.capability))(function)
            return typer.main.get_command(app)
        except (Exception, SystemExit) as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise PluginError(
                f"The command {spec.name!r} of the plugin {self._entry.plugin} "
                f"({self._entry.distribution}) can't be loaded: {told}",
                "See where it fails with --debug; the plugin's author can mend it.",
            ) from error


def for_capability(capability: str) -> type[TyperCommand]:
    """Make a class of commands with flags for what the model of their ``RUN`` takes.

    Before anything heavy is imported, the model's spec is looked up by what the run directory
    says, and asked whether it can do that. Its options become flags; ``context.obj`` holds those
    that were given. Without a capability nothing is looked up.
    """

    class Command(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            ctx.obj = {}
            spec = self._model_spec(ctx, args) if capability else None
            if spec is not None and capability not in spec.capabilities:
                raise UsageError(
                    f"The model {spec.name} can {', '.join(spec.capabilities)}; not {capability}."
                )
            if spec is None or capability not in spec.options:
                return super().parse_args(ctx, args)
            from genkit.config import parse
            from genkit.specs import resolve

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

        def _model_spec(self, ctx: Any, args: list[str]) -> ModelSpec | None:
            """Find the run among the words that are no flags known so far, nor their values."""
            parser = self.make_parser(ctx)
            parser.ignore_unknown_options = True
            ctx.resilient_parsing = True  # mistakes are told of when it is parsed in earnest
            values, rest, _ = parser.parse_args(list(args))
            ctx.resilient_parsing = False
            taken = [
                values.get(str(param.name))
                for param in self.params
                if param.param_type_name == "argument"
            ]
            words = [word for word in (*taken, *rest) if isinstance(word, str)]
            found = (model_spec(Path(word)) for word in words)
            return next((spec for spec in found if spec is not None), None)

    return Command


def model_spec(path: Path) -> ModelSpec | None:
    """Look up the model of a run or of an exported model; None if it is neither, or damaged.

    Raises:
        RunError: no installed plugin offers the model.
    """
    from genkit.export import model_entry
    from genkit.files import read_json

    try:
        if (path / "plan.json").is_file():
            plan = read_json(path / "plan.json")
            name, distribution = plan["model"], plan["distributions"]["model"]
        elif (path / "config.json").is_file():
            config = read_json(path / "config.json")
            name, distribution = config["model"], config["distribution"]
        else:
            return None
    except (RunError, LookupError, TypeError):
        return None
    spec: ModelSpec = model_entry(str(name), str(distribution)).spec
    return spec


def _flags(options: type[Config], model: str, taken: set[str | None]) -> list[TyperOption]:
    """Make a flag for each field of a class of options."""
    from genkit.config import describe

    if clash := taken & set(options.model_fields):
        raise PluginError(f"The options of {model} clash with flags of the command: {clash}.")
    flags = []
    for row in describe(options):
        name, flag = row["name"], f"--{row['name'].replace('_', '-')}"
        truth = options.model_fields[name].annotation is bool
        default = "" if row["default"] == "None" else f" Default {row['default']}."
        flags.append(
            TyperOption(
                param_decls=[name, f"{flag}/--no-{flag[2:]}" if truth else flag],
                type=bool if truth else str,
                is_flag=truth,
                default=None,
                metavar=None if truth else row["type"].replace(" or None", "").upper(),
                help=f"{row['meaning']}.{default}",
                rich_help_panel=f"Of the model {model}",
            )
        )
    return flags
