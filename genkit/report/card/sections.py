"""The sections of a card, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genkit.evaluation.figure import Figure, split_cards
from genkit.plan.from_program import data_is_handed_over, model_is_handed_over
from genkit.plan.plan import Plan
from genkit.report.card.facts import Facts
from genkit.report.card.markdown import fact_table, plain

_NO_PLUGIN = "the data set's plugin is not installed"


def data(facts: Facts) -> str:
    """Return the section on what it was trained on."""
    dataset, found = facts.dataset, facts.environment.get("data", {})
    licence = plain(dataset.licence) if dataset and dataset.licence else ""
    rows = {
        "data set": plain(facts.plan.dataset),
        "what": _what(facts),
        "licence": licence or "not known: it is that of your own files, ask whoever made them",
        "homepage": plain(dataset.homepage) if dataset and dataset.homepage else "none",
        "items": f"{facts.items:,}",
    }
    if not facts.protects_data:  # by a hash anyone could try out what the data is
        rows["fingerprint"] = f"{plain(found.get('fingerprint', 'not known'))} (SHA-256)"
    return f"""{fact_table(rows)}

The licence of the weights is not settled by training: whoever publishes them chooses it, within
what the licence of the data allows, and writes it into the header above, which says `unknown`:
last of all, for training on and evaluating write this card anew."""


def _what(facts: Facts) -> str:
    if data_is_handed_over(facts.plan):
        return f"handed over by a Python program: {plain(facts.plan.data['object'])}"
    return plain(facts.dataset.summary) if facts.dataset else _NO_PLUGIN


def use(facts: Facts) -> str:
    """Show how to load it, and what to call then."""
    if facts.keeps_items:
        return "From its run alone: `genkit.load(run)`."
    own = ", model=build_model" if model_is_handed_over(facts.plan) else ""
    why = "  # the function that built it" if own else ""
    can = facts.model.capabilities if facts.model else ("generate",)
    asked = ".".join(["model", *can[:1]])
    call = "samples = model.generate(16, seed=0)" if "generate" in can else f"help({asked})"
    return f"""```python
import genkit

model = genkit.load("this folder"{own}){why}
{call}
```"""


def intended_use(facts: Facts) -> str:
    """Return the section on what it is for."""
    doing = ", ".join(facts.model.capabilities) if facts.model else "generate"
    return f"""To {doing} data like that of {plain(facts.plan.dataset)}: for study, teaching,
comparison of methods, and as a start for training on related data. What it makes is synthetic:
don't pass it off as collected data, and don't decide about people by it."""


def limits(facts: Facts) -> str:
    """Return the section on what is known to be wrong with it, and what is not known."""
    seen = f"It has seen {facts.items:,} items and nothing else"
    limits = [f"{seen}: what they lack it can't make, and what is unfair in them it repeats."]
    if facts.keeps_items:
        limits.insert(0, _KEEPS_ITEMS)
    if not facts.figures:
        limits.append(f"Its quality is not known: it was not measured. {_EVALUATE}")
    if not facts.memorisation and not facts.withheld:
        limits.append("How much of the training data it gives away is not known.")
    losses = ", ".join(
        f"{plain(k)} {v:.4g}"
        for k, v in facts.last.items()
        if k not in ("step", "epoch", "seconds") and isinstance(v, (int, float))
    )
    if losses and not facts.protects_data:
        limits.append(f"Its last training losses, {losses}, say little about quality.")
    if facts.environment.get("init"):
        limits.append(
            "It began with weights of another run, which is not described here: what that had "
            "seen may show."
        )
    return "\n".join(f"- {limit}" for limit in limits)


_KEEPS_ITEMS = (
    "It keeps items of its data as they were. Its weights stay in the run's checkpoints, and none "
    "are here: whoever has the run has the data."
)
_WITHHELD = (
    "Figures that look at the training data are not written here: measured on the protected items."
)
_EVALUATE = "`genkit evaluate RUN` measures it, and renews this card."


def evaluation(facts: Facts) -> str:
    """Return the figures that were measured."""
    if not facts.figures:
        return _WITHHELD if facts.withheld else f"None. {_EVALUATE}"
    note = f"{_WITHHELD}\n\n" if facts.withheld else ""
    if not facts.is_current:
        note += (
            f"Measured of the weights of step {facts.measured_at}; those here are of step "
            f"{facts.last['step']}.\n\n"
        )
    return note + _table(facts.figures)


def memorisation(facts: Facts) -> str:
    """Return the section on how much of the training data it gives away."""
    if facts.withheld:
        return _WITHHELD
    if not facts.memorisation:
        return f"Not measured. {_EVALUATE}"
    values = "; ".join(f"{plain(f.name)} {_value(f)}" for f in facts.memorisation)
    return (
        f"{values}. How it was measured stands above. A memorisation of 1 means no "
        "nearer to the training data than held-out data is; well below 1, or any copies, means "
        "that items were learned by heart. Good figures are no proof that none was."
    )


def _table(figures: Sequence[Figure]) -> str:
    rows = "\n".join(
        f"| {plain(f.name)} | {f.value:.4g} | {f.low:.4g} to {f.high:.4g} | "
        f"{'lower' if f.direction == 'min' else 'higher'} |"
        for f in figures
    )
    table = f"""| metric | value | 95 % interval | better |
| --- | --- | --- | --- |
{rows}"""
    return "\n\n".join([table, *_cards(figures)])


def _cards(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield how the figures were measured: what their cards share once, then each one's own."""
    shared, others = split_cards(figures)
    if shared:
        yield "How they were measured, where they depend on it:"
        yield fact_table({plain(key): plain(_text(value)) for key, value in shared.items()})
    lines = [f"- {plain(', '.join(names))}: {_how(card)}" for names, card in others]
    if lines:
        yield "\n".join(lines)


def _value(figure: Figure) -> str:
    return f"{figure.value:.4g} (95 % interval {figure.low:.4g} to {figure.high:.4g})"


def _how(card: Mapping[str, Any]) -> str:
    return "; ".join(f"{plain(key)} {plain(_text(value))}" for key, value in card.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def settings(plan: Plan) -> str:
    """Return the plan's settings as JSON, whose lines can't close the block they stand in.

    Where the data lay on somebody's disk is nobody's business; nor, by its hash, what it is.
    """
    private = ("path", "fingerprint")
    shown = {
        "preset": plan.preset,
        "precision": plan.precision,
        "seed": plan.seed,
        "config": plan.config,
        "data": {k: value for k, value in plan.data.items() if not k.endswith(private)},
    }
    return f"```json\n{json.dumps(shown, indent=2)}\n```"
