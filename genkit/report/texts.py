"""The renderer of text: a line an item.

Completion of ``--format`` reads its class: nothing heavy is imported above.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from genkit.report.rendering import Renderer

if TYPE_CHECKING:
    import numpy as np

_MOST_SHOWN, _MOST_LETTERS = 24, 2000
_SPECIAL = re.compile(r"<[^<>\s]+>|\[[A-Z]+\]")  # <end>, [PAD]: signs to the model
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_ESCAPED = re.compile(r"\\(.)")


class TextRenderer(Renderer):
    r"""Shows text: a line an item in files, where ``\n`` stands for a line break inside of one.

    Items are ``str``, or numbers of a vocabulary as the data has them.
    """

    formats = ("txt",)
    streamed = ("txt",)
    overview = "txt"

    def fits(self) -> bool:
        return len(self.field.shape) <= 1

    @property
    def vocabulary(self) -> Sequence[str]:
        """Names of the numbers that text is held as in the data; none where it is ``str``."""
        from genkit.data import vocabulary_of

        return vocabulary_of(self.schema, self.name, self.assets) if self.assets else ()

    @cached_property
    def text(self) -> TextOf:
        """Returns an item as text, without the signs that are for models alone."""
        return TextOf(self.vocabulary)

    def write_all(self, batches: Iterable[Any], out: BinaryIO, format_: str) -> None:  # noqa: ARG002
        for items in batches:
            out.writelines(f"{_escaped(self.text(item))}\n".encode() for item in items)

    def write_pieces(self, pieces: Iterable[Any], out: BinaryIO) -> None:
        """Write one item as it is made, with its own line breaks, and the end of its last line.

        Args:
            pieces: of the item, each what it goes on with: text, or numbers as the data has them;
                none of an item that was refused.
            out: where to; it is flushed behind each piece.
        """
        import numpy as np

        whole: Any = None
        shown = ""
        try:
            for piece in pieces:
                together = "".join if isinstance(piece, str) else np.concatenate
                whole = piece if whole is None else together([whole, piece])
                text = self.text(whole)
                out.write(text[len(shown) :].encode())
                out.flush()
                shown = text
        except BaseException:
            if shown:  # what is said of an interrupt begins a line of its own
                out.write(b"\n")
                out.flush()
            raise
        if whole is not None:
            out.write(b"\n")

    def read(self, file: Path) -> list[str]:
        return texts_of(file.read_bytes().decode())

    def write_overview(self, items: np.ndarray, file: Path) -> None:
        with file.open("wb") as out:
            self.write_all([items], out, "txt")

    def html(self, items: np.ndarray, alt: str, columns: int | None = None) -> str:  # noqa: ARG002
        from genkit.report.sections import parts

        lines = [self.text(item)[:_MOST_LETTERS] for item in items[:_MOST_SHOWN]]
        return str(parts().texts(lines, alt))

    def blank(self) -> str:
        return ""


def texts_of(content: str) -> list[str]:
    """Return the items of a text file that a ``TextRenderer`` has written."""
    letters = {"n": "\n", "r": "\r"}
    lines = content.split("\n")[:-1]
    return [_ESCAPED.sub(lambda found: letters.get(found[1], found[1]), line) for line in lines]


def _escaped(text: str) -> str:
    """Return text on one line."""
    return re.sub(r"[\\\n\r]", lambda found: _ESCAPES[found[0]], text)


class TextOf:
    """Turns an item of a field of text into ``str``.

    Args:
        vocabulary: what numbers stand for. Words that are longer than a letter and hold no spaces
            of their own are set apart.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._vocabulary = vocabulary
        plain = [word for word in vocabulary if not _SPECIAL.fullmatch(word)]
        whole = max(map(len, plain), default=1) > 1 and not any(" " in word for word in plain)
        self._between = " " if whole else ""

    def __call__(self, item: Any) -> str:
        """Return an item as text.

        Args:
            item: ``str``, or numbers of the vocabulary, shape ``(length,)``.
        """
        if isinstance(item, str):
            return item
        numbers = [int(number) for number in item]
        if not self._vocabulary:
            return " ".join(map(str, numbers))
        words = [
            self._vocabulary[number] if number < len(self._vocabulary) else "\ufffd"
            for number in numbers
        ]
        return self._between.join(word for word in words if not _SPECIAL.fullmatch(word))
