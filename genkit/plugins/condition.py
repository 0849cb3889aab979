"""What a model may be given beside noise: a prompt, the value of a column, the first frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genkit.errors import DataError, PluginError

if TYPE_CHECKING:
    from genkit.plugins.schema import Schema


@dataclass(frozen=True)
class Condition:
    """A value of a field that generation is given, for each item.

    Args:
        name: what ``given``, ``--where`` and the argument of ``decode`` call it.
        modality: it is a value of the first field of the data that has this modality; left out,
            of the field of its own name.
        required: whether nothing is generated without it.
        longest: of a field that varies in length, how long a value the model takes at most; None
            for any length.

    Example:
        >>> Condition("prompt", modality="text", longest=64)
        Condition(name='prompt', modality='text', required=False, longest=64)
    """

    name: str
    modality: str = ""
    required: bool = False
    longest: int | None = None

    def __post_init__(self) -> None:
        if not self.name or "=" in self.name or self.name != self.name.strip():
            raise PluginError(f"A condition's name must be a word without '=': {self}.")
        if self.longest is not None and not (type(self.longest) is int and self.longest > 0):
            raise PluginError(f"A condition's longest must be an integer above 0, or None: {self}.")

    def field_name(self, schema: Schema) -> str:
        """Name the field of some data that it is a value of.

        Raises:
            DataError: the data has no such field.
        """
        if self.modality:
            return schema.name_of(self.modality)
        if self.name not in schema:
            raise DataError(
                f"Expected data with a field {self.name!r}, which the model takes as a condition; "
                f"received {', '.join(schema.fields)}."
            )
        return self.name
