"""The records a plugin hands over, and the schema that describes data.

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

from genkit.errors import DataError, PluginError

_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_REFERENCE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_DTYPES = frozenset(
    {"bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "int64"}
    | {"float16", "float32", "float64", "string"}
)


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


@dataclass(frozen=True)
class Field:
    """One named part of a data item.

    Args:
        shape: shape of one item, without the batch axis; None for a varying length.
            Images are ``(height, width, channels)``, a label is ``()``.
        dtype: the numpy name of the stored type.
        modality: what the values mean: ``"image"``, ``"label"``, ``"text"``, ``"vector"``, ...
        range: lowest and highest value; for images what black and white are.
        classes: names of the classes, in order of their numbers, for a label.
    """

    shape: tuple[int | None, ...]
    dtype: str
    modality: str
    range: tuple[float, float] | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.dtype not in _DTYPES:
            raise PluginError(f"A field's dtype must be one of {sorted(_DTYPES)}: {self}.")
        if not all(size is None or (type(size) is int and size > 0) for size in self.shape):
            raise PluginError(f"A field's sizes must be positive integers or None: {self}.")
        if self.range is not None:
            low, high = (float(bound) for bound in self.range)
            if not low < high:
                raise PluginError(f"A field's range must be (low, high) with low < high: {self}.")
            object.__setattr__(self, "range", (low, high))


@dataclass(frozen=True)
class Schema:
    """What one item of a data set is: its fields by name.

    Drives how models are built, how samples are rendered, and the range of what is generated.

    Example:
        >>> schema = Schema({"image": Field((28, 28, 1), "uint8", "image", (0, 255))})
        >>> schema["image"].shape
        (28, 28, 1)
    """

    fields: Mapping[str, Field]

    def __post_init__(self) -> None:
        if not self.fields:
            raise PluginError("A schema needs at least one field; received none.")
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))

    def __getitem__(self, name: str) -> Field:
        return self.fields[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def name_of(self, modality: str) -> str:
        """Name the first field of this modality.

        Raises:
            DataError: the data has no such field.
        """
        for name, candidate in self.fields.items():
            if candidate.modality == modality:
                return name
        raise DataError(
            f"Expected data with a field of modality {modality!r}; "
            f"received {', '.join(f'{n} ({f.modality})' for n, f in self.fields.items())}.",
            "Choose another data set or model: genkit list",
        )

    def replace(self, **fields: Field) -> Schema:
        """Give a copy with some fields exchanged."""
        return Schema({**self.fields, **fields})

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            name: {
                "shape": list(f.shape),
                "dtype": f.dtype,
                "modality": f.modality,
                "range": list(f.range) if f.range else None,
                "classes": list(f.classes),
            }
            for name, f in self.fields.items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Read the JSON form.

        Raises:
            DataError: the form is not a schema's.
        """
        try:
            return cls({str(name): Field(**fields) for name, fields in data.items()})
        except (TypeError, ValueError, AttributeError, PluginError) as error:
            raise DataError(f"Expected a schema; received {str(data)[:200]}: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What all records have.

    Args:
        name: how people call it: lower case, digits, and single ``- . _`` between them.
        summary: one line, shown by ``genkit list``.
        tiny: settings with which ``genkit check`` uses it: the smaller and quicker the better.
        expected_failures: checks that it is known to fail, each with the reason.
    """

    name: str
    summary: str
    tiny: Mapping[str, Any] = field(default_factory=dict)
    expected_failures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for attribute in ("tiny", "expected_failures"):
            object.__setattr__(self, attribute, MappingProxyType(dict(getattr(self, attribute))))
        named = isinstance(self.name, str) and _NAME.fullmatch(self.name)
        self._require(named, "name: lower case, digits, '-', '.' or '_'")
        self._require(self.summary.strip() and "\n" not in self.summary, "summary: one line")
        reasons = self.expected_failures.values()
        self._require(all(str(r).strip() for r in reasons), "expected_failures: each with a reason")

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
        capabilities: what the trained model can do (``"generate"``, ``"reconstruct"``, ...).
        trainer: name of the trainer it wants.
        presets: recipes by name; ``"default"`` must be there. Keys as in a recipe file.
        references: the papers it follows.
        aliases: other names it answers to.
    """

    model: str
    config: str
    accepts: tuple[str, ...]
    capabilities: tuple[str, ...] = ("generate",)
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
        for attribute in ("accepts", "capabilities", "references", "aliases"):
            self._require(isinstance(getattr(self, attribute), tuple), f"{attribute}: a tuple")
        object.__setattr__(self, "presets", MappingProxyType(dict(self.presets)))


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """A data set that can be opened by name.

    Args:
        source: reference to a callable: config in, ``genkit.data.Source`` out.
        config: reference to its ``genkit.Config`` class.
        modality: what it is mainly about.
        licence: short licence note.
        homepage: where it comes from.
        fake: reference to a callable that writes a little data into the empty folder it is given,
            and returns the settings that open it: ``genkit check`` then needs no real files.
    """

    source: str
    config: str
    modality: str
    licence: str = ""
    homepage: str = ""
    fake: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("source")
        self._require_reference("config")
        if self.fake:
            self._require_reference("fake")


@dataclass(frozen=True, kw_only=True)
class TrainerSpec(Spec):
    """A way to turn a model, data and a run into a trained model.

    Args:
        trainer: reference to a ``genkit.Trainer`` subclass.
    """

    trainer: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("trainer")


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """A measure of generated data.

    Args:
        metric: reference to a ``genkit.Metric`` subclass, called with the evaluation's
            ``genkit.evaluation.Context``.
        direction: ``"min"`` or ``"max"``: which way is better.
        modality: what it measures.
        known: reference to a callable that gives ``genkit.testing.KnownAnswer`` objects: items
            whose figures are known, for ``genkit check``.
    """

    metric: str
    direction: str
    modality: str
    known: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_reference("metric")
        if self.known:
            self._require_reference("known")
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
