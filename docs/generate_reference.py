"""Write the reference pages that follow from the code: python docs/generate_reference.py.

With --check nothing is written; it fails if a page is stale.

Everything is read from the built-in plugin, the command line's own description and the source
text; no framework is imported, and the same code gives the same pages on every machine.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo

import genkit
from genkit import hookspecs
from genkit.builtin import plugin as builtin_plugin
from genkit.config import describe
from genkit.plan import Recipe
from genkit.registry import KINDS, Registry
from genkit.specs import resolve

HERE = Path(__file__).parent / "reference"
SOURCE = Path(genkit.__file__).parent
NOTICE = "<!-- Written by docs/generate_reference.py: change the code, not this page. -->"
_WIDTH = 88
_SECTION = re.compile(r"(Args|Attributes|Returns|Yields|Raises|Example|Reference|[A-Z]\w+ shape):$")

# Public names by subject; every name of genkit.__all__ stands here.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "Train and use": ("train", "resume", "load", "open_data", "evaluate", "activate"),
    "Models": ("Model", "Autoencoder", "GAN", "Config", "gradient", "Trainer", "Metric"),
    "Plugins": (
        "hookimpl",
        "ModelSpec",
        "DatasetSpec",
        "TrainerSpec",
        "MetricSpec",
        "CallbackSpec",
        "CommandSpec",
        "RendererSpec",
        "ReviewerSpec",
        "Renderer",
        "Reviewer",
        "Review",
        "Registry",
    ),
    "Data": ("Schema", "Field"),
    "Errors": ("GenkitError",),
}
# Packages whose own __all__ is public too.
PACKAGES = {
    "genkit.data": ("as_source", "ArraySource", "Batch", "Loader", "Sampler", "Source"),
    "genkit.evaluation": None,
    "genkit.layers": None,
    "genkit.losses": None,
    "genkit.testing": None,
}
# What public functions hand out.
RESULTS = {"genkit.api": ("Result",), "genkit.fitting": ("Outcome",)}
_KINDS = {str: "TEXT", int: "N", Path: "PATH", bool: ""}
# Modules some of whose names are public: what verbs print with, what plugins raise and declare.
MODULES = {
    "genkit.cli.output": ("JsonFlag", "emit", "say", "note", "table"),
    "genkit.config": ("AbsolutePath",),
    "genkit.errors": ("DataError", "PluginError", "RunError", "UsageError"),
    "genkit.testing.fakes": ("toy_schema", "toy_source", "write_image_folder", "write_npz"),
}


def pages() -> dict[str, str]:
    """Give the text of each generated page, by file name."""
    registry = Registry(plugins=[builtin_plugin])
    return {
        "cli.md": _cli(),
        "hooks.md": _hooks(),
        "models.md": _models(registry),
        "datasets.md": _datasets(registry),
        "trainers-and-callbacks.md": _trainers_and_callbacks(registry),
        "recipe.md": _recipe(),
        "checks.md": _checks(),
        "python.md": _python(),
    }


def stale() -> list[str]:
    """Name the pages whose file differs from what would be written, or is missing."""
    return [
        name
        for name, text in pages().items()
        if not (HERE / name).is_file() or (HERE / name).read_text(encoding="utf-8") != text
    ]


def main() -> None:
    """Write the pages; with ``--check`` only say which are stale."""
    if "--check" in sys.argv[1:]:
        if names := stale():
            sys.exit(f"Stale: {', '.join(names)}. Run: python docs/generate_reference.py")
        return
    HERE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


def _page(title: str, introduction: str, parts: Sequence[str]) -> str:
    return "\n\n".join([NOTICE, f"# {title}", introduction, *parts]).rstrip() + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines
    )


# The command line


def _cli() -> str:
    from genkit.cli import app

    parts = [
        "Exit codes and JSON: [Run directory](run-directory.md#exit-codes).",
        "## genkit\n\n```text\ngenkit [OPTIONS] COMMAND [ARGS]...\n```",
        _options(app.registered_callback.callback),
    ]
    parts += [_command(name, function) for name, function in commands()]
    return _page("Command line", "What `genkit --help` and `genkit COMMAND --help` tell.", parts)


def commands() -> list[tuple[str, Callable[..., Any]]]:
    """List all commands, with the words that name them; those of groups come last."""
    from genkit.cli import app

    groups = [
        ("", app),
        *((f"{group.name} ", group.typer_instance) for group in app.registered_groups),
    ]
    return [
        (f"{prefix}{command.name}", command.callback)
        for prefix, group in groups
        for command in group.registered_commands
    ]


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
        told = "" if default in (None, False, inspect.Parameter.empty) else f" Default `{default}`."
        found.append((names, record, value, told))
    return found


def _command(name: str, function: Callable[..., Any]) -> str:
    told = parameters(function)
    arguments = [
        (_metavar(parameter, record), record)
        for parameter, (_, record, _, _) in zip(
            [p for p in inspect.signature(function).parameters.values() if p.name != "context"],
            told,
            strict=True,
        )
        if isinstance(record, ArgumentInfo)
    ]
    usage = " ".join(["genkit", name, *(metavar for metavar, _ in arguments), "[OPTIONS]"])
    text, _, examples = inspect.cleandoc(function.__doc__ or "").partition("Examples:\n")
    parts = [f"## genkit {name}", f"```text\n{usage}\n```", text.strip()]
    if arguments:
        rows = [[f"`{metavar}`", _sentence(record.help)] for metavar, record in arguments]
        parts.append(_table(["argument", "meaning"], rows))
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
            meaning = _sentence(record.help) + default
            rows.append([f"{shown} `{value}`" if value else shown, meaning])
    return _table(["option", "meaning"], rows)


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


# The hooks


def _hooks() -> str:
    # The first line is the page's own introduction in other words.
    about = inspect.cleandoc(hookspecs.__doc__ or "").partition("\n\n")[2]
    parts = [_docstring(about)]
    tree = _tree("genkit.hookspecs")
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("genkit_"):
            signature = f"```python-signature\n{_signature(node)}\n```"
            parts.append(f"## {node.name}\n\n{signature}\n\n{_docstring(ast.get_docstring(node))}")
    missing = [kind for kind in KINDS if f"## genkit_{kind}" not in "\n".join(parts)]
    assert not missing, f"hooks without a page: {missing}"
    return _page(
        "Hooks",
        "What a plugin can implement. The records are described in [Python](python.md#plugins); "
        "how to make a plugin in [Write a plugin](../how-to/write-a-plugin.md).",
        parts,
    ).replace("```python-signature", "```{code-block} python")


# What the built-in plugin registers


def _checks() -> str:
    from genkit.testing.check import definitions

    parts = []
    for kind in ("plugins", *KINDS):
        rows = [
            [f"`{check.name}`", check.meaning.replace("``", "`")] for check in definitions(kind)
        ]
        title = "data sets" if kind == "datasets" else kind
        parts.append(f"## Checks of {title}\n\n{_table(['check', 'what must hold'], rows)}")
    return _page(
        "Checks",
        "What `genkit check NAME` and `genkit.testing.parametrize_with_checks` check; how to use "
        "them: [Test a plugin](../how-to/test-a-plugin.md).",
        parts,
    )


def _models(registry: Registry) -> str:
    parts = []
    for entry in registry.entries("models"):
        spec = entry.spec
        notes = [
            ("Also called", ", ".join(f"`{alias}`" for alias in spec.aliases)),
            ("Needs data with", ", ".join(spec.accepts)),
            ("Can", ", ".join(spec.capabilities)),
            *(
                (f"Flags of `genkit {capability}`", ", ".join(_flags_of(reference)))
                for capability, reference in spec.options.items()
            ),
            ("Trainer", f"`{spec.trainer}`"),
        ]
        presets = [
            [f"`{name}`", ", ".join(f"`{key} = {_toml(v)}`" for key, v in settings.items())]
            for name, settings in spec.presets.items()
        ]
        told = [
            f"## {spec.name}",
            f"{spec.summary}.",
            _bullets(notes),
            _settings(spec.config),
            _table(["preset", "says"], presets),
            "\n".join(f"- {reference}" for reference in spec.references),
        ]
        parts.append("\n\n".join(told))
    return _page(
        "Models",
        "The built-in models, as `genkit info MODEL` shows them. A setting is given with "
        "`--set KEY=VALUE`, or in the `[config]` table of a recipe.",
        parts,
    )


def _datasets(registry: Registry) -> str:
    parts = []
    for entry in registry.entries("datasets"):
        spec = entry.spec
        notes = [
            ("Modality", spec.modality),
            ("Licence", spec.licence),
            ("Homepage", f"<{spec.homepage}>" if spec.homepage else ""),
        ]
        told = [f"## {spec.name}", f"{spec.summary}.", _bullets(notes), _settings(spec.config)]
        parts.append("\n\n".join(told))
    return _page(
        "Data sets",
        "The built-in data sets, as `genkit info DATASET` shows them. A setting is given with "
        "`--data KEY=VALUE`, or in the `[data]` table of a recipe.",
        parts,
    )


def _trainers_and_callbacks(registry: Registry) -> str:
    trainers = [[f"`{e.spec.name}`", e.spec.summary] for e in registry.entries("trainers")]
    callbacks = [
        [f"`{e.spec.name}`", e.spec.summary, f"`{e.spec.callback.replace(':', '.')}`"]
        for e in registry.entries("callbacks")
    ]
    return _page(
        "Trainers and callbacks",
        "What the built-in plugin registers beside models and data sets. Its renderer, `image`, "
        "writes images of 1 or 3 channels as PNG files and in grids.",
        [
            "## Trainers\n\nA model names the one it wants; `--trainer` chooses another.",
            _table(["trainer", "what it does"], trainers),
            "## Callbacks\n\nHow a recipe names them: [Recipes](../how-to/recipes.md#callbacks).",
            _table(["callback", "what it does", "class"], callbacks),
        ],
    )


def _recipe() -> str:
    return _page(
        "Recipe",
        "The keys of a recipe file and of a preset; all of them may be left out. The same names "
        "are the arguments of [`genkit.train`](python.md#genkit-train). How they are used: "
        "[Recipes](../how-to/recipes.md).",
        [_fields(Recipe)],
    )


def _flags_of(reference: str) -> list[str]:
    return [f"`--{name.replace('_', '-')}`" for name in resolve(reference).model_fields]


def _settings(reference: str) -> str:
    return _fields(resolve(reference))


def _fields(config: Any) -> str:
    rows = [
        [f"`{row['name']}`", row["type"], f"`{row['default']}`", row["meaning"]]
        for row in describe(config)
    ]
    return _table(["setting", "type", "default", "meaning"], rows)


def _bullets(notes: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"- {label}: {text}" for label, text in notes if text)


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else str(value)


# The Python names


def _python() -> str:
    told = {name for names in SUBJECTS.values() for name in names}
    assert told == set(genkit.__all__), told ^ set(genkit.__all__)
    homes = _homes("genkit")
    parts = []
    for subject, names in SUBJECTS.items():
        parts.append(f"## {subject}")
        parts += [_name(homes[name], name, f"genkit.{name}") for name in names]
        if subject == "Train and use":
            parts += [_name(m, n, f"{m}.{n}") for m, ns in RESULTS.items() for n in ns]
    for package, chosen in PACKAGES.items():
        homes = _homes(package)
        parts.append(f"## {package}")
        listed = [name for name in chosen or homes if not name.isupper()]  # no constants
        parts += [_name(homes[name], name, f"{package}.{name}") for name in listed]
    for module, names in MODULES.items():
        parts.append(f"## {module}")
        parts += [_name(module, name, f"{module}.{name}") for name in names]
    introduction = (
        "The public names. Those of `genkit` itself load on first use: importing `genkit` imports "
        "no framework. `genkit.Model`, `genkit.Autoencoder`, `genkit.GAN`, `genkit.Trainer` and "
        "`genkit.gradient` import Keras, so choose the backend before: `genkit.activate()`."
    )
    return _page("Python", introduction, parts)


def public_api() -> list[str]:
    """List every public name with its signature, a line each."""
    homes = _homes("genkit")
    found = [(homes[name], name, f"genkit.{name}") for name in genkit.__all__]
    found += [(m, n, f"{m}.{n}") for m, ns in {**RESULTS, **MODULES}.items() for n in ns]
    for package, chosen in PACKAGES.items():
        homes = _homes(package)
        found += [(homes[name], name, f"{package}.{name}") for name in chosen or homes]
    return [line for module, name, shown in found for line in _api_lines(module, name, shown)]


def _api_lines(module: str, name: str, shown: str) -> Iterator[str]:
    node = next((n for n in _tree(module).body if _is_named(n, name)), None)
    if isinstance(node, ast.ClassDef):
        yield f"{shown}: {_on_one_line(_constructor(node))}"
        for method in (*_methods(node), *_inherited(module, node)):
            yield f"{shown}.{method.name}: {_on_one_line(_signature(method))}"
    elif isinstance(node, ast.FunctionDef):
        yield f"{shown}: {_on_one_line(_signature(node))}"
    else:
        yield shown  # a constant, an alias or a marker


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _homes(module: str) -> dict[str, str]:
    """Read from a package's own imports in which module each public name lives, sorted."""
    tree = _tree(module)
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("genkit.")
        for alias in sorted(node.names, key=lambda alias: alias.name)
    }


