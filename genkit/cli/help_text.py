"""Help that flows at any width: paragraphs are joined, examples go on in the next line."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

_NARROW = 60
"""Columns below which the panels of flags would cut their words."""
_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")


class FlowingCommand(TyperCommand):
    """A command whose help flows at any width."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage, ``RUN`` without the braces that newer Typers put."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        if not _wrote_narrow(self, ctx, formatter):
            super().format_help(ctx, formatter)


class FlowingGroup(TyperGroup):
    """A group of commands whose help flows at any width."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        if not _wrote_narrow(self, ctx, formatter):
            super().format_help(ctx, formatter)


def _wrote_narrow(command: Any, ctx: Any, formatter: Any) -> bool:
    """Whether the help was written in one column; else its text is made to fit the panels."""
    columns = shutil.get_terminal_size().columns
    if columns < _NARROW:
        formatter.write(_in_one_column(command, ctx, columns))
        return True
    command.help = reflowed(command.help or "", columns - 2)
    return False


def reflowed(text: str, columns: int) -> str:
    """Return a docstring with each paragraph as one line, and its examples fitting the columns.

    A line that is indented is an example: a command of the shell, which a backslash continues.
    """
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(text))
    return "\n\n".join("\n".join(_lines(paragraph, columns)) for paragraph in paragraphs)


def _lines(paragraph: str, columns: int) -> Iterator[str]:
    prose: list[str] = []
    for line in paragraph.splitlines():
        if line.startswith(" "):
            if prose:
                yield " ".join(prose)
                prose = []
            yield from _continued(line, columns)
        else:
            prose.append(line.strip())
    if prose:
        yield " ".join(prose)


def _continued(example: str, columns: int) -> list[str]:
    """Break a command between its words where it is too long; a flag keeps its value."""
    indent = example[: len(example) - len(example.lstrip())]
    words = re.sub(rf"(--?[a-z][\w-]*) (?!-)({_WORD.pattern})", "\\1\0\\2", example.strip())
    lines, line = [], indent
    for word in _WORD.findall(words):
        piece = word.replace("\0", " ")
        if line.strip() and len(line) + len(piece) + 2 > columns:
            lines.append(f"{line}\\")
            line = f"{indent}    "
        line += f"{piece} "
    return [*lines, line.rstrip()]


def _in_one_column(command: Any, ctx: Any, columns: int) -> str:
    """Return a command's help for a narrow screen: below each flag what it means."""
    usage = " ".join([ctx.command_path, *command.collect_usage_pieces(ctx)])
    blocks = [_filled(f"Usage: {usage}", columns, hanging=4), ""]
    text = reflowed(command.help or "", columns).splitlines()
    blocks += [
        line if line.startswith(" ") or not line else _filled(line, columns) for line in text
    ]
    records: list[tuple[str, str]] = [
        record for param in command.get_params(ctx) if (record := param.get_help_record(ctx))
    ]
    parts = [("Arguments and options", records)]
    if isinstance(command, TyperGroup):
        found = [(name, command.get_command(ctx, name)) for name in command.list_commands(ctx)]
        shown = [
            (name, each.get_short_help_str(1000))
            for name, each in found
            if each is not None and not each.hidden
        ]
        parts.append(("Commands", shown))
    blocks += [part_in_one_column(title, rows, columns) for title, rows in parts]
    if command.epilog:
        blocks += ["", _filled(command.epilog, columns)]
    return "\n".join(blocks) + "\n"


def part_in_one_column(title: str, rows: Sequence[tuple[str, str]], columns: int) -> str:
    """Return a part of a help: below each term what it means."""
    lines = [f"{_filled(term, columns, 2, 2)}\n{_filled(text, columns, 6)}" for term, text in rows]
    return "\n".join(["", _filled(f"{title}:", columns), *lines])


def _filled(text: str, columns: int, indent: int = 0, hanging: int = 0) -> str:
    return textwrap.fill(
        text,
        columns,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
