"""A model's methods on arrays: compiled, and always in batches of one size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


class Inference:
    """The part of ``genkit.Model`` that takes and gives numpy arrays; it compiles what it runs."""

    generation_batch = 64
    """How many items it computes at a time, a power of two, always filled up: another number may
    round differently. Small items, as rows of a table, are made faster in large batches."""

    noise_block = 1
    """How many items share a stream of noise, a power of two: 1 draws each item's noise by itself,
    1024 and more are for items whose noise would take longer than they do. Part of what makes an
    item: a model that changes it generates others."""

    def __init__(self) -> None:
        super().__init__()
        self._inference: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def _checked_generation_batch(self) -> int:
        for name in ("generation_batch", "noise_block"):
            size = getattr(self, name)
            if not isinstance(size, int) or size < 1 or size & (size - 1):
                raise UsageError(f"Expected {name} to be a power of two; received {size!r}.")
        return self.generation_batch

    def _run_method(
        self,
        method: str,
        inputs: Mapping[str, np.ndarray],
        options: Mapping[str, Any] | None = None,
        *,
        fetch: bool = True,
    ) -> Any:
        """Run a method that takes and gives tensors; compiled anew for options but floats.

        Args:
            method: its name.
            inputs: its arguments.
            options: more arguments, as ``decode`` takes them.
            fetch: return arrays; or else tensors, which stay on the device.
        """
        from genkit.engine.batch import checked_batch
        from genkit.engine.steps import split_schedule

        static, floats = split_schedule(options or {})
        scalars = {name: np.asarray(value) for name, value in floats.items()}
        compiled = self._compiled(method, static, fetch=fetch)
        return compiled(**checked_batch({**inputs, **scalars}))

    def _compiled(
        self, method: str, static: tuple[tuple[str, Any], ...] = (), *, fetch: bool = True
    ) -> Callable[..., Any]:
        """Return the compiled form of a method, with some arguments fixed."""
        from genkit import engine

        key = (method, static, fetch)
        if key not in self._inference:
            fn = partial(getattr(self, method), **dict(static)) if static else getattr(self, method)
            self._inference[key] = engine.create(self).compile_inference(fn, fetch=fetch)  # type: ignore[arg-type]
        return self._inference[key]

    def map_items(
        self, method: str, options: Mapping[str, Any] | None = None, /, **arrays: np.ndarray
    ) -> np.ndarray:
        """Run a method that maps tensors to a tensor over arrays of any length.

        Args:
            method: its name; it is called with the arrays' rows by name, ``generation_batch`` at a
                time.
            options: more arguments by name, as ``decode`` takes them: a float comes as a float32
                scalar tensor, another value as it is, and chooses a compiled variant.
            **arrays: the same number of rows each, at least one.

        Returns:
            its results, one row for each.
        """
        n, batch = len(next(iter(arrays.values()))), self._checked_generation_batch()
        results = []
        for start in range(0, n, batch):
            rows = {k: filled(array[start : start + batch], batch) for k, array in arrays.items()}
            results.append(self._run_method(method, rows, options)[: n - start])
        return np.concatenate(results)


def filled(rows: np.ndarray, batch: int) -> np.ndarray:
    """Repeat the last row up to a full batch: another batch size could round differently."""
    missing = batch - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)]) if missing else rows
