"""From noise, labels and items to items, in arrays: what a trained model does for people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from genkit.errors import UsageError
from genkit.plugins.names import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from genkit.plugins.specs import Schema

BATCH = 64
Label: TypeAlias = int | str | Sequence[int | str] | None


class Generating:
    """The part of ``genkit.Model`` that takes and gives numpy arrays; it compiles what it runs."""

    schema: Schema | None
    assets: Mapping[str, np.ndarray]

    conditional = False
    """Whether ``decode`` takes a ``label`` too: class numbers, int32 of shape ``(batch,)``."""

    modality: str | None = None
    """Modality of its first output field; None for a model without a ``ModelSpec``."""

    output_fields: tuple[str, ...] = ()
    """Names of the fields of the schema that it generates; ``bind`` sets them."""

    input_fields: tuple[str, ...] = ()
    """Names of the first fields of what its ``ModelSpec`` accepts; ``bind`` sets them."""

    options: Mapping[str, str] = {}
    """References to classes of options by capability, as in its ``ModelSpec``."""

    def __init__(self) -> None:
        super().__init__()
        self._inference: dict[tuple[Any, ...], Callable[..., np.ndarray]] = {}

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
        """
        raise NotImplementedError(f"{type(self).__name__} defines no decode.")

    def generate(self, n: int, seed: int = 0, label: Label = None, **options: Any) -> np.ndarray:
        """Generate items.

        Item ``i`` depends only on ``(seed, i)``, its label and the options: ten are the first ten
        of a hundred, to the bit. What is given back was not reviewed: reviewers look at what
        commands write.

        Args:
            n: how many, at least 1.
            seed: 0 to 2**31 - 1.
            label: for a conditional model, the class of all, by number or name, or one for each.
                Without it the classes take turns.
            **options: what this model takes: ``genkit info MODEL`` lists them.

        Returns:
            float32 array of shape ``(n, ...)`` in the range the schema states.

        Raises:
            UsageError: a number out of range, no such class or option, or the model takes no label.
        """
        return np.concatenate(list(self.generate_batches(n, seed, label, **options)))

    def generate_batches(
        self, n: int, seed: int = 0, label: Label = None, *, begin: int = 0, **options: Any
    ) -> Iterator[np.ndarray]:
        """Generate the same items bit by bit, in memory that doesn't grow with ``n``.

        Args:
            n: how many, at least 1.
            seed: 0 to 2**31 - 1.
            label: as for ``generate``.
            begin: the first item to generate; those before it are left out.
            **options: as for ``generate``.

        Yields:
            float32 arrays of at most 64 items each, in the range the schema states.
        """
        from genkit.data import noise_for_samples

        if n < 1:
            raise UsageError(f"Expected a number of samples of at least 1; received {n}.")
        given = self.parse_options("generate", options)
        asked = self.conditional or label is not None
        labels = self.class_numbers(n, label) if asked else None
        for start in range(begin, n, BATCH):
            # Always full batches: another batch size could round differently.
            indices = range(start, start + BATCH)
            inputs = noise_for_samples(self.noise, seed, indices)
            if labels is not None:
                inputs["label"] = _filled(labels[start : start + BATCH])
            batch = self._run("decode", inputs, given)
            yield batch[: n - start].astype("float32", copy=False)

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

    def classes(self) -> tuple[str, ...]:
        """Name the classes that a conditional model knows, in order of their numbers."""
        assert self.schema is not None, "a conditional model is built from its schema"
        from genkit.data import vocabulary_of

        return vocabulary_of(self.schema, self.schema.name_of("label"), self.assets)

    def class_number(self, label: int | str) -> int:
        """Return the number of a class.

        Args:
            label: an integer is the number itself. Text is the class' name, or else its number,
                unless classes are called by numbers: there ``"2"`` is the class "2" or none.

        Raises:
            UsageError: the model takes no label, or knows no such class.
        """
        if not self.conditional:
            raise UsageError(
                f"{type(self).__name__} takes no label: it knows no classes.",
                "Train a model that generates by label, on data with labels: "
                "docs/how-to/generate-by-label.md",
            )
        classes = self.classes()
        number = label
        if isinstance(label, str):
            if label in classes:
                return classes.index(label)
            number = int(label) if label.isdecimal() and not _called_by_numbers(classes) else -1
        if not 0 <= int(number) < len(classes):
            raise UsageError(
                f"Expected one of {_listed(classes)}; received {label!r}.",
                suggestion(label, classes) if isinstance(label, str) else "",
            )
        return int(number)

    def class_numbers(self, n: int, label: Label) -> np.ndarray:
        """Return the numbers of the classes of ``n`` items, int32 of shape ``(n,)``.

        Args:
            n: how many items.
            label: the class of all, or one for each; without it the classes take turns.

        Raises:
            UsageError: as for ``class_number``; or another number of labels than of items.
        """
        if label is None:
            return np.arange(n, dtype=np.int32) % np.int32(len(self.classes()))
        if isinstance(label, (int, np.integer, str)):
            return np.full(n, self.class_number(label), np.int32)
        if len(label) != n:
            raise UsageError(f"Expected one label, or {n} of them; received {len(label)}.")
        return np.array([self.class_number(each) for each in label], np.int32)

    def _run(
        self, method: str, inputs: dict[str, np.ndarray], options: Mapping[str, Any] | None = None
    ) -> np.ndarray:
        """Run a method that takes and gives tensors; compiled anew for options but floats."""
        from genkit import engine
        from genkit.engine.base import split_schedule
        from genkit.engine.batch import checked_batch

        static, floats = split_schedule(options or {})
        if (method, static) not in self._inference:
            fn = partial(getattr(self, method), **dict(static)) if static else getattr(self, method)
            self._inference[method, static] = engine.create(self).compile_inference(fn)  # type: ignore[arg-type]
        scalars = {name: np.asarray(value) for name, value in floats.items()}
        return self._inference[method, static](**checked_batch({**inputs, **scalars}))

    def map_items(
        self, method: str, options: Mapping[str, Any] | None = None, /, **arrays: np.ndarray
    ) -> np.ndarray:
        """Run a method that maps tensors to a tensor over arrays of any length.

        Args:
            method: its name; it is called with the arrays' rows by name, 64 at a time.
            options: more arguments by name, as ``decode`` takes them: a float comes as a float32
                scalar tensor, another value as it is, and chooses a compiled variant.
            **arrays: the same number of rows each, at least one.

        Returns:
            its results, one row for each.
        """
        n = len(next(iter(arrays.values())))
        results = []
        for start in range(0, n, BATCH):
            rows = {name: _filled(array[start : start + BATCH]) for name, array in arrays.items()}
            results.append(self._run(method, rows, options)[: n - start])
        return np.concatenate(results)


def _filled(rows: np.ndarray) -> np.ndarray:
    """Repeat the last row up to a full batch: another batch size could round differently."""
    missing = BATCH - len(rows)
    return np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)]) if missing else rows


def _called_by_numbers(classes: Sequence[str]) -> bool:
    return any(re.fullmatch(r"[-+]?\d+([.,]\d+)?", name) for name in classes)


def _listed(classes: Sequence[str]) -> str:
    most = 12
    plain = _called_by_numbers(classes)
    shown = ", ".join(
        name if plain else f"{number} ({name})" for number, name in enumerate(classes[:most])
    )
    last = classes[-1] if plain else len(classes) - 1
    return f"{shown}, ... {last}" if len(classes) > most else shown
