"""One line that says how far something is: live in a terminal or a notebook, else now and then."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

_PLAIN_SECONDS = 10.0  # between two lines where none can be changed
_NOTEBOOK_SECONDS = 0.5
_REFRESHES = 8  # a second, in a terminal
_NOTEBOOK_WIDTH = 100
_WIDEST_BAR, _NARROWEST_BAR = 24, 4
_SPINNER, _PLAIN_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_LEFT_OUT = 2  # steps: the first compiles, and the second may compile what the first found out
_WINDOW = 64  # steps whose mean tells how long the next ones take
_SURPRISE = 8  # times the median: no step, but a program compiled late


@dataclass(frozen=True)
class Status:
    """How far something is.

    Args:
        what: is counted: ``"step"``.
        done: how many.
        total: of how many; None if nobody knows.
        share: of the way, 0 to 1; None if nobody knows.
        seconds_left: None if nobody knows yet.
        waiting: what is waited for before the first is done: ``"compiling"``.
        more: what stands there where it fits, the most important first.
    """

    what: str
    done: int = 0
    total: int | None = None
    share: float | None = None
    seconds_left: float | None = None
    waiting: str = ""
    more: Sequence[str] = ()


class Pace:
    """How long a step takes, without what was compiled."""

    def __init__(self) -> None:
        self._steps = 0
        self._seconds: deque[float] = deque(maxlen=_WINDOW)

    def add(self, seconds: float) -> None:
        """Take up a step that has ended."""
        self._steps += 1
        if self._steps > _LEFT_OUT:
            self._seconds.append(seconds)

    def seconds(self) -> float | None:
        """Return the time of a step; None as long as it can't be told from compiling."""
        known = list(self._seconds)  # a terminal's line asks from a thread of its own
        if not known:
            return None
        most = _SURPRISE * median(known)
        usual = [each for each in known if each <= most]
        return sum(usual) / len(usual)


def status_line(status: Status, width: int, *, plain: bool = False, now: float = 0.0) -> Text:
    """Return a status as one line.

    Count, bar and time left always stand there; what else there is gives way to them.

    Args:
        status: what to show.
        width: columns that the line may take.
        plain: use ASCII only.
        now: seconds since waiting began; the spinner moves with them.
    """
    from rich.text import Text

    if status.waiting:
        frames = _PLAIN_SPINNER if plain else _SPINNER
        frame = frames[int(now * _REFRESHES) % len(frames)]
        return _cut(Text(f"{frame} {status.waiting}, {clock(now)}", no_wrap=True), width)
    left = "" if status.seconds_left is None else f"{clock(status.seconds_left)} left"
    ends = len(left) + bool(left)
    least = 0 if status.share is None else _NARROWEST_BAR + 1
    head = next((h for h in _heads(status) if len(h) + least + ends <= width), f"{status.done}")
    line = Text(head, no_wrap=True)
    if status.share is not None:
        room = width - len(head) - 1 - ends
        length = max(0, min(room, _WIDEST_BAR, max(width // 4, _NARROWEST_BAR)))
        filled = round(length * min(max(status.share, 0.0), 1.0))
        line.append(" ")
        line.append(("#" if plain else "━") * filled, "bar.complete")
        line.append(("-" if plain else "─") * (length - filled), "bar.back")
    if left:
        line.append(f" {left}", "progress.remaining")
    for each in status.more:
        if line.cell_len + 2 + len(each) > width:
            break
        line.append(f"  {each}")
    return _cut(line, width)


def clock(seconds: float) -> str:
    """Write a time as ``m:ss`` or ``h:mm:ss``."""
    whole = max(0, round(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"


def _heads(status: Status) -> list[str]:
    """Return the count, the longest form first."""
    what, done, total = status.what, status.done, status.total
    if total is None:
        return [f"{what} {done:,}", f"{done}"]
    return [f"{what} {done:,}/{total:,}", f"{what} {done}/{total}", f"{done}/{total}"]


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="crop")
    return line


class LiveLine:
    """Shows a status on stderr, in place, until it is closed.

    Args:
        status: is asked for what to show.
        console: where; stderr when left out.
    """

    def __init__(self, status: Callable[[], Status], console: Console | None = None) -> None:
        from rich.console import Console
        from rich.live import Live

        self._status = status
        self._console = console or Console(stderr=True)
        self._began = self._shown = time.monotonic()
        self._live: Live | None = None
        self._cell: Any = None  # of a notebook: the output that is written anew
        if self._console.is_jupyter:
            display = import_module("IPython.display").display
            line = status_line(status(), _NOTEBOOK_WIDTH).plain
            self._cell = display({"text/plain": line}, raw=True, display_id=True)
        elif self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                self, console=self._console, refresh_per_second=_REFRESHES, transient=True
            )
            self._live.start()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the line as wide as the terminal is now."""
        now = time.monotonic() - self._began
        yield status_line(self._status(), options.max_width, plain=options.ascii_only, now=now)

    def tick(self, *, at_once: bool = False) -> None:
        """Show the status where it doesn't show itself: a notebook's cell, a line in a log.

        Args:
            at_once: however short ago the last was: the next may be minutes away.
        """
        if self._live is not None:
            return
        now = time.monotonic()
        if self._cell is not None:
            if at_once or now - self._shown >= _NOTEBOOK_SECONDS:
                self._shown = now
                self._write_cell()
        elif at_once or now - self._shown >= _PLAIN_SECONDS:
            self._shown = now
            print_line(plain_text(self._status()))

    def close(self) -> None:
        """Release the terminal; a notebook keeps the last status, unless it is one of waiting."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._cell is not None:
            self._write_cell(last=True)
            self._cell = None

    def _write_cell(self, *, last: bool = False) -> None:
        status = self._status()
        now = time.monotonic() - self._began
        line = (
            "" if last and status.waiting else status_line(status, _NOTEBOOK_WIDTH, now=now).plain
        )
        self._cell.update({"text/plain": line}, raw=True)


def plain_text(status: Status) -> str:
    """Return a status for a log: everything, on a line of its own."""
    if status.waiting:
        return f"{status.waiting} ..."
    total = "" if status.total is None else f" of {status.total}"
    parts = [f"{status.what} {status.done}{total}", *status.more]
    if status.seconds_left is not None:
        parts.append(f"{clock(status.seconds_left)} left")
    return "  ".join(parts)


def print_line(text: str) -> None:
    """Print a line on stderr, if anybody reads it."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201
