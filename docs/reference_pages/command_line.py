"""The command line, as its own help tells it."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo

from reference_pages import markdown

_KINDS = {str: "TEXT", int: "N", Path: "PATH", bool: ""}


def written() -> str:
    from genkit.cli import app

    parts = [
        "Exit codes and JSON: [Run directory](run-directory.md#exit-codes).",
        "## genkit\n\n```text\ngenkit [OPTIONS] COMMAND [ARGS]...\n```",
        _own_options(app),
    ]
    parts += [_command(name, function) for name, function in commands()]
    return markdown.page(
        "Command line", "What `genkit --help` and `genkit COMMAND --help` tell.", parts
    )


def _own_options(app: typer.Typer) -> str:
    """Return the table of the options of ``genkit`` itself, those that Typer adds among them."""
    rows = [
        [", ".join(f"`{name}`" for name in parameter.opts), markdown.sentence(parameter.help)]
        for parameter in typer.main.get_command(app).params
    ]
    return markdown.table(["option", "meaning"], rows)


def commands() -> list[tuple[str, Callable[..., Any]]]:
    """List all commands, with the words that name them; those of groups come last."""
    from genkit.cli import app

    found = [(command.name, command.callback) for command in app.registered_commands]
    for group in app.registered_groups:
        inside = group.typer_instance
        if inside.info.invoke_without_command:  # the group's name alone does something too
            found.append((group.name, inside.registered_callback.callback))
        found += [
            (f"{group.name} {each.name}", each.callback) for each in inside.registered_commands
        ]
    return found


def parameters(function: Callable[..., Any]) -> list[tuple[list[str], Any, str, str]]:
    """List a command's parameters: names, typer's record, kind of value, default."""
    hints = get_type_hints(function, include_extras=True)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        if hints[name] is typer.Context:
            continue
        kind, record = get_args(hints[name])[:2]
        flag = f"--{name.replace('_', '-')}"
        # In Annotated[...] the first name given to typer.Option lands in `default`.
        given = (record.default, *(record.param_decls or ()))
        names = [n for n in given if isinstance(n, str) and n.startswith("-")] or [flag]
        kinds = [part for part in (get_args(kind) or (kind,)) if part is not type(None)]
        value = "" if kind is bool else record.metavar or _KINDS[kinds[0]]
        default = parameter.default
        usual = (
            "" if default in (None, False, inspect.Parameter.empty) else f" Default `{default}`."
        )
        found.append((names, record, value, usual))
    return found


def _command(name: str, function: Callable[..., Any]) -> str:
    documented = parameters(function)
    arguments = [
        (_metavar(parameter, record), record)
        for parameter, (_, record, _, _) in zip(
            [p for p in inspect.signature(function).parameters.values() if p.name != "context"],
            documented,
            strict=True,
        )
        if isinstance(record, ArgumentInfo)
    ]
    usage = " ".join(["genkit", name, *(metavar for metavar, _ in arguments), "[OPTIONS]"])
    text, _, examples = inspect.cleandoc(function.__doc__ or "").partition("Examples:\n")
    parts = [f"## genkit {name}", f"```text\n{usage}\n```", text.strip()]
    if arguments:
        rows = [[f"`{metavar}`", markdown.sentence(record.help)] for metavar, record in arguments]
        parts.append(markdown.table(["argument", "meaning"], rows))
    parts.append(_options(function))
    if examples:
        parts.append(f"<!-- dry run -->\n```bash\n{textwrap.dedent(examples).strip()}\n```")
    return "\n\n".join(parts)


def _metavar(parameter: inspect.Parameter, record: ArgumentInfo) -> str:
    metavar = record.metavar or parameter.name.upper()
    return metavar if parameter.default is inspect.Parameter.empty else f"[{metavar}]"


def _options(function: Callable[..., Any]) -> str:
    rows = []
    for names, record, value, default in parameters(function):
        if not isinstance(record, ArgumentInfo):
            shown = ", ".join(f"`{name}`" for name in names)
            meaning = markdown.sentence(record.help) + default
            rows.append([f"{shown} `{value}`" if value else shown, meaning])
    return markdown.table(["option", "meaning"], rows)
