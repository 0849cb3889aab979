"""The records a plugin hands over.

Records are frozen and light: heavy code is named by a ``"module:attribute"`` reference, whose
syntax is checked here and which is imported when it is used.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from genkit.errors import PluginError
from genkit.plugins.condition import Condition
from genkit.plugins.schema import Field as Field  # noqa: PLC0414 - records and schemas are used together
from genkit.plugins.schema import Schema as Schema  # noqa: PLC0414

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_REFERENCE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")


def resolve(reference: str) -> Any:
    """Import what a ``"module:attribute"`` reference names.

    Only references handed over by installed plugins are resolved, never one read from a file.

    Raises:
        PluginError: the module can't be imported or lacks the attribute.
    """
    module_name, _, attributes = reference.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"The reference {reference!r} can't be imported: {error}.",
            "Check the plugin that registers it with: genkit doctor",
        ) from error
    return found


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What all records have.

    Args:
        name: how people call it: lower case, digits, and single ``- . _`` between them.
        summary: one line, shown by ``genkit list``.
        tiny: settings with which ``genkit check`` uses it: the smaller and quicker the better.
        expected_failures: checks that it is known to fail, each with the reason.
        packages: what it imports, by top-level name, and its distribution needn't have installed.
        extra: the extra of its distribution that installs them.
    """

    name: str
    summary: str
    tiny: Mapping[str, Any] = field(default_factory=dict)
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    extra: str = ""

    def __post_init__(self) -> None:
        for attribute in ("tiny", "expected_failures"):
            object.__setattr__(self, attribute, MappingProxyType(dict(getattr(self, attribute))))
        named = isinstance(self.name, str) and _NAME.fullmatch(self.name)
        self._require(named, "name: lower case, digits, '-', '.' or '_'")
        self._require(self.summary.strip() and "\n" not in self.summary, "summary: one line")
        reasons = self.expected_failures.values()
        self._require(all(str(r).strip() for r in reasons), "expected_failures: each with a reason")
        self._require(isinstance(self.packages, tuple), "packages: a tuple")
        self._require(self.extra or not self.packages, "extra: what installs the packages")

    def _require(self, condition: object, expected: str) -> None:
        if not condition:
            raise PluginError(f"Expected {expected}; received {self}.")

    def _require_reference(self, attribute: str) -> None:
        value = getattr(self, attribute)
        self._require(
            isinstance(value, str) and _REFERENCE.fullmatch(value),
            f"{attribute}: a 'module:attribute' reference",
        )


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A model that can be trained by name.

    Args:
        model: reference to a ``genkit.Model`` subclass, called with ``(config, schema)``.
        config: reference to its ``genkit.Config`` class, in a module free of keras.
        accepts: modalities that the data must have, each at least once.
        generates: modalities of what it generates: all fields of the data that have one of them
            are its output fields. Left out, its one output field is the first of the first
            modality that it accepts.
        capabilities: what the trained model can do: ``"generate"``, ``"reconstruct"``, ..., or
            anything that a plugin's command is for.
        options: references to ``genkit.Config`` classes by capability: the flags that this model
            takes there, single values, each with a default; None is a default that is not passed.
        conditions: what generation may be given for each item, as ``genkit info`` shows it: what
            the model's class says, and what else it may take, as data and settings are. A class
            that is asked for is ``Condition("label", modality="label")``.
        trainer: name of the trainer it wants.
        presets: recipes by name; ``"default"`` must be there. Keys as in a recipe file.
        references: the papers it follows.
        aliases: other names it answers to.
    """

    model: str
    config: str
    accepts: tuple[str, ...]
    generates: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ("generate",)
    options: Mapping[str, str] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    trainer: str = "gradient"
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"default": {}})
    references: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("model")
        self._require_reference("config")
        self._require("default" in self.presets, "presets: one called 'default'")
        self._require(all(_NAME.fullmatch(a) for a in self.aliases), "aliases: valid names")
        tuples = ("accepts", "generates", "capabilities", "conditions", "references", "aliases")
        for attribute in tuples:
            self._require(isinstance(getattr(self, attribute), tuple), f"{attribute}: a tuple")
        known = all(isinstance(each, Condition) for each in self.conditions)
        self._require(known, "conditions: genkit.Condition objects")
        for capability, reference in self.options.items():
            self._require(capability in self.capabilities, "options: of its own capabilities")
            self._require(_REFERENCE.fullmatch(reference), "options: 'module:attribute' references")
        for attribute in ("presets", "options"):
            held = MappingProxyType(dict(getattr(self, attribute)))
            object.__setattr__(self, attribute, held)

    def output_fields(self, schema: Schema) -> tuple[str, ...]:
        """Name the fields of some data that the model generates, in the order of the schema.

        Raises:
            DataError: the data has none of them.
        """
        if not self.generates:
            return (schema.name_of(self.accepts[0]) if self.accepts else schema.main_field(),)
        fields = schema.fields.items()
        found = tuple(name for name, each in fields if each.modality in self.generates)
        return found or (schema.name_of(self.generates[0]),)


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """A data set that can be opened by name.

    Args:
        source: reference to a callable: config in, ``genkit.data.Source`` out.
        config: reference to its ``genkit.Config`` class.
        modality: what it is mainly about; ``"any"`` where that depends on its settings.
        splits: the parts that its setting ``split`` opens one at a time, that for training first;
            ``"test"``, or else the last, is what training doesn't see. Empty if it has no parts.
            Where some data has not all of them, ``source`` raises
            ``genkit.errors.MissingSplitError`` for one that it lacks.
        subset: its settings that choose some items of a split. Of them ``limit`` keeps the first
            so many, and ``per_class``, ``subset_seed`` and ``subset`` those that
            ``genkit.data.rows_per_class`` draws; others are the data set's own.
        extractor: name of the extractor that suits it best: the default of evaluations.
        licence: short licence note.
        homepage: where it comes from.
        fake: reference to a callable that writes a little data into the empty folder it is given,
            and returns the settings that open it: ``genkit check`` then needs no real files.
    """

    source: str
    config: str
    modality: str
    splits: tuple[str, ...] = ()
    subset: tuple[str, ...] = ()
    extractor: str = ""
    licence: str = ""
    homepage: str = ""
    fake: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("source")
        self._require_reference("config")
        if self.fake:
            self._require_reference("fake")
        self._require(
            isinstance(self.splits, tuple) and len(self.splits) != 1, "splits: two or more"
        )
        self._require(isinstance(self.subset, tuple), "subset: a tuple")

    @property
    def held_out(self) -> str:
        """The split that training doesn't see; empty if there are no splits."""
        return "test" if "test" in self.splits else (self.splits or ("",))[-1]


