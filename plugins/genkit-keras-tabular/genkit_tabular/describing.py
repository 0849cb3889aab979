"""What a table's columns are, as a file that people edit: ``table.toml``."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from genkit.errors import DataError
from genkit_tabular.columns import KINDS, Column
from genkit_tabular.ids import pattern_of_format
from genkit_tabular.inferring import ENOUGH, distinct, propose
from genkit_tabular.keys import keys_of, values_of
from genkit_tabular.parsing import parse, zone_of
from genkit_tabular.raw import RawTable
from genkit_tabular.rule_forms import check_rules

_SETTINGS = {
    "kind": str, "digits": int, "zone": str, "unit": str, "order": list, "range": list,
    "pattern": str, "format": str, "missing": float, "personal": str, "others": str,
}  # fmt: skip
_UNITS = ("D", "s", "ms", "us", "ns")


@dataclass(frozen=True)
class Description:
    """What a file says of a table.

    Args:
        columns: settings by column.
        target: the column to foretell; empty for none.
        rules: what holds for every row.
        cost: epsilon and delta of the noisy counts that ranges and names were found by.
    """

    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    target: str = ""
    rules: tuple[Mapping[str, Any], ...] = ()
    cost: tuple[float, float] = (0.0, 0.0)

    def of(self, raw: RawTable) -> tuple[list[Column], dict[str, list[str]]]:
        """Return what the columns of a table are, and the orders of categories.

        Raises:
            DataError: it names a column that the table hasn't, or can't be.
        """
        if strange := [name for name in self.columns if name not in raw.columns]:
            raise DataError(
                f"Expected columns of the table in its description; {strange[0]!r} is none.",
                f"It has {', '.join(raw.columns)}.",
            )
        check_rules(self.rules, list(raw.columns))
        columns = [_said(column, self.columns.get(column.name, {})) for column in propose(raw)]
        orders = {
            name: [str(each) for each in said["order"]]
            for name, said in self.columns.items()
            if said.get("order")
        }
        return columns, orders


def read_description(path: Path) -> Description:
    """Read a file that ``genkit table inspect`` wrote and a person may have edited.

    Raises:
        DataError: it can't be read, or says what no column can be.
    """
    form = read_form(path)
    columns, rules = form.pop("columns", {}), form.pop("rules", [])
    target, cost = form.pop("target", ""), _cost(path, form.pop("counted", {}))
    if form or not isinstance(columns, dict) or not isinstance(rules, list):
        strange = ", ".join(form) or "columns or rules of another form"
        raise DataError(
            f"Expected [columns.NAME], [[rules]] and target in {path}; received {strange}."
        )
    for name, said in columns.items():
        _check(path, name, said)
    forms = [
        {"format": name, "pattern": pattern_of_format(said["format"])}
        for name, said in columns.items()
        if "format" in said
    ]
    return Description(columns, str(target), (*rules, *forms), cost)


def read_form(path: Path) -> dict[str, Any]:
    """Read a description as TOML has it.

    Raises:
        DataError: it can't be read.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"Expected a description of a table in {path}: {error.strerror}."
        ) from error
    except ValueError as error:  # no UTF-8, no TOML
        raise DataError(f"Expected a description of a table in {path}: {error}.") from error


def _cost(path: Path, said: Any) -> tuple[float, float]:
    spent = said if isinstance(said, dict) else {}
    epsilon, delta = spent.get("epsilon", 0.0), spent.get("delta", 0.0)
    numbers = all(type(each) in (int, float) and 0 <= each < math.inf for each in (epsilon, delta))
    if not isinstance(said, dict) or set(spent) - {"epsilon", "delta"} or not numbers:
        raise DataError(
            f"Expected [counted] in {path} as genkit table count wrote it, epsilon and delta."
        )
    return float(epsilon), float(delta)


