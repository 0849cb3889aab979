"""Quiz: a model that is asked questions, and how many of its answers are right.

python quiz.py FOLDER [--steps N]
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from recipe import arguments, held_out, real, trained, write_rows

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
    four = [each for each in questions if len(each["choices"]) == CHOICES]
    rows = [
        {"prompt": f"{each['question']} {' / '.join(each['choices'])}", "answer": each["answer"]}
        for each in four
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
    choices = {row["prompt"]: each["choices"] for row, each in zip(rows, four, strict=True)}
    taken = [likeliest(model, prompt, choices[prompt]) for prompt in prompts]
    right = sum(one == answer for one, answer in zip(taken, answers, strict=True))
    print(f"where it may only choose: {right} right, {100 * right / len(taken):.0f} %")
    for text, answer in list(zip(written, answers, strict=True))[:5]:
        print(f"---\n{text}   (right: {answer})")


def likeliest(model: Any, prompt: str, choices: list[str]) -> str:
    """Return the choice that surprises a model least behind a prompt, by the token."""
    (begun,) = model.encode_condition("prompt", [prompt])
    end = [model.tokenizer.end]
    answers = [np.concatenate([model.tokenizer.encode(each), end]) for each in choices]
    windows = np.zeros((len(choices), model.config.context + 1), np.int32)
    for row, answer in zip(windows, answers, strict=True):
        whole = np.concatenate([begun, answer])[: len(row)]
        row[: len(whole)] = whole
    nats = model.map_items("surprise", window=windows)
    means = [
        row[len(begun) - 1 : len(begun) - 1 + len(answer)].mean()
        for row, answer in zip(nats, answers, strict=True)
    ]
    return choices[int(np.argmin(means))]


if __name__ == "__main__":
    main()
