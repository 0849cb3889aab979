"""What an augmentation is asked for, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pydantic
from pydantic import Field

from genkit.errors import UsageError
from genkit.plan.plan import Plan, make_plan
from genkit.plugins.config import Config
from genkit.plugins.names import suggestion
from genkit.plugins.specs import resolve
from genkit.workflows.augmentation.arms import Arm
from genkit.workflows.augmentation.learner import find_learner

if TYPE_CHECKING:
    from genkit.plugins.registry import Registry
    from genkit.plugins.specs import DatasetSpec

GENERATOR_STEPS = 1500
_SUBSET = ("per_class", "subset_seed", "subset")


class Settings(Config):
    """All that decides the result of an augmentation.

    Seed ``s`` of 0, 1, ... chooses the subset, trains the generator, draws its samples and
    initialises the classifier. While the items of the train split last, a repetition shares
    nothing with the others but the test items; after that subsets overlap, which is told.
    """

    version: Literal[1] = 1
    generator: Plan = Field(description="Plan of the generator of the first seed")
    per_class: int = Field(50, ge=2, description="Real training items of each class")
    ratios: tuple[float, ...] = Field(
        (0.5, 1.0, 2.0, 5.0), min_length=1, description="Synthetic items for each real one"
    )
    seeds: int = Field(5, ge=3, le=1000, description="Repetitions")
    classifier_steps: int = Field(1000, ge=1, description="Training steps of every classifier")
    classical: tuple[str, ...] = Field(min_length=1, description="The classical augmentation")

    @pydantic.field_validator("ratios")
    @classmethod
    def _rising(cls, ratios: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < ratio <= 1000 for ratio in ratios) or len(set(ratios)) < len(ratios):  # noqa: PLR2004
            raise ValueError("expected different ratios above 0 and up to 1000")
        return tuple(sorted(ratios))

    def plan_of(self, seed: int) -> Plan:
        """Return the generator's plan for a seed: its subset, and everything random in training."""
        data = {**self.generator.data, "subset": seed}
        return self.generator.model_copy(update={"seed": seed, "data": data})

    def arms(self) -> list[Arm]:
        """List what the classifier is trained on, in the order in which it is."""
        alone = [Arm("real"), Arm("real+classical", classical=True)]
        mixed = [
            arm
            for ratio in self.ratios
            for arm in (
                Arm("synthetic", ratio, real=False),
                Arm("real+synthetic", ratio),
                Arm("all", ratio, classical=True),
            )
        ]
        return alone + mixed


def make_settings(registry: Registry, flags: Mapping[str, Any], **settings: Any) -> Settings:
    """Put together what was asked for; imports no framework.

    Args:
        registry: where names are looked up.
        flags: of the generator, as for ``make_plan``.
        **settings: fields of ``Settings``; those that are None keep their default.

    Raises:
        UsageError: an unknown name or setting, a value out of range, or a data set without a
            split that is held out.
    """
    from genkit.plugins.config import parse

    given = {key: value for key, value in settings.items() if value is not None}
    rough = make_plan(registry, flags)
    in_steps = rough.trainer != "closed-form"
    if in_steps and all(flags.get(key) is None for key in ("steps", "epochs")):
        flags = {**flags, "steps": GENERATOR_STEPS}
    data = dict(flags.get("data") or {})
    _check_data(registry, rough, data)
    per_class = given.get("per_class", Settings.model_fields["per_class"].default)
    learner = find_learner(registry, registry.find("models", rough.qualified("model")).spec).spec
    given.setdefault("classifier_steps", learner.steps)
    given["classical"] = _known_changes(given.get("classical", learner.usual), learner.classical)
    split = registry.find("datasets", rough.qualified("dataset")).spec.splits[0]
    subset = {"split": split, "per_class": per_class, "subset_seed": 0, "subset": 0}
    plan = make_plan(registry, {**flags, "dataset": rough.dataset, "data": {**data, **subset}})
    return parse(Settings, {**given, "generator": plan.model_dump(mode="json")}, "augmentation")


def _known_changes(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    for word in asked:
        if word not in known:
            raise UsageError(
                f"The setting 'classical' of the augmentation: expected some of "
                f"{', '.join(known)}; received {word!r}.",
                suggestion(word, known),
            )
    return list(asked)


def _check_data(registry: Registry, plan: Plan, data: Mapping[str, Any]) -> None:
    if reserved := sorted(set(data) & {"split", *_SUBSET}):
        raise UsageError(
            f"genkit augment chooses {', '.join(reserved)} of the data set itself, so that no test "
            "item is ever trained on.",
            "Leave it out of --data; say --per-class N.",
        )
    spec = registry.find("datasets", plan.qualified("dataset")).spec
    if missing := _lacks(spec):
        able = [e.spec.name for e in registry.entries("datasets") if not _lacks(e.spec)]
        raise UsageError(
            f"Expected a data set with a test split and labels; {plan.dataset} has no setting "
            f"{', '.join(missing)}.",
            f"Choose --dataset {_either(able)}.",
        )


def _lacks(spec: DatasetSpec) -> list[str]:
    """List what a data set's record lacks for subsets of a split, tested on another."""
    subset = [name for name in _SUBSET if name not in spec.subset]
    return subset if spec.splits else ["split", *subset]


def check_conditional(registry: Registry, model: str, conditional: bool) -> None:
    """Refuse a model that can't be asked for a class.

    Raises:
        UsageError: with the models that can.
    """
    if conditional:
        return
    able = [e.spec.name for e in registry.entries("models") if "label" in e.spec.accepts]
    switch = [e.spec.name for e in registry.entries("models") if _has(e, "conditional")]
    hint = f"Choose --model {_either(able)}"
    if switch:
        hint += f", or --model {_either(switch)} with --set conditional=true"
    raise UsageError(
        f"Expected a model that generates by label; {model} does not: nobody could say which "
        "class its items show.",
        f"{hint}.",
    )


def _has(entry: Any, setting: str) -> bool:
    return setting in resolve(entry.spec.config).model_fields


def _either(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
