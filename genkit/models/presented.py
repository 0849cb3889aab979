"""What people see of a model: pictures of what it makes, and what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genkit.plugins.display import NOTEBOOK, Displayed
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    from PIL.Image import Image

    from genkit.models.conditional import Label
    from genkit.plugins.schema import Field, Schema


class Presented(Displayed):
    """The part of ``genkit.Model`` that people look at."""

    schema: Schema | None
    trained_steps: int

    def show(
        self,
        n: int | None = None,
        seed: int = 0,
        label: Label = None,
        *,
        columns: int | None = None,
        **options: Any,
    ) -> Image:
        """Draw items that it generates, those of ``generate`` with the same arguments.

        A notebook displays the picture; elsewhere, ``model.show(16).save("samples.png")`` keeps it.

        Args:
            n: how many, at least 1; by default 16 pictures, or as many as suit another modality.
            seed: 0 to 2**31 - 1.
            label: for a conditional model, the class of all, by number or name, or one for each.
                Without it the classes take turns.
            columns: items in a row; by default the grid is nearly square.
            **options: what this model takes: ``genkit info MODEL`` lists them.

        Returns:
            a ``PIL.Image.Image``; the place of an item that a reviewer refuses is blank.

        Raises:
            UsageError: as for ``generate``; or items of this modality can't be drawn.
        """
        drawn: Image = resolve(f"{NOTEBOOK}:picture")(
            self, n, seed, label, columns=columns, **options
        )
        return drawn

    def __repr__(self) -> str:
        model: Any = self
        said = [f"{model.count_params():,} weights" if model.built else "not built yet"]
        if self.schema is not None:
            fields = self.schema.fields.items()
            said.append(", ".join(" ".join([name, *_size(field)]) for name, field in fields))
        if steps := self.trained_steps:
            said.append(f"trained for {steps:,} step{'s' if steps > 1 else ''}")
        return f"<{type(self).__name__}: {'; '.join(said)}>"


def _size(field: Field) -> list[str]:
    """Return a field's shape as people write it, ``["28x28x1"]``; nothing for a number."""
    return ["x".join("?" if n is None else str(n) for n in field.shape)] if field.shape else []
