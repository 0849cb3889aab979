"""What generation may be given beside noise: the class of each item, and other conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from genkit.errors import UsageError
from genkit.models.encoding import encoded_values, numbers_of

if TYPE_CHECKING:
    from genkit.plugins.condition import Condition
    from genkit.plugins.schema import Schema

Label: TypeAlias = int | str | Sequence[int | str] | None


class Conditional:
    """The part of ``genkit.Model`` that knows what may be asked of it."""

    schema: Schema | None
    assets: Mapping[str, np.ndarray]

    conditional = False
    """Whether ``decode`` takes a ``label`` too: class numbers, int32 of shape ``(batch,)``."""

    conditions: tuple[Condition, ...] = ()
    """What else ``decode`` takes, values of the data's fields; a class says them, or ``__init__``
    where they follow from the schema. By name come, first axis the batch, the values as
    ``encode_condition`` gives them; of one that isn't required also ``<name>_missing``, bool, and
    zeros where nothing is given; of a field that varies in length, padded to a bucket,
    ``<name>_length`` instead, int32, 0 where nothing is given. Those that are
    ``only_if_asked`` come where one is given at least."""

    def encode_condition(
        self, name: str, values: Sequence[Any]
    ) -> np.ndarray | Sequence[np.ndarray]:
        """Encode values of a condition: what people write, as ``decode`` computes with it.

        Runs on the host, and may use ``assets``. By default names of classes and vocabularies
        become their numbers, dates integers in the field's unit, and what no item of the data has
        is refused; text that is more than a name is for the model to encode.

        Args:
            name: of the condition.
            values: text, numbers or arrays; there may be none.

        Returns:
            an array with a row for each value, whatever they are of one shape; of a field that
            varies in length, an array for each.

        Raises:
            UsageError: a value that no item of the data has.
        """
        assert self.schema is not None, "a model that takes conditions knows its data"
        from genkit.data import vocabulary_of

        condition = next(each for each in self.conditions if each.name == name)
        field = condition.field_name(self.schema)
        names = vocabulary_of(self.schema, field, self.assets)
        return encoded_values(name, self.schema[field], names, values)

    def classes(self) -> tuple[str, ...]:
        """Name the classes that a conditional model knows, in order of their numbers."""
        assert self.schema is not None, "a conditional model is built from its schema"
        from genkit.data import vocabulary_of

        return vocabulary_of(self.schema, self.schema.name_of("label"), self.assets)

    def class_number(self, label: int | str) -> int:
        """Return the number of a class.

        Args:
            label: an integer is the number itself. Text is the class' name, or else its number,
                unless classes are called by numbers: there ``"2"`` is the class "2" or none.

        Raises:
            UsageError: the model takes no label, or knows no such class.
        """
        if not self.conditional:
            raise UsageError(
                f"{type(self).__name__} takes no label: it knows no classes.",
                "Train a model that generates by label, on data with labels: "
                "docs/how-to/generate-by-label.md",
            )
        return int(numbers_of([label], self.classes(), "one of")[0])

    def class_numbers(self, n: int, label: Label) -> np.ndarray:
        """Return the numbers of the classes of ``n`` items, int32 of shape ``(n,)``.

        Args:
            n: how many items.
            label: the class of all, or one for each; without it the classes take turns.

        Raises:
            UsageError: as for ``class_number``; or another number of labels than of items.
        """
        if label is None:
            return np.arange(n, dtype=np.int32) % np.int32(len(self.classes()))
        if isinstance(label, (int, np.integer, str)):
            return np.full(n, self.class_number(label), np.int32)
        if len(label) != n:
            raise UsageError(f"Expected one label, or {n} of them; received {len(label)}.")
        if not self.conditional:
            self.class_number(0)
        return numbers_of(label, self.classes(), "one of")
