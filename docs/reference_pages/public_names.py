"""The public names of GenKit, with their signatures, read from the source text."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import genkit
from reference_pages import markdown

SOURCE = Path(genkit.__file__).parent
_WIDTH = 88

# Public names by subject; every name of genkit.__all__ stands here.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "Train and use": (
        "train",
        "resume",
        "load",
        "save",
        "ModelWorkers",
        "open_data",
        "open_dataset",
        "evaluate",
        "write_report",
        "compare",
        "augment",
        "list_runs",
        "open_run",
        "list_models",
        "list_datasets",
        "info",
        "activate",
        "Result",
        "Outcome",
    ),
    "Models": (
        "Model",
        "Condition",
        "Autoencoder",
        "GAN",
        "Config",
        "AbsolutePath",
        "gradient",
        "loop",
        "Trainer",
        "GradientTransform",
        "Metric",
        "Extractor",
    ),
    "Plugins": (
        "hookimpl",
        "ModelSpec",
        "DatasetSpec",
        "TrainerSpec",
        "MetricSpec",
        "ExtractorSpec",
        "CallbackSpec",
        "CommandSpec",
        "RendererSpec",
        "ReviewerSpec",
        "TransformSpec",
        "OpenerSpec",
        "LearnerSpec",
        "Learner",
        "LauncherSpec",
        "Launcher",
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
    "genkit.data": (
        "as_source",
        "ArraySource",
        "Batch",
        "ColumnSource",
        "FileItem",
        "FileSource",
        "ItemFiles",
        "LeftOut",
        "Loader",
        "Ragged",
        "Sampler",
        "Source",
        "Subset",
        "bucket",
        "items_of",
        "noise_for_samples",
        "pack_text",
        "rows_per_class",
        "unpack_text",
        "vocabulary_of",
        "with_vocabulary",
    ),
    "genkit.engine": ("Collective", "of_this_process", "workers"),
    "genkit.evaluation": None,
    "genkit.layers": None,
    "genkit.losses": None,
    "genkit.testing": None,
}
# Modules some of whose names are public: what verbs print with, what plugins read with, raise
# and declare.
MODULES = {
    "genkit.cli.output": ("JsonFlag", "emit", "say", "note", "table"),
    "genkit.data.tables": (
        "read_table",
        "Dialect",
        "TableChunk",
        "Malformed",
        "is_missing",
        "OPEN_QUOTE",
        "WIDTH",
    ),
    "genkit.report.samples": ("Samples",),
    "genkit.errors": ("DataError", "PluginError", "RunError", "UsageError"),
    "genkit.workers.launcher": ("Ended",),
    "genkit.workers.line": ("free_port",),
    "genkit.workers.local": ("run_here",),
    "genkit.workers.team": ("Team",),
    "genkit.testing.fakes": ("toy_schema", "toy_source", "write_image_folder", "write_npz"),
}


def written() -> str:
    documented = {name for names in SUBJECTS.values() for name in names}
    assert documented == set(genkit.__all__), documented ^ set(genkit.__all__)
    homes = _homes("genkit")
    parts = []
    for subject, names in SUBJECTS.items():
        parts.append(f"## {subject}")
        parts += [_name(homes[name], name, f"genkit.{name}") for name in names]
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
        "no framework. `genkit.Model`, `genkit.Autoencoder`, `genkit.GAN`, `genkit.Trainer`, "
        "`genkit.GradientTransform` and `genkit.gradient` need Keras, so choose the backend "
        "before: `genkit.activate()`."
    )
    return markdown.page("Python", introduction, parts)


def public_api() -> list[str]:
    """List every public name with its signature, a line each."""
    homes = _homes("genkit")
    found = [(homes[name], name, f"genkit.{name}") for name in genkit.__all__]
    found += [(m, n, f"{m}.{n}") for m, ns in MODULES.items() for n in ns]
    for package, chosen in PACKAGES.items():
        homes = _homes(package)
        found += [(homes[name], name, f"{package}.{name}") for name in chosen or homes]
    return [line for module, name, shown in found for line in _api_lines(module, name, shown)]


def _api_lines(module: str, name: str, shown: str) -> Iterator[str]:
    node = next((n for n in tree(module).body if _is_named(n, name)), None)
    if isinstance(node, ast.ClassDef):
        yield f"{shown}: {_on_one_line(_constructor(node))}"
        for method in (*_methods(node), *_inherited(module, node)):
            yield f"{shown}.{method.name}: {_on_one_line(signature(method))}"
    elif isinstance(node, ast.FunctionDef):
        yield f"{shown}: {_on_one_line(signature(node))}"
    else:
        yield shown  # a constant, an alias or a marker


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _homes(module: str) -> dict[str, str]:
    """Read from a package's own imports in which module each public name lives, sorted."""
    parsed = tree(module)
    return {
        alias.name: node.module
        for node in ast.walk(parsed)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("genkit.")
        for alias in sorted(node.names, key=lambda alias: alias.name)
    }


def tree(module: str) -> ast.Module:
    """Parse a module's source; importing it would import Keras."""
    path = SOURCE.parent.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(file.read_text(encoding="utf-8"))


def _name(module: str, name: str, shown: str) -> str:
    heading = f"### {shown}"
    node = next((n for n in tree(module).body if _is_named(n, name)), None)
    if node is None:
        return f"{heading}\n\n{markdown.prose(_docstring_of_alias(module, name))}"
    if isinstance(node, ast.FunctionDef):
        return "\n\n".join(
            [heading, markdown.code(signature(node)), markdown.docstring(ast.get_docstring(node))]
        )
    assert isinstance(node, ast.ClassDef)
    parts = [
        heading,
        markdown.code(_constructor(node)),
        markdown.docstring(ast.get_docstring(node)),
    ]
    parts += [_method(shown, method) for method in (*_methods(node), *_inherited(module, node))]
    return "\n\n".join(part for part in parts if part)


def _docstring_of_alias(module: str, name: str) -> str:
    """Return the text below an assignment: of a type, a marker or a constant."""
    for node, below in pairwise(tree(module).body):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == name:
            assert isinstance(below, ast.Expr), f"{module}.{name} has no text below it"
            return str(ast.literal_eval(below.value))
    raise LookupError(f"{module} assigns no {name}.")


def _inherited(module: str, node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """Return the methods from bases of GenKit that have no entry of their own."""
    homes = _homes(module)
    for name in (ast.unparse(base) for base in node.bases):
        if name in homes and name not in genkit.__all__:
            yield from _methods(next(n for n in tree(homes[name]).body if _is_named(n, name)))


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
    shown = "" if is_property else markdown.code(signature(node))
    parts = [heading, shown, markdown.docstring(ast.get_docstring(node))]
    return "\n\n".join(part for part in parts if part)


def _constructor(node: ast.ClassDef) -> str:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    head = f"class {node.name}({bases})" if bases else f"class {node.name}"
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and child.name == "__init__":
            child.returns = None
            return f"{head}\n{signature(child).replace('def __init__', node.name)}"
    fields = [
        ast.unparse(child)
        for child in node.body
        if isinstance(child, ast.AnnAssign) and not ast.unparse(child.target).startswith("_")
    ]
    return "\n".join([f"{head}:", *(f"    {line}" for line in fields)]) if fields else head


def signature(node: ast.FunctionDef) -> str:
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