def _check(path: Path, name: str, said: Any) -> None:
    if not isinstance(said, dict):
        raise DataError(f"Expected settings of {name!r} in {path}; received {said!r}.")
    for setting, value in said.items():
        wanted = _SETTINGS.get(setting)
        fits = wanted is not None and isinstance(value, (int, float) if wanted is float else wanted)
        if not fits:
            raise DataError(
                f"Expected of {name!r} in {path} {', '.join(_SETTINGS)}; received "
                f"{setting} = {value!r}."
            )
    if said.get("kind", "text") not in (*KINDS, "constant"):
        raise DataError(
            f"Expected kind of {name!r} in {path} to be one of {', '.join(KINDS)}, constant; "
            f"received {said['kind']!r}."
        )
    if said.get("zone"):
        zone_of(said["zone"])
    if said.get("others", "missing") != "missing" or ("others" in said and not said.get("order")):
        raise DataError(f'Expected of {name!r} in {path} others = "missing", and the order.')
    if said.get("unit", "D") not in _UNITS or len(said.get("range", (0, 1))) != 2:  # noqa: PLR2004
        raise DataError(
            f"Expected of {name!r} in {path} a unit of {', '.join(_UNITS)}, and range = [least, "
            "greatest]."
        )


def _said(column: Column, said: Mapping[str, Any]) -> Column:
    """Return a column as its description says it is."""
    if not said:
        return column
    pattern = pattern_of_format(said["format"]) if "format" in said else said.get("pattern", "")
    kind = said.get("kind", "id" if "format" in said else column.kind)
    kind = column.kind if kind == "constant" else kind
    changed = kind != column.kind
    low, high = (str(each) for each in said.get("range", ("", "")))
    usual = {"datetime": "us", "duration": "us"}.get(kind, "")
    return replace(
        column,
        kind=kind,
        digits=int(said.get("digits", 0 if changed and kind != "number" else column.digits)),
        unit=said.get("unit", column.unit or usual),
        zone=said.get("zone", column.zone),
        pattern=pattern or (column.pattern if kind == "id" else ""),
        low=low,
        high=high,
        reason="as the description says" if changed else column.reason,
    )


def described(raw: RawTable, path: Path, target: str = "") -> str:
    """Return the text of a description that proposes what a table's columns are."""
    rows = f"{raw.rows:,} rows"
    lines = [f"# Proposed from {path.name}, {rows}. Edit what is wrong: kind is one of"]
    lines += [f"# {', '.join(KINDS)}, constant. Text is left out; ids are made anew."]
    if raw.rows < ENOUGH:
        lines += [f"# {raw.rows} rows decide nothing: kinds are as the values are stored."]
    lines += [f"target = {_text(target)}  # the column to foretell, for figures of usefulness"]
    for column in propose(raw):
        lines += ["", *_section(raw, column)]
    return "\n".join(lines) + "\n"


def _section(raw: RawTable, column: Column) -> list[str]:
    values, counts = distinct(raw.columns[column.name], column.name)
    lines = [f"[columns.{_text(column.name)}]"]
    kind = "constant" if len(values) == 1 and raw.rows >= ENOUGH else column.kind
    lines.append(f'kind = "{kind}"  # {column.reason}')
    if column.kind == "number":
        lines.append(f"digits = {column.digits}")
    said = {name: getattr(column, name) for name in ("unit", "zone", "pattern")}
    lines += [f"{name} = {_text(value)}" for name, value in said.items() if value]
    if column.is_named:
        first = values.take(np.argsort(-counts, kind="stable")[:5]).to_pylist()
        lines.append(f"# most often {', '.join(map(_text, map(str, first)))}")
    if ends := _ends(column, values, raw):
        lines.append(f"# from {ends[0]} to {ends[1]}; range = [...] bounds what is generated")
    missing = 1 - int(counts.sum()) / raw.rows
    lines.append(f"missing = {missing:.4g}  # share of the rows without a value")
    if column.personal:
        lines.append(f"personal = {_text(column.personal)}  # may name a person")
    return lines


def _ends(column: Column, values: Any, raw: RawTable) -> tuple[str, str] | None:
    """Return the least and the greatest value of a column that has them."""
    if not len(values) or column.kind not in ("number", "datetime", "duration"):
        return None
    if raw.is_text:
        held, _ = parse(column, values.to_pylist())
    else:
        held = values.to_numpy(zero_copy_only=False)
        held = held.astype(np.float64) if held.dtype == object else held
    keys = keys_of(column, held)
    ends = values_of(column, np.array([keys.min(), keys.max()]))
    return str(ends[0]), str(ends[1])


def _text(value: str) -> str:
    """Return text as TOML has it: JSON's form, which TOML reads too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