def _tree(module: str) -> ast.Module:
    """Parse a module's source; importing it would import Keras."""
    path = SOURCE.parent.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _name(module: str, name: str, shown: str) -> str:
    heading = f"({shown.replace('.', '-').lower()})=\n### {shown}"
    node = next((n for n in _tree(module).body if _is_named(n, name)), None)
    if node is None:
        return f"{heading}\n\n{_prose(_docstring_of_alias(module, name))}"
    if isinstance(node, ast.FunctionDef):
        return "\n\n".join([heading, _code(_signature(node)), _docstring(ast.get_docstring(node))])
    assert isinstance(node, ast.ClassDef)
    parts = [heading, _code(_constructor(node)), _docstring(ast.get_docstring(node))]
    parts += [_method(shown, method) for method in (*_methods(node), *_inherited(module, node))]
    return "\n\n".join(part for part in parts if part)


def _docstring_of_alias(module: str, name: str) -> str:
    """Give the text below an assignment: of a type, a marker or a constant."""
    for node, below in pairwise(_tree(module).body):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == name:
            assert isinstance(below, ast.Expr), f"{module}.{name} has no text below it"
            return str(ast.literal_eval(below.value))
    raise LookupError(f"{module} assigns no {name}.")


def _inherited(module: str, node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """Give the methods from bases of GenKit that have no entry of their own."""
    homes = _homes(module)
    for name in (ast.unparse(base) for base in node.bases):
        if name in homes and name not in genkit.__all__:
            yield from _methods(next(n for n in _tree(homes[name]).body if _is_named(n, name)))


def _is_named(node: ast.stmt, name: str) -> bool:
    return getattr(node, "name", None) == name


def _methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    for child in node.body:
        public = isinstance(child, ast.FunctionDef) and not child.name.startswith("_")
        if public and ast.get_docstring(child):
            yield child


def _method(owner: str, node: ast.FunctionDef) -> str:
    decorators = {ast.unparse(d) for d in node.decorator_list}
    is_property = "property" in decorators
    heading = f"#### {owner.rpartition('.')[2]}.{node.name}"
    signature = "" if is_property else _code(_signature(node))
    told = [heading, signature, _docstring(ast.get_docstring(node))]
    return "\n\n".join(part for part in told if part)


def _constructor(node: ast.ClassDef) -> str:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    head = f"class {node.name}({bases})" if bases else f"class {node.name}"
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and child.name == "__init__":
            child.returns = None
            return f"{head}\n{_signature(child).replace('def __init__', node.name)}"
    fields = [
        ast.unparse(child)
        for child in node.body
        if isinstance(child, ast.AnnAssign) and not ast.unparse(child.target).startswith("_")
    ]
    return "\n".join([f"{head}:", *(f"    {line}" for line in fields)]) if fields else head


def _signature(node: ast.FunctionDef) -> str:
    arguments = node.args
    for group in (arguments.posonlyargs, arguments.args):
        if group and group[0].arg in ("self", "cls"):
            del group[0]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    pieces = _split(ast.unparse(arguments))
    text = ", ".join(pieces)
    line = f"def {node.name}({text}){returns}"
    if len(line) <= _WIDTH:
        return line
    block = textwrap.indent(",\n".join(pieces), "    ")
    return f"def {node.name}(\n{block},\n){returns}"


def _split(text: str) -> list[str]:
    """Split arguments at the commas that stand in no bracket."""
    pieces, depth = [""], 0
    for character in text:
        depth += (character in "[({") - (character in "])}")
        if character == "," and not depth:
            pieces.append("")
        else:
            pieces[-1] += character
    return [re.sub(r"^(\w+: [^=]+)=", r"\1 = ", piece.strip()) for piece in pieces]


def _code(text: str) -> str:
    return f"```{{code-block}} python\n{text}\n```"


# Docstrings


def _docstring(text: str | None) -> str:
    """Turn a docstring (Google style) into markdown."""
    parts: list[str] = []
    for title, body in _sections(text or ""):
        if title is None:
            parts.append(_prose(body))
        elif title in ("Args", "Attributes", "Raises"):
            parts.append(f"**{title}**\n\n{_items(body)}")
        elif title == "Example":
            parts.append(f"**{title}**\n\n{_example(body)}")
        else:
            parts.append(f"**{title}**\n\n{_prose(body)}")
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


def _prose(text: str) -> str:
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
    language = "pycon" if text.startswith(">>>") else "{code-block} python"
    return f"```{language}\n{text}\n```"


if __name__ == "__main__":
    main()
