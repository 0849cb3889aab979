"""Only the engine and genkit.plan.activation name a framework, and two files its inside."""

import ast
from pathlib import Path

import genkit

FRAMEWORKS = {"torch", "tensorflow", "jax", "jaxlib", "tf", "jnp"}
ROOT = Path(genkit.__file__).parent


def imported_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (
                str(a.value).split(".")[0] for a in node.args if isinstance(a, ast.Constant)
            )


def test_nothing_outside_the_engine_imports_a_framework():
    found = {}
    for file in ROOT.rglob("*.py"):
        inside = file.relative_to(ROOT)
        if inside.parts[0] == "engine" or inside == Path("plan", "activation.py"):
            continue
        names = FRAMEWORKS & set(imported_names(ast.parse(file.read_text())))
        if names:
            found[str(inside)] = names
    assert found == {}


def test_the_engine_does():
    for name in ("jax", "tensorflow", "torch"):
        tree = ast.parse((ROOT / "engine" / f"{name}.py").read_text())
        assert name in set(imported_names(tree))


def test_what_frameworks_do_not_promise_is_used_in_one_place():
    for file in ROOT.rglob("*.py"):
        if not file.name.endswith("_inside.py"):
            text = file.read_text()
            for word in ("SLF001", "keras.src", "torch._", "jax._src", "tensorflow.python"):
                assert word not in text, file
