"""Stories: a model of fairy tales, which goes on from a beginning.

python stories.py FOLDER [--steps N]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from recipe import arguments, real, trained, write_rows

BOOKS = ("grimm.txt", "bryant-stories.txt")
BEGINNINGS = ("There was once a king who had", "The old woman said to the fox,")
_TITLE = re.compile(r"^(?=.*[A-Z]{3})[A-Z][A-Z ,.'-]{5,}$", re.MULTILINE)
_SHORTEST = 400  # characters of a tale; what is shorter is a preface or a list of contents

SMALL = [
    f"Once a {who} lived {where}. One day the {who} met a fox. 'Where do you go?' said the fox. "
    f"'Home,' said the {who}, and went on {where}.\n"
    for who in ("king", "miller", "goose", "tailor", "widow", "smith", "fisherman", "queen", "bear")
    for where in ("in a wood", "by a river", "on a hill", "in a tower", "by the sea", "in a mill")
]
"""Tales for a machine that has no real ones."""


def tales(books: Path) -> Iterator[str]:
    """Part books into tales, at titles in capitals; lines of a paragraph become one."""
    for name in BOOKS:
        for part in _TITLE.split((books / name).read_text(encoding="utf-8")):
            paragraphs = re.split(r"\n\s*\n", part.strip())
            tale = "\n".join(" ".join(each.split()) for each in paragraphs)
            if len(tale) >= _SHORTEST:
                yield f"{tale}\n"


def main() -> None:
    """Train, and tell a story from each beginning."""
    asked = arguments(__doc__ or "", steps=900)
    books = real("gutenberg-tales")
    texts = SMALL if books is None else list(tales(books))
    table = write_rows(asked.folder / "tales.jsonl", ({"text": text} for text in texts))
    print(f"{len(texts)} tales, {sum(map(len, texts)):,} characters")
    model, loss = trained(
        asked.folder,
        "text",
        {"path": str(table), "tokenizer": "bpe", "vocabulary": 1024},
        {"context": 96},
        asked.steps,
    )
    print(f"held-out loss {loss:.3f} nats a token, of {model.tokenizer.size} tokens")
    written = model.generate(
        len(BEGINNINGS), given={"prompt": list(BEGINNINGS)}, length=160, temperature=0.7, top_p=0.95
    )
    for text in written:
        print(f"---\n{text}")


if __name__ == "__main__":
    main()
