"""The rooms of the house, lowest first, and who imports whom, read from the syntax trees."""

import ast
from collections import defaultdict
from pathlib import Path

from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

# A floor a line. Rooms of one floor don't know each other; an import goes to a lower floor.
FLOORS = [
    ("errors",),
    ("files", "live"),
    ("plugins",),
    ("plan",),
    ("engine",),
    ("data", "layers", "losses"),
    ("models",),
    ("builtin", "runs", "workers"),
    ("evaluation",),
    ("report",),
    ("workflows",),
    ("testing",),
    ("cli",),
    ("genkit",),
]
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}

# Files of the highest room that stand beside it; the last three are where modules stood before.
TOP = {"__main__", "api", "config", "fitting"}


def room_of(module: str) -> str | None:
    """Return the room of a module of GenKit, named from ``genkit`` on; None if it has none."""
    first = module.split(".")[1:2]
    name = "genkit" if not first or first[0] in TOP else first[0]
    return name if name in FLOOR_OF else None


def modules_of(package: Path) -> dict[str, Path]:
    """Return the files of a package by the names they are imported under; no templates."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        inside = file.relative_to(package.parent).with_suffix("").parts
        if "templates" not in inside:
            found[".".join(inside).removesuffix(".__init__")] = file
    return found


def imports_of(package: Path) -> dict[str, set[str]]:
    """Return for each module those of its package that it imports.

    Imports inside functions and under ``TYPE_CHECKING`` count, and so do modules named in a call
    of ``import_module``.
    """
    modules = modules_of(package)
    graph = {}
    for module, file in modules.items():
        is_package = file.name == "__init__.py"
        named = _named(ast.parse(file.read_text()), module if is_package else _parent(module))
        graph[module] = {m for m in (_module(n, modules) for n in named) if m} - {module}
    return graph


def references_of(package: Path) -> dict[str, set[str]]:
    """Return for each module those in its package that a text names, whole or before a colon.

    So a record says where something stands without importing it.
    """
    modules = modules_of(package)
    found = {}
    for module, file in modules.items():
        texts = (getattr(node, "value", None) for node in ast.walk(ast.parse(file.read_text())))
        named = {text.partition(":")[0] for text in texts if isinstance(text, str)}
        found[module] = named & modules.keys() - {module, package.name}
    return found


def _parent(module: str) -> str:
    return module.rpartition(".")[0]


def _module(name: str, modules: dict[str, Path]) -> str | None:
    """Return the module that a dotted name lies in."""
    while name and name not in modules:
        name = _parent(name)
    return name or None


def _named(tree: ast.AST, package: str) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            names |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names |= {a.value for a in node.args if isinstance(getattr(a, "value", None), str)}
    return names


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected parts of a graph that have more than one node."""
    names = sorted(graph)
    edges = [[other in graph[name] for other in names] for name in names]
    _, parts = connected_components(csr_array(edges), connection="strong")
    found = [[n for n, p in zip(names, parts, strict=True) if p == part] for part in set(parts)]
    return sorted(part for part in found if len(part) > 1)


def between_folders(graph: dict[str, set[str]], modules: dict[str, Path]) -> dict[str, set[str]]:
    """Return which folders of a package import which."""
    folders: dict[str, set[str]] = defaultdict(set)
    for module, others in graph.items():
        folders[_folder(module, modules)] |= {_folder(other, modules) for other in others}
    return {name: others - {name} for name, others in folders.items()}


def _folder(module: str, modules: dict[str, Path]) -> str:
    return module if modules[module].name == "__init__.py" else _parent(module)
