"""Hooks, checks, and what the built-in plugin registers."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any

from genkit.plan.plan import Recipe
from genkit.plugins import hookspecs
from genkit.plugins.config import describe
from genkit.plugins.entries import KINDS
from genkit.plugins.registry import Registry
from genkit.plugins.specs import resolve
from reference_pages import markdown
from reference_pages.public_names import signature, tree


def hooks() -> str:
    # The first line is the page's own introduction in other words.
    about = inspect.cleandoc(hookspecs.__doc__ or "").partition("\n\n")[2]
    parts = [markdown.docstring(about)]
    module = tree("genkit.plugins.hookspecs")
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("genkit_"):
            shown = markdown.code(signature(node))
            parts.append(
                f"## {node.name}\n\n{shown}\n\n{markdown.docstring(ast.get_docstring(node))}"
            )
    missing = [kind for kind in KINDS if f"## genkit_{kind}" not in "\n".join(parts)]
    assert not missing, f"hooks without a page: {missing}"
    return markdown.page(
        "Hooks",
        "What a plugin can implement. The records are described in [Python](python.md#plugins); "
        "how to make a plugin in [Write a plugin](../how-to/write-a-plugin.md).",
        parts,
    )


def checks() -> str:
    from genkit.testing.check import definitions

    parts = []
    for kind in ("plugins", *KINDS):
        rows = [
            [f"`{check.name}`", check.meaning.replace("``", "`")] for check in definitions(kind)
        ]
        title = "data sets" if kind == "datasets" else kind
        parts.append(f"## Checks of {title}\n\n{markdown.table(['check', 'what must hold'], rows)}")
    return markdown.page(
        "Checks",
        "What `genkit check NAME` and `genkit.testing.parametrize_with_checks` check; how to use "
        "them: [Test a plugin](../how-to/test-a-plugin.md).",
        parts,
    )


def models(registry: Registry) -> str:
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
        sections = [
            f"## {spec.name}",
            f"{spec.summary}.",
            markdown.bullets(notes),
            _settings(spec.config),
            markdown.table(["preset", "says"], presets),
            "\n".join(f"- {reference}" for reference in spec.references),
        ]
        parts.append("\n\n".join(sections))
    return markdown.page(
        "Models",
        "The built-in models, as `genkit info MODEL` shows them. A setting is given with "
        "`--set KEY=VALUE`, or in the `[config]` table of a recipe.",
        parts,
    )


def datasets(registry: Registry) -> str:
    parts = []
    for entry in registry.entries("datasets"):
        spec = entry.spec
        notes = [
            ("Modality", spec.modality),
            ("Licence", spec.licence),
            ("Homepage", f"<{spec.homepage}>" if spec.homepage else ""),
        ]
        sections = [
            f"## {spec.name}",
            f"{spec.summary}.",
            markdown.bullets(notes),
            _settings(spec.config),
        ]
        parts.append("\n\n".join(sections))
    return markdown.page(
        "Data sets",
        "The built-in data sets, as `genkit info DATASET` shows them. A setting is given with "
        "`--data KEY=VALUE`, or in the `[data]` table of a recipe.",
        parts,
    )


def trainers_and_callbacks(registry: Registry) -> str:
    trainers = [[f"`{e.spec.name}`", e.spec.summary] for e in registry.entries("trainers")]
    callbacks = [
        [f"`{e.spec.name}`", e.spec.summary, f"`{e.spec.callback.replace(':', '.')}`"]
        for e in registry.entries("callbacks")
    ]
    return markdown.page(
        "Trainers and callbacks",
        "What the built-in plugin registers beside models and data sets. Its renderer, `image`, "
        "writes images of 1 or 3 channels as PNG files and in grids.",
        [
            "## Trainers\n\nA model names the one it wants; `--trainer` chooses another.",
            markdown.table(["trainer", "what it does"], trainers),
            "## Callbacks\n\nHow a recipe names them: [Recipes](../how-to/recipes.md#callbacks).",
            markdown.table(["callback", "what it does", "class"], callbacks),
        ],
    )


def recipe() -> str:
    return markdown.page(
        "Recipe",
        "The keys of a recipe file and of a preset; all of them may be left out. The same names "
        "are the arguments of [`genkit.train`](python.md#genkittrain). How they are used: "
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
    return markdown.table(["setting", "type", "default", "meaning"], rows)


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    return f'"{value}"' if isinstance(value, str) else str(value)
