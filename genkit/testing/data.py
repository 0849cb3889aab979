"""The data set that is checked, opened with small settings; and data to try something else on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from genkit.plugins.config import Config, parse
from genkit.plugins.registry import installed
from genkit.plugins.specs import resolve
from genkit.testing.fakes import MODALITIES, toy_schema, toy_source
from genkit.testing.outcomes import CheckFailed, Skipped
from genkit.testing.subjects import Subject

if TYPE_CHECKING:
    from genkit.data import Source


class DatasetSubject(Subject):
    """A data set: its own ``tiny`` settings, and those of the fake data it can write."""

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings for checks."""
        faked = {}
        if self.spec.fake:
            folder = self.folder / "fake"
            folder.mkdir()
            faked = resolve(self.spec.fake)(folder)
        return {**faked, **self.spec.tiny}

    @cached_property
    def config(self) -> Config:
        missing = [
            name
            for name, field in self.config_class.model_fields.items()
            if field.is_required() and name not in self.settings
        ]
        if missing:
            raise CheckFailed(
                f"Expected settings that open a little data; {', '.join(missing)} must be given.",
                "Name in the record's `fake` a callable that writes some into a folder.",
            )
        return parse(self.config_class, self.settings, f"data set {self.name} (tiny)")

    @cached_property
    def source(self) -> Source:
        """The data, opened once for all checks."""
        return self.open()

    def open(self, **changes: Any) -> Source:
        """Open the data anew, with some settings changed."""
        settings = {**self.config.model_dump(mode="json"), **changes}
        config = parse(self.config_class, settings, f"data set {self.name}")
        source: Source = resolve(self.spec.source)(config)
        return source


def sources_of(modality: str, distribution: str, items: int) -> Iterator[Source]:
    """Return data of a modality to try something on: toys, then data sets that are installed.

    Args:
        modality: of one of its fields.
        distribution: whose data sets are taken before others'.
        items: how many toys.

    Raises:
        Skipped: there are none.
    """
    entries = [e for e in installed().entries("datasets") if e.spec.modality == modality]
    if modality in MODALITIES:
        yield toy_source(toy_schema((modality,)), items)
    elif not entries:
        raise Skipped(f"there are no data of the modality {modality!r} to try it on")
    for entry in sorted(entries, key=lambda entry: entry.distribution != distribution):
        yield DatasetSubject("datasets", entry.qualified_name).source
