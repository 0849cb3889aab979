"""Report of exchange rates: a model words it, code fills in each number and checks it.

python fx_report.py FOLDER [--steps N]

The model sees no number. It is told what happened, "USD; down; much; high first", and writes a
sentence with slots, "{currency} lost {change} % ...", which is filled from the table; a sentence
with another slot, or without the change, is refused, and a plain one stands in its place.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from recipe import arguments, real, trained, write_rows

CURRENCIES = ("USD", "JPY", "GBP", "CHF", "PLN", "SEK", "NOK", "AUD", "CAD")
MUCH = 2.0  # per cent in a month
PLAIN = "{currency} stood at {close} per euro at the end of {month}, {change} % from its beginning."
WORDS = {
    "up": ("The euro gained {change} % against {currency} in {month}",
           "In {month} the euro rose by {change} % against {currency}",
           "{currency} weakened in {month}: a euro bought {change} % more of it"),
    "down": ("The euro lost {change} % against {currency} in {month}",
             "In {month} the euro fell by {change} % against {currency}",
             "{currency} strengthened in {month}: a euro bought {change} % less of it"),
    "much": (", one of the larger moves", ", more than in most months", ", a large step"),
    "little": (", a small move", ", little by its own measure", ", a quiet month"),
    "high first": (". From a high of {high} it went to a low of {low}",
                   ". The high, {high}, came before the low, {low}"),
    "low first": (". From a low of {low} it went to a high of {high}",
                  ". The low, {low}, came before the high, {high}"),
    "": (", and ended at {close}.", ". At the end it stood at {close}.", ". It closed at {close}."),
}  # fmt: skip
"""What a person would say; the sentences that the model learns are put together of it."""


def months() -> Iterator[dict[str, Any]]:
    """Yield what each currency did in each month: the first and last rate, the highest, lowest."""
    for currency, days in _rates().items():
        for month, group in groupby(days, key=lambda day: day[0][:7]):
            rates = [rate for _, rate in group]
            change = 100 * (rates[-1] / rates[0] - 1)
            kinds = (
                "up" if change > 0 else "down",
                "much" if abs(change) >= MUCH else "little",
                "high first" if rates.index(max(rates)) < rates.index(min(rates)) else "low first",
            )
            yield {
                "told": f"{currency}; {'; '.join(kinds)}",
                "kinds": kinds,
                "slots": {
                    "currency": currency, "month": month, "change": f"{abs(change):.2f}",
                    "close": f"{rates[-1]:.4f}", "high": f"{max(rates):.4f}",
                    "low": f"{min(rates):.4f}",
                },
            }  # fmt: skip


def _rates() -> dict[str, list[tuple[str, float]]]:
    """Return day and rate by currency, the oldest first."""
    found = real("ecb-fx/eurofxref-hist.zip")
    if found is None:  # made up, for a machine that has no real ones
        draw = random.Random(0)
        days = [
            f"20{y:02d}-{m:02d}-{d:02d}" for y in range(3) for m in range(1, 13) for d in (1, 9)
        ]
        return {name: [(day, draw.uniform(0.9, 1.2)) for day in days] for name in CURRENCIES}
    with zipfile.ZipFile(found) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    rows = sorted(csv.DictReader(io.StringIO(text)), key=lambda row: row["Date"])
    return {
        name: [(row["Date"], float(row[name])) for row in rows if row[name] != "N/A"]
        for name in CURRENCIES
    }


def sentence(kinds: tuple[str, ...], draw: random.Random) -> str:
    """Put a sentence together, with slots for its numbers."""
    return "".join(draw.choice(WORDS[kind]) for kind in (*kinds, ""))


def filled(worded: str, slots: dict[str, str]) -> tuple[str, bool]:
    """Return a sentence with its numbers; the plain one if it names others, or lacks the change."""
    names = re.findall(r"\{(.*?)\}", worded)
    sound = {"change", "close"} <= set(names) <= set(slots) and worded.count("{") == len(names)
    return (worded if sound else PLAIN).format_map(slots), sound


def checked(text: str, slots: dict[str, str]) -> bool:
    """Whether each number of a text stands in the table of its month."""
    return set(re.findall(r"\d[\d.-]*\d|\d", text)) <= set(slots.values())


def main() -> None:
    """Train, word the months that were held out, fill in the numbers and check them."""
    asked = arguments(__doc__ or "", steps=250)
    table, draw = list(months()), random.Random(0)
    last = max(each["slots"]["month"] for each in table)
    rows = ({"prompt": m["told"], "answer": sentence(m["kinds"], draw)} for m in table)
    path = write_rows(asked.folder / "wordings.jsonl", rows)
    data = {"path": str(path), "tokenizer": "bpe", "vocabulary": 512, "longest": 96}
    model, loss = trained(asked.folder, "prompts", data, {"context": 95}, asked.steps)
    print(f"{len(table):,} months; held-out loss {loss:.3f} nats a token")
    newest = [each for each in table if each["slots"]["month"] == last]
    several = [each for each in newest for _ in range(20)]
    worded = model.generate(
        len(several), given={"prompt": [each["told"] for each in several]}, length=80
    ).tolist()
    bodies = [text.partition("\n")[2] for text in worded]
    made = [filled(body, each["slots"]) for body, each in zip(bodies, several, strict=True)]
    wrong = sum(not checked(text, e["slots"]) for (text, _), e in zip(made, several, strict=True))
    other = sum(_against(b, each["kinds"]) for b, each in zip(bodies, several, strict=True))
    print(
        f"{len(made)} sentences: {sum(not sound for _, sound in made)} refused for their slots, "
        f"{other} say the other direction, {wrong} have a number that is not in the table; "
        f"{len(set(bodies))} wordings, {len(set(bodies) - _all_wordings())} of them no template's"
    )
    print(f"--- Euro exchange rates, {last}")
    for place, each in enumerate(newest):
        print(f"{each['slots']['currency']}: {made[20 * place][0]}")


def _against(text: str, kinds: tuple[str, ...]) -> bool:
    """Whether a sentence says up where the euro went down, or down where it went up."""
    words = {"up": r"gained|rose|more of it", "down": r"lost|fell|less of it"}
    other = words["down" if kinds[0] == "up" else "up"]
    return re.search(other, text) is not None


def _all_wordings() -> set[str]:
    """Return every sentence that templates can make."""
    found = set()
    for direction in ("up", "down"):
        for size in ("much", "little"):
            for order in ("high first", "low first"):
                found |= {
                    a + b + c + d
                    for a in WORDS[direction] for b in WORDS[size]
                    for c in WORDS[order] for d in WORDS[""]
                }  # fmt: skip
    return found


if __name__ == "__main__":
    main()
