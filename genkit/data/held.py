"""Data that this program has handed over, found again by its fingerprint."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from genkit.errors import DataError

if TYPE_CHECKING:
    from genkit.data.source import Source

_MOST = 4
_newest: OrderedDict[str, Source] = OrderedDict()


def hold(source: Source) -> str:
    """Remember a source, one of the last four, by the fingerprint that is returned."""
    fingerprint = source.fingerprint()
    _newest[fingerprint] = source
    _newest.move_to_end(fingerprint)
    while len(_newest) > _MOST:
        _newest.popitem(last=False)
    return fingerprint


def find_held(fingerprint: str, described: str = "") -> Source:
    """Return the source that has this fingerprint.

    Args:
        fingerprint: what ``hold`` returned, in this process or another.
        described: what the data was, for the message.

    Raises:
        DataError: this process wasn't handed it; with what to do.
    """
    source = _newest.get(fingerprint)
    if source is None and not fingerprint:
        raise DataError(
            "Expected data that a Python program hands over; received none.",
            "The data set memory is for Python: genkit.train(model, dataset=array).",
        )
    if source is None:
        raise DataError(
            f"Expected the data that a Python program handed over{described and f', {described}'}; "
            "this process has not been handed it.",
            "Hand it over again in Python: genkit.resume(run, dataset=...), "
            "genkit.evaluate(run, dataset=...) or genkit.write_report(run, dataset=...)",
        )
    return source
