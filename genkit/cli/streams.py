"""Standard streams as a program may find them: closed, full, unread, or of few letters."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any, TextIO, cast

_NAMES = ("stdin", "stdout", "stderr")
_IN_ASCII = {
    "\N{NO-BREAK SPACE}": " ",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MIDDLE DOT}": "-",
    "\N{BULLET}": "*",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{PLUS-MINUS SIGN}": "+-",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{UPWARDS ARROW}": "^",
    "\N{DOWNWARDS ARROW}": "v",
    "\N{CHECK MARK}": "ok",
    "\N{BALLOT X}": "X",
}


def prepare() -> None:
    """Make the standard streams safe to write to.

    One that is closed leads nowhere; a letter that an encoding lacks is written in ASCII; and where
    nobody reads any more, writing is no error: a run goes on when its terminal is gone.
    """
    codecs.register_error("genkit.ascii", _in_ascii)
    for descriptor, name in enumerate(_NAMES):
        stream = getattr(sys, name)
        if stream is None:
            stream = _nowhere(descriptor, "w" if descriptor else "r")
        if descriptor and isinstance(stream, io.TextIOWrapper):
            if _is_pythons_own(stream):
                stream.flush()
                stream = open_unread(
                    descriptor,
                    encoding=stream.encoding,
                    line_buffering=stream.line_buffering,
                    write_through=stream.write_through,
                )
            stream.reconfigure(errors="genkit.ascii")
        setattr(sys, name, stream)


def _is_pythons_own(stream: io.TextIOWrapper) -> bool:
    """Whether a stream is a plain one to its descriptor: no test's, and no Windows console."""
    raw = getattr(stream.buffer, "raw", stream.buffer)
    return stream in (sys.__stdout__, sys.__stderr__) and isinstance(raw, io.FileIO)


def open_unread(descriptor: int, **settings: Any) -> TextIO:
    """Open a descriptor for text; it is no error when the reader's end of the pipe is closed.

    Args:
        descriptor: of an open file, which stays open when the stream is closed.
        **settings: those of ``io.TextIOWrapper``.
    """
    raw = _Unread(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), **settings)


class _Unread(io.FileIO):
    """A file whose reader may be gone; of what people are told, so may be the disk or terminal."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if self.fileno() != _NAMES.index("stderr") and not isinstance(error, BrokenPipeError):
                raise
            return memoryview(data).nbytes


def _nowhere(descriptor: int, mode: str) -> TextIO:
    """Open the null device in the place of a stream that was closed before Python began.

    Else the next file to be opened would take its descriptor, and what C libraries print.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)
        os.set_inheritable(descriptor, True)
    else:  # it is open, and something else's by now
        descriptor = os.open(os.devnull, os.O_RDWR)
    return cast("TextIO", os.fdopen(descriptor, mode, encoding="utf-8", closefd=False))


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks in ASCII, as near as it gets: a handler for ``errors=``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    plain = (_IN_ASCII.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking)
    return "".join(plain), error.end
