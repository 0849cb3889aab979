"""Product copy: a line of advertising from a product's category, style and name.

python product_copy.py FOLDER [--steps N]
"""

from __future__ import annotations

import json
import re

from recipe import arguments, held_out, real, trained, write_rows

ASKED = 64
SMALL = [
    {"category": kind, "style": style, "name": f"{colour.title()} {style.title()}",
     "description": f"This {colour} {style} is made for everyday use. It lasts."}
    for kind, style in (("furniture", "chair"), ("furniture", "table"), ("shoes", "boot"))
    for colour in ("red", "blue", "green", "black", "white", "grey")
]  # fmt: skip
"""Products for a machine that has no real ones."""


def main() -> None:
    """Train, write a line for products that were held out, and count what it says of them."""
    asked = arguments(__doc__ or "", steps=400)
    found = real("product-copy/products.jsonl")
    products = SMALL
    if found is not None:
        products = [json.loads(line) for line in found.read_text(encoding="utf-8").splitlines()]
    rows = (
        {
            "prompt": f"{each['category']}, {each['style']}: {each['name']}",
            "answer": re.split(r"(?<=[.!?])\s", each["description"])[0],
        }
        for each in products
    )
    table = write_rows(asked.folder / "lines.jsonl", rows)
    data = {"path": str(table), "tokenizer": "bpe", "vocabulary": 1024, "longest": 72}
    model, loss = trained(asked.folder, "prompts", data, {"context": 71}, asked.steps, 16)
    print(f"{len(products):,} products; held-out loss {loss:.3f} nats a token")
    prompts, answers = held_out(asked.folder, ASKED)
    written = model.generate(
        len(prompts), given={"prompt": prompts}, length=60, temperature=0.7
    ).tolist()
    lines = [text.partition("\n")[2] for text in written]
    for whose, texts in (("the model's", lines), ("the shop's", answers)):
        style = sum(_has(text, _style(p)) for text, p in zip(texts, prompts, strict=True))
        name = sum(
            any(_has(text, word) for word in _name(p))
            for text, p in zip(texts, prompts, strict=True)
        )
        print(
            f"{whose} lines for {len(prompts)} held-out products: {style} have the style, "
            f"{name} a word of the name"
        )
    (again,) = model.generate(1, given={"prompt": prompts[:1]}, length=60, beams=4).tolist()
    for text in written[:5]:
        print(f"---\n{text}")
    print(f"--- the first once more, by 4 beams\n{again}")


def _style(prompt: str) -> str:
    return prompt.partition(":")[0].partition(", ")[2].replace("-", " ")


def _name(prompt: str) -> list[str]:
    return [word for word in prompt.partition(": ")[2].split() if word.lower() != _style(prompt)]


def _has(text: str, word: str) -> bool:
    return word.lower() in text.lower()


if __name__ == "__main__":
    main()
