"""Models and data that a Python program hands over: held for this process, never in a file."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from inspect import Parameter, signature
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from genkit.errors import RunError, UnknownNameError, UsageError
from genkit.plan.from_program import PROGRAM, data_is_handed_over, model_is_handed_over
from genkit.plugins.entry_points import Plugin
from genkit.plugins.registry import installed
from genkit.plugins.specs import ModelSpec

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.plan.plan import Plan
    from genkit.plugins.config import Config
    from genkit.plugins.schema import Schema

builders = SimpleNamespace()
"""What builds each model, by its name: the records of such models refer to it."""


class _Builder:
    """Builds a model as installed ones are built, from what a program handed over."""

    def __init__(self, given: Any) -> None:
        self._given = given

    def __call__(self, config: Config, schema: Schema) -> Model:  # noqa: ARG002 - it has no settings
        import keras

        from genkit.models.model import Model

        if isinstance(self._given, Model):
            if (computes_in := keras.config.dtype_policy().compute_dtype) != "float32":
                raise UsageError(
                    f"A model that is built already can't begin to compute in {computes_in}.",
                    "Pass a function that builds it.",
                )
            model = self._given
        else:
            model = self._given(**_arguments(self._given, schema))
        if not isinstance(model, Model):
            raise UsageError(
                f"Expected a function that returns a genkit.Model; {_described(self._given)} "
                f"returned {type(model).__name__}."
            )
        if model.schema not in (None, schema):
            raise UsageError(
                "Expected a model that knows no data, or this data; it was trained on data with "
                f"{', '.join(model.schema.fields)} of another form.",
                "Pass a function that builds a new one.",
            )
        return model


def offer_model(given: Any, name: str = "") -> str:
    """Make a program's own model known to this process; return the name that a plan has for it.

    Args:
        given: a ``genkit.Model``; or what makes one: a function, or a class, that takes the data's
            ``schema``, or nothing.
        name: what it is called; made from its own name if not given.

    Raises:
        UsageError: it is neither.
    """
    if not _is_model(given) and (not callable(given) or _is_layer(given)):
        raise UsageError(
            "Expected the name of a model, a genkit.Model, or a function that makes one; received "
            f"{type(given).__name__}.",
            "Networks of Keras are put into one: genkit.GAN(generator, discriminator)",
        )
    name = name or _name_of(given)
    attribute = "of_" + re.sub(r"\W", "_", name)
    setattr(builders, attribute, _Builder(given))
    spec = ModelSpec(
        name=name,
        summary=f"Handed over by a Python program: {_described(given)}",
        model=f"{__name__}:builders.{attribute}",
        config="genkit.plugins.config:Config",
        accepts=(),
        trainer="closed-form" if hasattr(given, "solve") else "gradient",
    )
    installed().offer("models", spec, Plugin(name, PROGRAM, ""))
    return f"{PROGRAM}/{name}"


def offer_data(given: Any, accepts: Collection[str] = ()) -> dict[str, str]:
    """Make a program's own data known to this process.

    Args:
        given: whatever ``genkit.data.as_source`` takes.
        accepts: modalities that the model takes which it is for.

    Returns:
        the settings of the data set ``memory`` that open it.

    Raises:
        DataError: nothing opens it.
    """
    from genkit.data import as_source
    from genkit.data.held import hold

    source = as_source(given, accepts)
    what = f"{type(given).__module__.partition('.')[0]}.{type(given).__name__}"
    what = f"{what.removeprefix('builtins.')} of {len(source):,} items"
    return {"fingerprint": hold(source), "object": what}


def modalities_of(model: str) -> tuple[str, ...]:
    """Return the modalities that a model takes, by its name; none of one that nothing offers."""
    try:
        entry = installed().find("models", model)
    except UnknownNameError:  # told where the plan is made, with what is meant
        return ()
    accepts: tuple[str, ...] = entry.spec.accepts
    return accepts


def hand_over(plan: Plan, *, dataset: Any = None, model: Any = None) -> None:
    """Take what a program hands over again for a run of its own model or data.

    Raises:
        UsageError: the run finds its model or its data by name.
        RunError: the data is other than the run was trained on.
    """
    if model is not None:
        if not model_is_handed_over(plan):
            raise _named(plan.qualified("model"), "model", "model")
        offer_model(model, plan.model)
    if dataset is None:
        return
    if not data_is_handed_over(plan):
        raise _named(plan.qualified("dataset"), "data", "dataset")
    settings = offer_data(dataset, modalities_of(plan.qualified("model")))
    if settings["fingerprint"] != plan.data["fingerprint"]:
        raise RunError(
            f"Expected the data that the run was trained on, {plan.data['object']}; received "
            f"{settings['object']} with other contents.",
            "Hand over the same; compare with other data by genkit.evaluate(run, against=...).",
        )


def _named(name: str, what: str, argument: str) -> UsageError:
    return UsageError(
        f"The run finds its {what} by name, {name}; it takes none that is handed over.",
        f"Leave {argument}= out.",
    )


def _is_model(given: Any) -> bool:
    home = sys.modules.get("genkit.models.model")
    return home is not None and isinstance(given, home.Model)


def _is_layer(given: Any) -> bool:
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(given, keras.Layer)


def _described(given: Any) -> str:
    if _is_model(given):
        return f"a {type(given).__name__}"
    return str(getattr(getattr(given, "func", given), "__qualname__", type(given).__name__))


def _name_of(given: Any) -> str:
    """Return a name in lower case with dashes: ``my-gan`` for a class ``MyGAN``."""
    plain = _described(given).removeprefix("a ").rpartition(".")[2]
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", plain)
    return "-".join(words).lower() if words and plain != "<lambda>" else "model"


def _arguments(factory: Any, schema: Schema) -> Mapping[str, Any]:
    """Return what a factory is called with: the schema where it takes one.

    Raises:
        UsageError: it needs more than that.
    """
    parameters = signature(factory).parameters
    needed = [
        name
        for name, each in parameters.items()
        if each.default is Parameter.empty
        and each.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    ]
    taken = "schema" if "schema" in parameters else next(iter(needed), None)
    if others := [name for name in needed if name != taken]:
        raise UsageError(
            f"Expected a function that needs the schema at most; {_described(factory)} needs "
            f"{', '.join(others)} too.",
            "Fill them in: functools.partial, or a lambda.",
        )
    return {taken: schema} if taken else {}
