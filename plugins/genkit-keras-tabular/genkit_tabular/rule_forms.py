"""What rules of a table look like, before anything is known of its columns but their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genkit.errors import DataError
from genkit_tabular.computing import check_computed
from genkit_tabular.predicates import Predicate

ORDER, TOGETHER, COMPUTED, PREDICATE, FORMAT = (
    "order",
    "together",
    "computed",
    "predicate",
    "format",
)
_KINDS = (ORDER, TOGETHER, COMPUTED, PREDICATE, FORMAT)


def check_rules(rules: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Refuse rules that can't be understood.

    Raises:
        DataError: with the rule.
    """
    for place, rule in enumerate(rules):
        later = [each[COMPUTED] for each in rules[place:] if kind_of(each) == COMPUTED]
        if not _is_known(rule, list(columns), later):
            raise DataError(
                f"Expected rules such as order = ['start', 'end'], together = ['city', 'country'], "
                f"computed = 'total' with sum = ['net', 'tax'], predicate = 'debt <= income', of "
                f"columns of the table; received {rule}."
            )


def kind_of(rule: Any) -> str:
    """Return the kind of a rule; empty for none."""
    kinds = [kind for kind in _KINDS if isinstance(rule, Mapping) and kind in rule]
    return kinds[0] if len(kinds) == 1 else ""


def _is_known(rule: Mapping[str, Any], columns: list[str], later: list[str]) -> bool:
    kind = kind_of(rule)
    if kind == COMPUTED:
        return check_computed(rule, columns, later)
    if kind == FORMAT:
        return rule[FORMAT] in columns and set(rule) == {FORMAT, "pattern"}
    if not kind or len(rule) != 1:
        return False
    if kind == PREDICATE:
        names = Predicate.parse(str(rule[kind])).names
        return bool(names) and set(names) <= set(columns)
    names = rule[kind]
    return isinstance(names, list) and len(names) > 1 and set(names) <= set(columns)
