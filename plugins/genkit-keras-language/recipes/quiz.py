"""Quiz: a model that is asked questions, and how many of its answers are right.

python quiz.py FOLDER [--steps N]
"""

from __future__ import annotations

import json

from common import arguments, held_out, real, trained, write_rows

ASKED = 400
CHOICES = 4
SMALL = [
    {"question": f"Which is the {what}?", "choices": [str(n), str(n + 1), str(n + 2), str(n + 3)],
     "answer": str(n + 3 if what == "largest" else n)}
    for n in range(20) for what in ("largest", "smallest")
]  # fmt: skip
"""Questions for a machine that has no real ones."""


def main() -> None:
    """Train, ask questions that were held out, and count the right answers."""
    asked = arguments(__doc__ or "", steps=700)
    found = real("open-trivia/trivia.jsonl")
    questions = SMALL
    if found is not None:
        questions = [json.loads(line) for line in found.read_text(encoding="utf-8").splitlines()]
    rows = [
        {"prompt": f"{each['question']} {' / '.join(each['choices'])}", "answer": each["answer"]}
        for each in questions
        if len(each["choices"]) == CHOICES
    ]
    table = write_rows(asked.folder / "questions.jsonl", rows)
    data = {"path": str(table), "tokenizer": "bpe", "vocabulary": 1024, "longest": 72}
    model, loss = trained(asked.folder, "prompts", data, {"context": 71}, asked.steps, 16)
    print(f"{len(rows):,} questions; held-out loss {loss:.3f} nats a token")
    prompts, answers = held_out(asked.folder, ASKED)
    written = model.generate(
        len(prompts), given={"prompt": prompts}, length=24, temperature=0.0
    ).tolist()
    said = [text.partition("\n")[2] for text in written]
    offered = sum(one in prompt for one, prompt in zip(said, prompts, strict=True))
    right = sum(one == answer for one, answer in zip(said, answers, strict=True))
    share, guess = 100 * right / len(said), 100 / CHOICES
    print(
        f"of {len(said)} held-out questions {right} are answered right, {share:.0f} %, where a "
        f"guess has {guess:.0f} %; {offered} answers are in the question"
    )
    for text, answer in list(zip(written, answers, strict=True))[:5]:
        print(f"---\n{text}   (right: {answer})")


if __name__ == "__main__":
    main()
