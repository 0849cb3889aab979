"""A fault at the n-th thing that a process does to the files of a run.

Things are: opening a file for writing, writing its content, a write of the log, an fsync, a rename,
making or removing a file or folder. Before the n-th the process is killed, or the system refuses it
with ENOSPC or EIO; a content can also be torn, half of it written before the fault.
"""

import errno
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

_EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate"}
KINDS = ("kill", "ENOSPC", "EIO")


@dataclass
class Fault:
    """What goes wrong, and when.

    Args:
        at: the number of the thing, from 1.
        kind: one of KINDS.
        torn: write half of a content first.
        lasting: whether all things after it fail too, as on a full disk.
    """

    at: int
    kind: str
    torn: bool = False
    lasting: bool = False

    def __post_init__(self):
        self.count = 0

    def meet(self):
        """Count a thing; let the fault happen if it is its turn."""
        self.count += 1
        if self.is_due():
            self.happen()

    def is_due(self):
        return self.count == self.at or (self.lasting and self.count > self.at)

    def happen(self):
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        number = getattr(errno, self.kind)
        raise OSError(number, os.strerror(number))


def install(fault, folder):
    """Let a fault happen to what this process does below a folder."""
    write_bytes, write, fsync = Path.write_bytes, os.write, os.fsync

    def is_inside(path):
        return str(folder) in str(path)

    def watch(event, arguments):
        writes = event in _EVENTS and (event != "open" or _writes(arguments))
        if writes and is_inside(arguments[0]):
            fault.meet()

    def torn(really, is_meant):
        def write_content(place, content):
            if is_meant(place):
                fault.count += 1
                if fault.is_due():
                    if fault.torn:
                        really(place, content[: len(content) // 2])
                    fault.happen()
            return really(place, content)

        return write_content

    def counted_fsync(descriptor):
        fault.meet()
        fsync(descriptor)

    Path.write_bytes = torn(write_bytes, is_inside)
    os.write = torn(write, lambda fd: is_inside(os.path.realpath(f"/proc/self/fd/{fd}")))
    os.fsync = counted_fsync
    sys.addaudithook(watch)


def _writes(arguments):
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR))
