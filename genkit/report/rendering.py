"""How items of a modality are shown: the base of renderers, and the one that fits some data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from genkit.errors import AmbiguousNameError, PluginError
from genkit.plugins.entry_points import DISTRIBUTION
from genkit.plugins.registry import Registry, installed
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from genkit.plugins.schema import Schema


_MOST_BESIDE = 5  # pictures of many items in a row


class Renderer:
    """Shows items of one modality, in files, grids and reports.

    A subclass defines ``write`` and names its ``suffix``, or defines ``pictures`` and says that it
    ``draws``; and ``html``, unless pictures are all there is to show. What an item says comes from
    a model: escape it in HTML.

    Items that say little alone, such as points of a plane, are shown ``together``: ``write`` then
    puts all items into one file, and ``pictures`` draws all into one picture. What would be a row
    of a grid is a picture.

    Items that vary in length come as a list of arrays, each cut to its own.

    Args:
        schema: what the data is.
        field: name of the field that the items belong to.
    """

    suffix = ""
    """The ending of a file that holds one item, without a dot; empty if there is no such file."""

    draws = False
    """Whether ``pictures`` can draw items."""

    together = 0
    """How many items make a good picture of them all; 0 where each item has a picture of its own.
    """

    def __init__(self, schema: Schema, field: str) -> None:
        self.schema = schema
        self.field = schema[field]

    def fits(self) -> bool:
        """Return whether items of this field can be shown."""
        return True

    def write(self, item: np.ndarray, file: Path) -> None:
        """Write one item as a file of the modality's own format.

        Args:
            item: as the field says, without a batch axis; with ``together`` all of them, shape
                ``(n, ...)``.
            file: where to; its name ends in ``suffix``.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no write.")

    def pictures(self, items: np.ndarray) -> list[Image.Image]:
        """Draw each item, all of one size; with ``together`` a list of one picture of all.

        Args:
            items: shape ``(n, ...)``, as the field says; at least one.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no pictures.")

    def html(self, items: np.ndarray, alt: str, columns: int | None = None) -> str:
        """Show items as a piece of HTML that needs no other file; by default a grid of pictures.

        Args:
            items: shape ``(n, ...)``, as the field says; at least one.
            alt: what they are in words, for who can't see them.
            columns: items in a row, or with ``together`` in a picture; None for what looks well.
        """
        from genkit.report.grids import render_pictures

        if not self.together:
            return str(render_pictures(self.pictures(items), alt, columns))
        each = columns or len(items)
        rows = [items[start : start + each] for start in range(0, len(items), each)]
        drawn = [picture for row in rows for picture in self.pictures(row)]
        return str(render_pictures(drawn, alt, min(len(drawn), _MOST_BESIDE)))


def find_renderer(schema: Schema, field: str, registry: Registry | None = None) -> Renderer | None:
    """Make the renderer for a field of some data, or give None if nothing can show it.

    A built-in renderer that fits is taken before those of plugins.

    Args:
        schema: what the data is.
        field: name of the field to show.
        registry: where renderers are looked up; what is installed when left out.

    Raises:
        PluginError: a plugin's renderer can't be made.
        AmbiguousNameError: two plugins have one that fits.
    """
    registry = registry or installed()
    fitting = {}
    for entry in registry.entries("renderers"):
        if entry.spec.modality == schema[field].modality:
            try:
                made: Renderer = resolve(entry.spec.renderer)(schema, field)
                if made.fits():
                    fitting[entry.qualified_name] = made
            except Exception as error:
                raise PluginError(
                    f"The renderer {entry.qualified_name} failed: {type(error).__name__}: {error}",
                    f"Leave it out with: GENKIT_DISABLE_PLUGINS={entry.plugin}",
                ) from error
    own = {name: made for name, made in fitting.items() if name.startswith(f"{DISTRIBUTION}/")}
    chosen = list((own or fitting).items())
    if len(chosen) > 1:
        names = " and ".join(name for name, _ in chosen)
        raise AmbiguousNameError(
            f"Expected one renderer of the modality {schema[field].modality!r}; found {names}.",
            "Leave one out with: GENKIT_DISABLE_PLUGINS=DISTRIBUTION",
        )
    return chosen[0][1] if chosen else None
