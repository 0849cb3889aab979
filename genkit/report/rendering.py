"""How items of a modality are shown: the base of renderers, and the one that fits some data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from genkit.errors import PluginError
from genkit.plugins.choosing import only_of
from genkit.plugins.item_specs import made_for
from genkit.plugins.registry import Registry, installed
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from genkit.plugins.entries import Entry
    from genkit.plugins.schema import Schema


_MOST_BESIDE = 5  # pictures of many items in a row
_BLANK_SECONDS = 0.1


class Renderer:
    """Shows items of one modality, in files, grids and reports.

    A subclass names its ``formats`` and defines ``write``, for a file an item, or ``write_all``,
    for one file of all; or defines ``pictures`` and says that it ``draws``; and ``html``, unless
    pictures are all there is to show. What an item says comes from a model: escape it in HTML.

    Items that say little alone, such as points of a plane, are shown ``together``: ``write`` then
    puts all items into one file, and ``pictures`` draws all into one picture. What would be a row
    of a grid is a picture.

    Items that vary in length come as a list of arrays, each cut to its own; text as ``str``.

    Args:
        schema: what the data is.
        field: name of the field that the items belong to.
        assets: those of the data, by name: vocabularies, for example.
    """

    formats: tuple[str, ...] = ()
    """The modality's own formats, the usual one first: endings of files, without a dot."""

    streamed: tuple[str, ...] = ()
    """Those of the formats whose file holds all items: ``write_all`` writes them."""

    suffix = ""
    """The only format, where there is one: the same as ``formats = (suffix,)``."""

    draws = False
    """Whether ``pictures`` can draw items."""

    together = 0
    """How many items make a good picture of them all; 0 where each item has a picture of its own.
    """

    overview = ""
    """The ending of what ``write_overview`` writes; empty for a grid of pictures, or a page."""

    def __init__(
        self,
        schema: Schema,
        field: str,
        assets: Mapping[str, np.ndarray] = MappingProxyType({}),
    ) -> None:
        self.schema = schema
        self.name = field
        self.field = schema[field]
        self.assets = assets

    @classmethod
    def own_formats(cls) -> tuple[str, ...]:
        """List the formats of its own, the usual one first."""
        return cls.formats or ((cls.suffix,) if cls.suffix else ())

    def fits(self) -> bool:
        """Return whether items of this field can be shown."""
        return True

    def write(self, item: np.ndarray, file: Path) -> None:
        """Write one item as a file of the modality's own format.

        Args:
            item: as the field says, without a batch axis; with ``together`` all of them, shape
                ``(n, ...)``.
            file: where to; its name ends in one of the ``formats``.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no write.")

    def write_all(self, batches: Iterable[Any], out: BinaryIO, format_: str) -> None:
        """Write all items into one file, as they come: any number, in the memory of a batch.

        Args:
            batches: each with some items on its first axis.
            out: where to; it may be a pipe, which can't seek.
            format_: one of ``streamed``.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no write_all.")

    def read(self, file: Path) -> Any:
        """Read what was written: the item, or all items of a format that is ``streamed``.

        Nothing but ``genkit check`` asks, which compares them with what was written.

        Args:
            file: its name ends in one of the ``formats``.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no read.")

    def pictures(self, items: np.ndarray) -> list[Image.Image]:
        """Draw each item, all of one size; with ``together`` a list of one picture of all.

        Args:
            items: shape ``(n, ...)``, as the field says; at least one.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no pictures.")

    def html(self, items: np.ndarray, alt: str, columns: int | None = None) -> str:
        """Show items as a piece of HTML that needs no other file; by default a grid of pictures.

        Pictures, sounds and clips stand in it as ``data:`` URIs; scripts don't run in reports.

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

    def write_overview(self, items: np.ndarray, file: Path) -> None:
        """Show items in one file, as a run keeps samples while it trains, and loggers take them.

        Args:
            items: shape ``(n, ...)``, as the field says; at least one.
            file: where to; its name ends in ``overview``.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no write_overview.")

    def blank(self) -> Any:
        """Return what stands in the place of an item that was refused.

        Returns:
            an array as the field says, all at the lower end of its range: black for images. Of
            varying length a tenth of a second or one step; text is empty.
        """
        import numpy as np

        if self.field.dtype == "string":
            return ""
        step = round((self.field.rate or 0) * _BLANK_SECONDS) or 1
        low, _ = self.field.range or (0, 0)
        shape = [step if size is None else size for size in self.field.shape]
        return np.full(shape, low).astype(self.field.dtype)


def find_renderer(
    schema: Schema,
    field: str,
    registry: Registry | None = None,
    assets: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Renderer | None:
    """Make the renderer for a field of some data, or give None if nothing can show it.

    A built-in renderer that fits is taken before those of plugins.

    Args:
        schema: what the data is.
        field: name of the field to show.
        registry: where renderers are looked up; what is installed when left out.
        assets: those of the data.

    Raises:
        PluginError: a plugin's renderer can't be made.
        AmbiguousNameError: two plugins have one that fits.
    """
    registry = registry or installed()
    fitting: list[tuple[Entry, Renderer]] = []
    for entry in registry.entries("renderers"):
        if entry.spec.modality == schema[field].modality:
            try:
                made: Renderer = made_for(resolve(entry.spec.renderer), schema, field, assets)
                if made.fits():
                    fitting.append((entry, made))
            except Exception as error:
                raise PluginError(
                    f"The renderer {entry.qualified_name} failed: {type(error).__name__}: {error}",
                    f"Leave it out with: GENKIT_DISABLE_PLUGINS={entry.plugin}",
                ) from error
    modality = schema[field].modality
    chosen = only_of([entry for entry, _ in fitting], f"renderer of the modality {modality!r}")
    return next((made for entry, made in fitting if entry is chosen), None)