@dataclass(frozen=True, kw_only=True)
class TrainerSpec(Spec):
    """A way to turn a model, data and a run into a trained model.

    Args:
        trainer: reference to a ``genkit.Trainer`` subclass, called with its config.
        config: reference to its ``genkit.Config`` class, in a module free of keras.
    """

    trainer: str
    config: str = "genkit.plugins.config:Config"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("trainer")
        self._require_reference("config")


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """A measure of generated data.

    Args:
        metric: reference to a ``genkit.Metric`` subclass, called with the evaluation's
            ``genkit.evaluation.Context``.
        direction: ``"min"`` or ``"max"``: which way is better.
        modality: what it measures; ``"any"`` for one that looks at no items, but at the features,
            classes or views of them that extractors make.
        known: reference to a callable that gives ``genkit.testing.KnownAnswer`` objects: items
            whose figures are known, for ``genkit check``.
        headline: figures that people look at first, in order, each with what it says in a few
            words: of this metric, and of others of the plugin that name none. ``genkit evaluate``
            shows the rest with ``--verbose``. What stands in brackets behind a name doesn't count.
    """

    metric: str
    direction: str
    modality: str
    known: str = ""
    headline: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("metric")
        if self.known:
            self._require_reference("known")
        object.__setattr__(self, "headline", MappingProxyType(dict(self.headline)))
        self._require(self.direction in ("min", "max"), "direction: 'min' or 'max'")


@dataclass(frozen=True, kw_only=True)
class CallbackSpec(Spec):
    """A ``keras.callbacks.Callback`` that a recipe can name.

    Args:
        callback: reference to the class; a recipe's settings are its arguments.
        writes: its arguments that are paths it writes to, with their defaults. A recipe gives them
            relative to the run directory; they can't lead out of it.
    """

    callback: str
    writes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("callback")


@dataclass(frozen=True, kw_only=True)
class CommandSpec(Spec):
    """A verb of the command line: ``genkit NAME``.

    Args:
        command: reference to a function with typer annotations, which gives an exit code; it is
            imported when the verb is used.
        capability: what the model of a ``RUN`` must be able to do for it, checked before anything
            heavy is imported. The options that the model has for it become flags, and stand in
            ``context.obj`` for a function that takes a ``typer.Context``.
    """

    command: str
    capability: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("command")
