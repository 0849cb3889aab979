"""From noise, labels and items to items, in arrays: what a trained model does for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.noise import noise_for_samples
from genkit.errors import UsageError
from genkit.models.conditional import Conditional, Label
from genkit.models.given import Given
from genkit.models.inference import Inference, filled
from genkit.models.outputs import Items, alone, concatenated, presented, same_items

if TYPE_CHECKING:
    from genkit.plugins.specs import Schema

_COMPARED = 4  # items


class Generating(Conditional, Inference):
    """The part of ``genkit.Model`` that generates: from noise and conditions to items."""

    modality: str | None = None
    """Modality of its first output field; None for a model without a ``ModelSpec``."""

    output_fields: tuple[str, ...] = ()
    """Names of the fields of the schema that it generates; ``bind`` sets them."""

    input_fields: tuple[str, ...] = ()
    """Names of the first fields of what its ``ModelSpec`` accepts; ``bind`` sets them."""

    options: Mapping[str, str] = {}
    """References to classes of options by capability, as in its ``ModelSpec``."""

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:  # noqa: ARG002
        """Draw the random input of ``n`` items on the host; serves training and generation.

        Args:
            rng: the only source of randomness to use.
            n: number of items.

        Returns:
            float32 arrays by name, first axis ``n``: part of the batch in training, the
            arguments of ``decode`` in generation.
        """
        return {}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw what is random in a training batch, where that is more than ``noise``.

        Args:
            rng: the only source of randomness to use.
            n: number of items.

        Returns:
            float32 arrays by name, first axis ``n``.
        """
        return self.noise(rng, n)

    def decode(self, *args: Any, **noise: Any) -> Any:
        """Turn noise into items in the schema's range; tensors in, tensors out.

        Called with what ``noise`` draws, by name; with ``label`` too if it is ``conditional``; and
        with options, as ``generate`` takes them: a float comes as a float32 scalar tensor, another
        value as it is, and chooses a compiled variant.

        Returns:
            a tensor, or a dict of tensors by output field, in the fields' own dtypes as far as the
            backend has them; beside a field may stand ``<field>_length``, int32, how long each
            item is, and ``<field>_missing``, bool, which values are absent.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no decode.")

    def present(self, items: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Turn what was decoded into what people hold: numbers of tokens into text, for example.

        Runs on the host, and may use ``assets``. By default items stay as they are.

        Args:
            items: by output field, cut to their lengths: an array with the items on its first
                axis; of a field that varies in length an object array of arrays; with values that
                are missing a ``numpy.ma.MaskedArray``.

        Returns:
            the same fields, one item for each that came in.
        """
        return items

    def generate(
        self,
        n: int,
        seed: int = 0,
        label: Label = None,
        *,
        given: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        """Generate items.

        Item ``i`` depends only on ``(seed, i)``, its conditions and the options: ten are the first
        ten of a hundred, to the bit. What is given back was not reviewed: reviewers look at what
        commands write.

        Args:
            n: how many, at least 1.
            seed: 0 to 2**31 - 1.
            label: for a conditional model, the class of all, by number or name, or one for each.
                Without it the classes take turns.
            given: values by condition, ``model.conditions``: one for all, or a list or array of one
                for each, in which None stands for a value that isn't given.
            **options: what this model takes: ``genkit info MODEL`` lists them.

        Returns:
            array of shape ``(n, ...)``, float32 in the range the schema states for images and what
            else is computed with; a dict of arrays by field if there are several output fields.
            See ``generate_items``.

        Raises:
            UsageError: a number out of range, no such class, option or condition, a value that no
                item of the data has, or a condition is missing.
        """
        items = self.generate_items(n, seed, label, given=given, **options)
        return alone(concatenated(list(items)))

    def generate_batches(
        self,
        n: int,
        seed: int = 0,
        label: Label = None,
        *,
        given: Mapping[str, Any] | None = None,
        begin: int = 0,
        **options: Any,
    ) -> Iterator[Any]:
        """Generate the same items bit by bit, in memory that doesn't grow with ``n``.

        Args:
            n: how many, at least 1.
            seed: 0 to 2**31 - 1.
            label: as for ``generate``.
            given: as for ``generate``.
            begin: the first item to generate; those before it are left out.
            **options: as for ``generate``.

        Returns:
            batches: what ``generate`` returns, at most ``generation_batch`` items each.
        """
        return map(alone, self.generate_items(n, seed, label, given=given, begin=begin, **options))

    def generate_items(
        self,
        n: int,
        seed: int = 0,
        label: Label = None,
        *,
        given: Mapping[str, Any] | None = None,
        begin: int = 0,
        **options: Any,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Generate the same items, by output field however many there are.

        Args:
            n: how many, at least 1.
            seed: 0 to 2**31 - 1.
            label: as for ``generate``.
            given: as for ``generate``.
            begin: the first item to generate; those before it are left out.
            **options: as for ``generate``.

        Returns:
            batches: arrays by field, as ``present`` returns them, at most ``generation_batch``
            items each.

        Raises:
            UsageError: as for ``generate``.
            PluginError: ``decode`` or ``present`` returns other fields, or other numbers of items.
        """
        if n < 1:
            raise UsageError(f"Expected a number of samples of at least 1; received {n}.")
        parsed = self.parse_options("generate", options)
        asked = Given(self, n, label, given)
        return self._generated(
            asked, range(begin, n, self._checked_generation_batch()), seed, parsed
        )

    def same_bits(self, batch: int, **asked: Any) -> bool:
        """Whether items made ``batch`` at a time are those of ``generation_batch``, to the bit.

        A slider that shows one item at once sets ``model.generation_batch = 1``. Whether that
        changes an item depends on the model, the backend and the device; here they are compared.

        Args:
            batch: a power of two.
            **asked: as for ``generate``: a seed, conditions, options.
        """
        usual, made = self.generation_batch, []
        try:
            for size in (usual, batch):
                self.generation_batch = size
                made.append(concatenated(list(self.generate_items(_COMPARED, **asked))))
        finally:
            self.generation_batch = usual
        return same_items(*made)

    def _generated(
        self, asked: Given, starts: range, seed: int, options: Mapping[str, Any]
    ) -> Iterator[Items]:
        batch = starts.step
        for start in starts:
            rows = range(start, start + batch)
            noise = noise_for_samples(self.noise, seed, rows, self.noise_block)
            groups = list(asked.groups(start, min(starts.stop, start + batch)))
            made = []
            for places in groups:
                mine = noise if len(groups) == 1 else {k: v[places] for k, v in noise.items()}
                inputs = {**mine, **asked.inputs(start + places)}
                # Always full batches: another batch size could round differently.
                full = {name: filled(rows, batch) for name, rows in inputs.items()}
                made.append(presented(self, self._run_method("decode", full, options), len(places)))
            yield concatenated(made, np.concatenate(groups))

    def parse_options(self, capability: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check options against the class that the model's spec names for a capability.

        Args:
            capability: what they are for.
            options: values by name.

        Returns:
            the values and the defaults of the others, without those that are None; of a model
            without such a class, what was given.

        Raises:
            UsageError: an unknown option or a bad value.
        """
        if capability not in self.options:
            if options and self.modality is not None:  # one with a spec, which names no options
                raise UsageError(f"The model takes no options; received {', '.join(options)}.")
            return dict(options)
        from genkit.plugins.config import parse
        from genkit.plugins.specs import resolve

        checked = parse(resolve(self.options[capability]), options, f"options of {capability}")
        return {k: v for k, v in checked.model_dump().items() if v is not None}

    def generated_field(self) -> str:
        """Name the first of the output fields: that of the items which ``generate`` gives."""
        assert self.schema is not None, "a model that generates knows its data"
        return (self.output_fields or self.usual_output(self.schema))[0]

    def usual_output(self, schema: Schema) -> tuple[str, ...]:
        """Name the output fields where no ``ModelSpec`` says them: the first that is no label."""
        return (schema.main_field(),)
