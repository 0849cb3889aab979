"""Pages, tables, lists, and docstrings as Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

NOTICE = "<!-- Written by docs/generate_reference.py: change the code, not this page. -->"
_SECTION = re.compile(r"(Args|Attributes|Returns|Yields|Raises|Example|Reference|[A-Z]\w+ shape):$")


def page(title: str, introduction: str, parts: Sequence[str]) -> str:
    return "\n\n".join([NOTICE, f"# {title}", introduction, *parts]).rstrip() + "\n"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines
    )


def bullets(notes: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"- {label}: {text}" for label, text in notes if text)


def sentence(text: str | None) -> str:
    return " ".join((text or "").split())


def code(text: str) -> str:
    return f"```python\n{text}\n```"


def docstring(text: str | None) -> str:
    """Turn a docstring (Google style) into markdown."""
    parts: list[str] = []
    for title, body in _sections(text or ""):
        if title is None:
            parts.append(prose(body))
        elif title in ("Args", "Attributes", "Raises"):
            parts.append(f"**{title}**\n\n{_items(body)}")
        elif title == "Example":
            parts.append(f"**{title}**\n\n{_example(body)}")
        else:
            parts.append(f"**{title}**\n\n{prose(body)}")
    return "\n\n".join(part for part in parts if part)


def _sections(text: str) -> Iterator[tuple[str | None, str]]:
    title: str | None = None
    lines: list[str] = []
    for line in text.splitlines():
        if _SECTION.match(line):
            yield title, _dedented(lines)
            title, lines = line.rstrip(":"), []
        else:
            if title is not None and line and not line.startswith(" "):
                yield title, _dedented(lines)
                title, lines = None, []
            lines.append(line)
    yield title, _dedented(lines)


def _dedented(lines: Sequence[str]) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n")


def prose(text: str) -> str:
    """Keep paragraphs; what is indented is code."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith("    "):
            parts.append(f"```text\n{textwrap.dedent(paragraph)}\n```")
        elif paragraph.startswith("==="):
            parts.append(f"```text\n{paragraph}\n```")
        else:
            parts.append(paragraph.replace("``", "`"))
    return "\n\n".join(parts)


def _items(text: str) -> str:
    items: list[list[str]] = []
    for line in text.splitlines():
        if line.strip() and not line.startswith(" "):
            name, _, meaning = line.partition(":")
            items.append([f"- `{name.strip()}`: {meaning.strip()}"])
        elif line.strip():
            items[-1].append(line.strip())
    return "\n".join("\n  ".join(item) for item in items).replace("``", "`")


def _example(text: str) -> str:
    language = "pycon" if text.startswith(">>>") else "python"
    return f"```{language}\n{text}\n```"
