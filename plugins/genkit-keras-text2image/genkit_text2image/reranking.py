"""Of several candidates for each prompt, the one that a ``clip`` finds nearest to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from genkit.errors import UsageError


class Candidates:
    """A choice among pictures of one prompt (Ramesh et al. 2021, section 2.6).

    Args:
        judge: a trained ``clip``.
        each: candidates of a prompt.

    Raises:
        UsageError: another model as judge.
    """

    def __init__(self, judge: Any, each: int) -> None:
        self.judge, self.each = checked_judge(judge), each

    def for_each(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return conditions of items as those of their candidates."""
        return {name: self._repeated(value) for name, value in (given or {}).items()}

    def best(
        self, batches: Iterator[Mapping[str, np.ndarray]], prompts: Sequence[str], size: int
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yield the best candidates, ``size`` at a time.

        Args:
            batches: candidates, those of the first prompt first, by output field, of which there
                is one.
            prompts: one for ``each`` candidates.
            size: of the batches that are yielded; the last may be smaller.
        """
        waiting: list[np.ndarray] = []
        chosen: list[np.ndarray] = []
        left = iter(prompts)
        for batch in batches:
            ((field, pictures),) = batch.items()
            waiting.extend(pictures)
            while len(waiting) >= self.each:
                some, waiting = np.stack(waiting[: self.each]), waiting[self.each :]
                nearness = self.judge.similarity(some, [next(left)] * self.each)
                chosen.append(some[int(np.argmax(nearness))])
                if len(chosen) == size:
                    yield {field: np.stack(chosen)}
                    chosen = []
        if chosen:
            yield {field: np.stack(chosen)}

    def _repeated(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [one for one in value for _ in range(self.each)]
        return np.repeat(value, self.each, axis=0) if np.ndim(value) > 1 else value


def checked_judge(judge: Any) -> Any:
    """Return a model that can tell how near pictures are to texts.

    Raises:
        UsageError: it can't.
    """
    if callable(getattr(judge, "similarity", None)):
        return judge
    raise UsageError(
        f"Expected a run of clip as the judge; received a {type(judge).__name__}.",
        "Train one: genkit run clip --dataset NAME",
    )
