"""What the registry holds: a spec with where it came from, or the fault of a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.plugins.item_specs import (
    ExtractorSpec,
    LearnerSpec,
    RendererSpec,
    ReviewerSpec,
    TransformSpec,
)
from genkit.plugins.launcher_spec import LauncherSpec
from genkit.plugins.opener_spec import OpenerSpec
from genkit.plugins.specs import (
    CallbackSpec,
    CommandSpec,
    DatasetSpec,
    MetricSpec,
    ModelSpec,
    Spec,
    TrainerSpec,
    resolve,
)

if TYPE_CHECKING:
    from genkit.plugins.config import Config

KINDS: dict[str, type[Spec]] = {
    "models": ModelSpec,
    "datasets": DatasetSpec,
    "trainers": TrainerSpec,
    "metrics": MetricSpec,
    "extractors": ExtractorSpec,
    "callbacks": CallbackSpec,
    "commands": CommandSpec,
    "renderers": RendererSpec,
    "reviewers": ReviewerSpec,
    "transforms": TransformSpec,
    "openers": OpenerSpec,
    "learners": LearnerSpec,
    "launchers": LauncherSpec,
}

# What the settings of a kind are called, and the flag that gives one.
_SETTINGS: dict[type[Spec], tuple[str, str]] = {
    ModelSpec: ("model", "--set"),
    DatasetSpec: ("data set", "--data"),
    TrainerSpec: ("trainer", "--trainer-set"),
}


@dataclass(frozen=True)
class BrokenPlugin:
    """A fault of one plugin; the others go on.

    Args:
        plugin: the entry point's name.
        distribution: the distribution to blame.
        version: the distribution's.
        stage: ``"version"`` (it doesn't know this one), ``"import"``, ``"hooks"`` (it implements
            none or unknown ones), ``"call"`` or ``"record"``.
        hook: the hook that failed, at the stages that have one.
        error: one line.
        traceback: the full text, for ``genkit doctor``.
    """

    plugin: str
    distribution: str
    version: str
    stage: str
    hook: str
    error: str
    traceback: str


@dataclass(frozen=True)
class Entry:
    """A spec, and the distribution and the plugin it came from."""

    spec: Any
    distribution: str
    plugin: str = ""

    @property
    def qualified_name(self) -> str:
        return f"{self.distribution}/{self.spec.name}"

    def answers_to(self, name: str) -> bool:
        """Whether a person who types this name may mean the spec: its own, an alias, or in full."""
        return name in (self.spec.name, self.qualified_name, *getattr(self.spec, "aliases", ()))

    @property
    def requirement(self) -> str:
        """What an installer calls what it comes with: the distribution, and the extra it needs."""
        extra = self.spec.extra
        return f"{self.distribution}[{extra}]" if extra else self.distribution

    def missing_packages(self) -> list[str]:
        """List what it imports and isn't installed; imports none."""
        return [package for package in self.spec.packages if find_spec(package) is None]

    def check_packages(self) -> None:
        """Refuse it where what it imports isn't installed.

        Raises:
            UsageError: with the line that installs it.
        """
        if missing := self.missing_packages():
            raise UsageError(
                f"{self.spec.name} needs {', '.join(missing)}, not installed here.",
                f"Install it with: pip install '{self.requirement}'",
            )

    def settings(self, values: Mapping[str, Any]) -> Config:
        """Return the settings of a model, a data set or a trainer.

        Args:
            values: those that are not to be as usual.

        Raises:
            UsageError: an unknown setting, or a value out of range.
        """
        from genkit.plugins.config import (
            parse,  # with pydantic, which a list of names can do without
        )

        config: type[Config] = resolve(self.spec.config)
        noun, flag = _SETTINGS[type(self.spec)]
        return parse(config, values, f"{noun} {self.spec.name}", flag)
