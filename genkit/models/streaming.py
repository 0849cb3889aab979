"""Models that make an item step by step: whole, or handed back piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from genkit.data.noise import noise_for_samples
from genkit.engine import loop
from genkit.errors import PluginError, UsageError
from genkit.models.generating import Generating
from genkit.models.given import Given
from genkit.models.inference import filled
from genkit.models.outputs import presented

if TYPE_CHECKING:
    from genkit.models.conditional import Label

_INCOMPLETE = "\ufffd"  # of a character's bytes, only some are there yet


class Streaming(Generating):
    """The part of ``genkit.Model`` that generates step by step: tokens, frames.

    A model that defines ``first_state``, ``next_state``, ``ended`` and ``result`` needs no
    ``decode``: it goes on until all items of a batch have ended, in one compiled loop.
    """

    @property
    def can_stream(self) -> bool:
        """Whether it generates step by step, so that ``stream`` can hand back pieces."""
        return type(self).first_state is not Streaming.first_state

    def first_state(self, **inputs: Any) -> Any:
        """Return the state before the first step; tensors in, tensors out.

        Args:
            **inputs: what ``decode`` is called with. What steps need of it belongs into the state.

        Returns:
            nested dicts of tensors, first axis the batch, of their full size from the start: what
            is written so far, a key-value cache, the place. It stays on the device.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no first_state.")

    def next_state(self, state: Any) -> Any:
        """Do one step, for all items; what has ended already must stay as it is.

        Args:
            state: as ``first_state`` returns it.

        Returns:
            the new state, of the same structure, shapes and dtypes.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no next_state.")

    def ended(self, state: Any) -> Any:
        """Return which items have ended, at a stop token or at their longest.

        Args:
            state: as ``first_state`` returns it.

        Returns:
            bool tensor of shape ``(batch,)``.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no ended.")

    def result(self, state: Any) -> Any:
        """Return what ``decode`` returns, of what is made so far.

        Args:
            state: as ``first_state`` returns it.

        Returns:
            as ``decode``; with ``<field>_length``, int32, how long each item is so far.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no result.")

    def decode(self, *args: Any, **noise: Any) -> Any:
        if not self.can_stream:
            return super().decode(*args, **noise)
        return self.result(self._continued(self.first_state(*args, **noise)))

    def stream(
        self,
        seed: int = 0,
        label: Label = None,
        *,
        given: Mapping[str, Any] | None = None,
        item: int = 0,
        every: int = 1,
        **options: Any,
    ) -> Iterator[Any]:
        """Generate one item, and yield what is new of it while it is made.

        The pieces together are the item that ``generate`` returns, to the bit. A second call
        compiles nothing, however long its prompt is within the same bucket.

        Args:
            seed: 0 to 2**31 - 1.
            label: as for ``generate``, of this item.
            given: as for ``generate``, of this item.
            item: its number.
            every: steps between two pieces, at least 1.
            **options: as for ``generate``.

        Yields:
            text, or rows of an array, as ``present`` returns them; none is empty. Text whose last
            character is not complete yet waits for the next piece.

        Raises:
            UsageError: the model doesn't generate step by step, or has several output fields; and
                as for ``generate``.
            PluginError: ``result`` doesn't say how long items are.
        """
        self._check_stream(item, every)
        state = self._begun(seed, label, given, item, self.parse_options("generate", options))
        advance = self._compiled("_advanced", fetch=False)
        shown, ended = None, False
        while not ended:
            advanced = advance(state=state, steps=np.asarray(every, np.int32))
            state, ended = advanced["state"], bool(ops.convert_to_numpy(advanced["ended"]))
            whole = self._so_far(advanced["result"])
            if isinstance(whole, str) and not ended:
                whole = whole.rstrip(_INCOMPLETE)
            piece = whole if shown is None else whole[len(shown) :]
            if len(piece):
                shown = whole
                yield piece

    def _so_far(self, result: Any) -> Any:
        """Return the first item as people hold it, as long as it is so far."""
        field = self.generated_field()
        length = f"{field}_length"
        if not isinstance(result, Mapping) or length not in result:
            raise PluginError(
                f"Expected result of {type(self).__name__} to return {length}, how long each item "
                "is so far; it doesn't.",
                f"Return {{{field!r}: ..., {length!r}: ...}}, int32 of shape (batch,).",
            )
        arrays = {name: ops.convert_to_numpy(tensor) for name, tensor in result.items()}
        item = presented(self, arrays, 1)[field][0]
        assert self.schema is not None, "a model that generates knows its data"
        # Of a field that doesn't vary nobody has cut it: a picture, row by row.
        return item if self.schema[field].varies else item[: arrays[length][0]]

    def _check_stream(self, item: int, every: int) -> None:
        name = type(self).__name__
        if not self.can_stream:
            raise UsageError(
                f"{name} makes its items at once; it has no pieces to hand back.",
                "Call generate, or define first_state, next_state, ended and result.",
            )
        if len(self.output_fields) > 1:
            raise UsageError(
                f"Expected a model with one output field to stream; {name} generates "
                f"{', '.join(self.output_fields)}.",
                "Call generate.",
            )
        if every < 1 or item < 0:
            raise UsageError(
                f"Expected every from 1 and item from 0 on; received {every} and {item}."
            )

    def _begun(
        self,
        seed: int,
        label: Label,
        given: Mapping[str, Any] | None,
        item: int,
        options: Mapping[str, Any],
    ) -> Any:
        """Return the state before the first step, of a batch that one item fills, on the device."""
        place = np.array([item])
        inputs = {
            **noise_for_samples(self.noise, seed, range(item, item + 1), self.noise_block),
            **Given(self, item + 1, label, given).inputs(place),
        }
        # The batch of `generate`: another batch size could round differently.
        full = {name: filled(rows, self.generation_batch) for name, rows in inputs.items()}
        return self._run_method("first_state", full, options, fetch=False)

    def _advanced(self, state: Any, steps: Any) -> dict[str, Any]:
        state = self._continued(state, steps)
        ended = ops.all(self.ended(state))
        return {"state": state, "result": self.result(state), "ended": ended}

    def _continued(self, state: Any, steps: Any = None) -> Any:
        return loop(
            lambda _, state: self.next_state(state),
            state,
            steps,
            until=lambda state: ops.all(self.ended(state)),
        )
