"""What the entry point names. Every genkit command imports it, so it imports nothing heavy."""

from collections.abc import Iterable

import genkit


@genkit.hookimpl
def genkit_datasets() -> Iterable[genkit.DatasetSpec]:
    """Register the data set."""
    yield genkit.DatasetSpec(
        name="myplugin-likes",
        summary="Who liked what: your CSV file, or made-up readers of books",
        source="genkit_myplugin.data:open_likes",
        config="genkit_myplugin.settings:LikesConfig",
        modality="item",
        licence="made by the program",
    )


@genkit.hookimpl
def genkit_models() -> Iterable[genkit.ModelSpec]:
    """Register the model, and what it can do: not generate, but recommend."""
    yield genkit.ModelSpec(
        name="myplugin",
        summary="Recommends what was liked together with what somebody liked",
        model="genkit_myplugin.model:ItemNeighbours",
        config="genkit_myplugin.settings:ItemNeighboursConfig",
        accepts=("item", "user"),
        capabilities=("recommend",),
        trainer="closed-form",
        presets={"default": {"dataset": "myplugin-likes"}},
        references=("Deshpande and Karypis 2004, Item-Based Top-N Recommendation Algorithms",),
    )


@genkit.hookimpl
def genkit_commands() -> Iterable[genkit.CommandSpec]:
    """Register the verb: genkit recommend RUN."""
    yield genkit.CommandSpec(
        name="recommend",
        summary="Recommend items to somebody who liked others",
        command="genkit_myplugin.command:recommend",
        capability="recommend",
    )
