"""Parents with their children, made by the models of two linked tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from genkit.errors import DataError, UsageError
from genkit_tabular import ids
from genkit_tabular.asking import NULL, PRESENT, Code
from genkit_tabular.encoded import keys_and_absent
from genkit_tabular.frames import frame_of
from genkit_tabular.keys import keys_of, places_in, values_of
from genkit_tabular.linking import (
    COUNT,
    FIRST,
    GAP,
    LEFT,
    PARENT,
    PLACE,
    PREVIOUS,
    Link,
    dates,
)
from genkit_tabular.parsing import parse, written

if TYPE_CHECKING:
    from genkit_tabular.columns import Column
    from genkit_tabular.learned import Learned

Rows = dict[str, np.ma.MaskedArray]
_ROUND, _BLOCK = 0x9E3779B1, 0x85EBCA6B  # between the seeds of places, and of blocks of parents


def join(
    link: Link, parents: Any, children: Any, n: int, seed: int = 0,
    *, given: Mapping[str, Any] | None = None,
) -> tuple[pa.Table, pa.Table, int]:  # fmt: skip
    """Make parents, and their children one after the other.

    How many children a parent has, and the date of the first, are columns of the parent; each
    child is asked for after what came before it. Dates never go back, nor beyond the last of the
    data: children that would are left out. Parent i and its children follow from (seed, i).

    Args:
        link: of the two tables.
        parents: a model of the linked parents.
        children: a model of the linked children that takes conditions.
        n: how many parents.
        seed: 0 to 2**31 - 1.
        given: conditions of parents, as for ``generate``.

    Returns:
        the parents, the children, and how many children were left out.

    Raises:
        DataError: the models are not of these tables.
        UsageError: ``n`` is below 1, or what is given can't be.
    """
    order = link.order()
    _check(link, parents, (COUNT, *([FIRST] if order is not None else [])), "parents")
    _check(link, children, (PLACE, LEFT), "children")
    block = children.generation_batch
    batches = list(parents.generate_items(n, seed, given=given))
    family: Rows = {
        name: np.ma.concatenate([np.ma.asarray(batch[name]) for batch in batches])
        for name in batches[0]
    }
    if order is not None:
        _date(parents, family, seed)
    made: list[tuple[NDArray[np.int64], NDArray[np.int64], Rows]] = []
    beyond = 0
    for start in range(0, n, block):
        some = {name: values[start : start + block] for name, values in family.items()}
        other = (seed + (start // block + 1) * _BLOCK) % 2**31
        rounds = _Rounds(link, order, children, some, other)
        made += [(owners + start, keys, rows) for owners, keys, rows in rounds]
        beyond += rounds.beyond
    told = frame_of(parents.table, parents.learned, batches)
    told = told if isinstance(told, pa.Table) else pa.table(told)
    keys_of_parents = told.column(link.key)
    return (
        told.drop_columns([COUNT, *([FIRST] if order is not None else [])]),
        _assembled(link, order, children, keys_of_parents, made, seed),
        beyond,
    )


def _check(link: Link, model: Any, needed: tuple[str, ...], what: str) -> None:
    table = getattr(model, "table", None)
    names = [] if table is None else [column.name for column in table.modelled]
    if any(name not in names for name in needed):
        raise DataError(
            f"Expected a model of the linked {what}; this one knows {', '.join(names) or 'none'}.",
            f"Train it on the file of {what} that genkit link wrote.",
        )
    if what == "parents" and link.key not in [c.name for c in table.columns if c.kind == "id"]:
        raise DataError(
            f"Expected {link.key!r} among the parents' columns as an id, to join by.",
            "Train with the description that genkit link wrote: --data describe=parents.toml",
        )


def _date(model: Any, family: Rows, seed: int) -> None:
    """Give a first date to parents that have children and none: each given what else it has."""
    undated = np.ma.getmaskarray(family[FIRST]) & (np.ma.filled(family[COUNT], 0) > 0)
    if not undated.any():
        return
    given = {each.name: codes_of(each, family[each.name]) for each in model.learned}
    given[FIRST] = [PRESENT if i else code for i, code in zip(undated, given[FIRST], strict=True)]
    asked = {each.name: given[each.name] for each in model.conditions}
    again = model.generate_items(len(undated), (seed + _ROUND) % 2**31, given=asked)
    dated = np.ma.concatenate([np.ma.asarray(batch[FIRST]) for batch in again])
    family[FIRST] = np.ma.where(undated, dated, family[FIRST])


class _Rounds:
    """Children of a block of parents: all first ones, then all second ones, and so on."""

    def __init__(
        self, link: Link, order: Column | None, model: Any, parents: Rows, seed: int
    ) -> None:
        self.link, self.order, self.model, self.seed = link, order, model, seed
        self.learned: dict[str, Learned] = {each.name: each for each in model.learned}
        self.counts = np.ma.filled(parents[COUNT], 0).astype(np.int64)
        self.beyond = 0
        self.same = {
            name: codes_of(each, parents[name.removeprefix(PARENT)])
            for name, each in self.learned.items()
            if name.startswith(PARENT)
        }
        if order is not None:
            self.keys = np.minimum(_keys(order, np.ma.asarray(parents[FIRST])), link.last)

    def __iter__(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], Rows]]:
        """Yield, by place, whose children these are, the keys of their dates, and the rows."""
        before: Rows = {}
        gaps = self.learned.get(GAP)
        place = 0
        while len(alive := np.flatnonzero(self.counts > place)):
            asked = {name: list(codes) for name, codes in self.same.items()}
            asked[PLACE] = codes_of(self.learned[PLACE], np.full(len(self.counts), place))
            asked[LEFT] = codes_of(self.learned[LEFT], self.counts - place - 1)
            for name, each in self.learned.items():
                if name.startswith(PREVIOUS):
                    asked[name] = self._before(each, before.get(name.removeprefix(PREVIOUS)))
            if gaps is not None:
                asked[GAP] = [NULL] * len(self.counts) if place == 0 else self._room(gaps)
            rows = self._drawn(asked, alive, place)
            if gaps is not None and place:
                step = np.ma.filled(rows[GAP], 0).astype(np.int64)
                late = self.keys + step > self.link.last
                self.beyond += int((self.counts - place)[late & (self.counts > place)].sum())
                self.counts[late] = np.minimum(self.counts[late], place)
                self.keys = np.where(late, self.keys, self.keys + step)
                alive = alive[~late[alive]]
            if self.order is not None:
                rows[self.order.name] = _values(self.order, self.keys)
            yield (
                alive,
                (self.keys if self.order is not None else self.counts)[alive],
                {name: values[alive] for name, values in rows.items()},
            )
            before = rows
            place += 1

    def _drawn(self, asked: dict[str, list[Any]], alive: NDArray[np.int64], place: int) -> Rows:
        """Return a child for every parent; those of parents that need none count for nothing."""
        full = set(alive.tolist())
        for values in asked.values():  # what is asked for these must be possible, no more
            values[:] = [v if i in full else values[alive[0]] for i, v in enumerate(values)]
        known = {condition.name for condition in self.model.conditions}
        given = {name: values for name, values in asked.items() if name in known}
        seed = (self.seed + (place + 1) * _ROUND) % 2**31
        (batch,) = self.model.generate_items(len(self.counts), seed, given=given)
        return {name: np.ma.asarray(values) for name, values in batch.items()}

    def _before(self, each: Learned, values: np.ndarray | None) -> list[Any]:
        if values is not None:
            return codes_of(each, values)
        hole = Code(each.codec.size - 1) if each.codec.missing else None
        return [hole] * len(self.counts)

    def _room(self, gaps: Learned) -> list[Any]:
        """Return what may be asked of a gap, so that no date is beyond the last one."""
        least, most = int(gaps.codec.low[0]), int(gaps.codec.high[-1])
        step, base = gaps.column.step, gaps.column.base
        found = []
        for room in (self.link.last - self.keys).tolist():
            key = (room - base) // step
            free = key >= most or key < least  # what then comes too late is left out
            found.append(PRESENT if free else f"{least * step + base}:{room}")
        return found


def codes_of(each: Learned, values: np.ndarray) -> list[Any]:
    """Return what to ask of a column that is known: its code, None where it has none.

    Args:
        each: the column, as the model of children knows it.
        values: as the model of parents, or the column that it repeats, presents them.
    """
    absent = np.ma.getmaskarray(values)
    data = np.ma.getdata(values)
    known = ~absent
    if each.column.is_named:
        place = places_in(each.classes)
        known &= np.array([str(name) in place for name in data], bool)
    held = np.ma.MaskedArray(data, ~known)
    keys, _ = keys_and_absent({each.name: held}, each)
    codes, _ = each.codec.encode(keys, np.zeros_like(known))
    hole = Code(each.codec.size - 1) if each.codec.missing else None
    rows = zip(codes.tolist(), known.tolist(), absent.tolist(), strict=True)
    return [Code(code) if there else hole if gap else None for code, there, gap in rows]


def _keys(column: Column, values: np.ma.MaskedArray) -> NDArray[np.int64]:
    absent, data = np.ma.getmaskarray(values), np.ma.getdata(values)
    keys = np.zeros(len(data), np.int64)
    there = data[~absent]
    if column.is_written and len(there):
        there, _ = parse(column, [str(text) for text in there])
    if len(there):
        keys[~absent] = keys_of(column, there)
    return keys


def _values(column: Column, keys: NDArray[np.int64]) -> np.ma.MaskedArray:
    """Return dates as a model presents them."""
    values = values_of(column, keys)
    return np.ma.asarray(written(column, values) if column.is_written else values)


def _assembled(  # noqa: PLR0917
    link: Link,
    order: Column | None,
    model: Any,
    keys_of_parents: pa.ChunkedArray,
    made: list[tuple[NDArray[np.int64], NDArray[np.int64], Rows]],
    seed: int,
) -> pa.Table:
    """Return the children of all rounds, those of a parent together and in order."""
    if not made:
        raise UsageError("No parent of those has a child.", "Ask for more parents: --n")
    owners = np.concatenate([owners for owners, _, _ in made])
    turn = np.argsort(owners, kind="stable")  # rounds are in order already
    names = [column.name for column in model.table.columns]
    rows = {name: np.ma.concatenate([rows[name] for _, _, rows in made])[turn] for name in names}
    for column in model.table.columns:
        if column.kind == "id":
            ids.check_enough(column, len(turn))
            rows[column.name] = np.ma.asarray(ids.keys(column, 0, len(turn), seed))
    frame = frame_of(model.table, model.learned, [rows])
    frame = frame if isinstance(frame, pa.Table) else pa.table(frame)
    columns = {link.key: keys_of_parents.take(pa.array(owners[turn]))}
    if order is not None:
        keys = np.concatenate([keys for _, keys, _ in made])[turn]
        columns[order.name] = dates(order, keys, np.zeros(len(keys), bool))
    columns |= {name: frame.column(name) for name in link.columns if name in names}
    return pa.table({name: columns[name] for name in link.columns if name in columns})
