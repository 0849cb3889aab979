"""Names: a model that makes up given names, and how many of them are new.

python names.py FOLDER [--steps N]
"""

from __future__ import annotations

from recipe import arguments, real, trained, write_rows

MADE = 1000
BEGINNINGS = ("mar", "el", "jo", "an", "ro", "li", "ca", "da", "e", "he", "ka", "mi", "sa", "te")
SMALL = [a + b for a in BEGINNINGS for b in ("a", "ia", "en", "na", "s", "nie", "lyn", "ron")]
"""Names for a machine that has no real ones."""


def main() -> None:
    """Train, make names up, and count those that the data has."""
    asked = arguments(__doc__ or "", steps=1000)
    found = real("names/names.txt")
    names = sorted(set(SMALL if found is None else found.read_text(encoding="utf-8").split()))
    table = write_rows(asked.folder / "names.jsonl", ({"text": name} for name in names))
    print(f"{len(names):,} names")
    model, loss = trained(
        asked.folder, "text", {"path": str(table), "block": 16}, {"context": 32}, asked.steps
    )
    print(f"held-out loss {loss:.3f} nats a letter")
    made = model.generate(MADE, length=20).tolist()
    different, known = set(made), set(names)
    print(f"{MADE} made: {len(different)} different, {len(different - known)} that the data lacks")
    print("drawn:          ", ", ".join(made[:10]))
    likeliest = model.generate(10, given={"prompt": "mar"}, length=20, temperature=0.5).tolist()
    print("beginning 'mar':", ", ".join(dict.fromkeys(likeliest)))


if __name__ == "__main__":
    main()
