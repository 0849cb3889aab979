"""What a model of several modalities does for people, in arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops

from genkit.data import noise_for_samples
from genkit.errors import UsageError
from genkit_multimodal.models.multimodal import MultimodalVAE
from genkit_multimodal.posteriors import normal_log_density

Items = Mapping[str, np.ndarray]
_AT_ONCE = 10  # latents an item in one pass of likelihoods
_ITEM = "item_"  # stands before a field's name among the arguments of a method on tensors


class Translating(MultimodalVAE):
    """A model of several modalities that takes and gives arrays: any fields to any others."""

    def translate(
        self, given: Items, to: Sequence[str] = (), n: int = 1, seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Return other fields of items of which some are given.

        Args:
            given: items of one field or several, in the schema's range, ``(items, ...)`` each.
            to: the fields to make; those that aren't given when left out.
            n: how many answers an item.
            seed: of the answers; those of item ``i`` depend on (seed, i) and what is given alone.

        Returns:
            by field, ``(items, n, ...)``.

        Raises:
            UsageError: no such field, nothing given, or arrays that don't fit.
        """
        if n < 1:
            raise UsageError(f"Expected n of at least 1; received {n}.")
        names = self._known(list(to)) or [name for name in self.modalities if name not in given]
        if not names:
            raise UsageError(f"Expected some of {', '.join(self.modalities)} not to be given.")
        latent = self.latents(given, n, seed)
        return self.decoded_fields(latent, names)

    def between(
        self, first: Items, second: Items, steps: int = 8, seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Walk from items to others in a straight line between latents; decode all fields.

        Args:
            first: items of one field or several, as for ``translate``.
            second: as many items, which may be of other fields.
            steps: how many, at least 2; both ends count.
            seed: of the latents at both ends.

        Returns:
            by field, ``(items, steps, ...)``.

        Raises:
            UsageError: too few steps, or arrays that don't fit.
        """
        starts, ends = (self.latents(items, 1, seed) for items in (first, second))
        if steps < 2 or len(starts) != len(ends):  # noqa: PLR2004
            raise UsageError(
                "Expected as many first items as second ones, and 2 steps or more; received "
                f"{len(starts)}, {len(ends)} and {steps}."
            )
        share = np.linspace(0, 1, steps, dtype="float32")[None, :, None]
        return self.decoded_fields((1 - share) * starts + share * ends, list(self.modalities))

    def latents(self, given: Items, n: int = 1, seed: int = 0) -> np.ndarray:
        """Draw latents of items of which some fields are given: ``(items, n, latent_dim)``."""
        items, count = self._checked(given)
        flags = self._flags(given, count)
        return self.map_items("latent_of", **self._noise(count, n, seed), given=flags, **items)

    def decoded_fields(self, latent: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return fields of latents ``(items, n, latent_dim)``, each ``(items, n, ...)``."""
        flat = latent.reshape(-1, latent.shape[-1])
        made = {name: self.map_items("decoded_field", {"field": name}, z=flat) for name in names}
        return {
            name: each.reshape(*latent.shape[:2], *each.shape[1:]) for name, each in made.items()
        }

    def bound_terms(
        self,
        items: Items,
        of: Sequence[str] = (),
        given: Sequence[str] = (),
        samples: int = 10,
        seed: int = 0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the terms that bounds of likelihoods are made of, for latents drawn from q(z | x).

        Args:
            items: all fields, in the schema's range.
            of: the fields whose likelihood is asked; all when left out.
            given: the fields that the posterior sees; all when left out.
            samples: latents an item.
            seed: of the latents; item ``i``'s depend only on (seed, i).

        Returns:
            ``log p(x | z)`` and ``log p(z) - log q(z | x)``, float64 ``(items, samples)`` each, in
            nats and without the weights of training.
        """
        inputs, count = self._checked(items)
        flags = self._flags(self._known(given) or self.modalities, count)
        noise = self._noise(count, samples, seed)
        names = ",".join(self._known(of) or self.modalities)
        found = []
        for start in range(0, samples, _AT_ONCE):
            part = {name: each[:, start : start + _AT_ONCE] for name, each in noise.items()}
            found.append(self.map_items("terms_of", {"of": names}, **part, given=flags, **inputs))
        likelihood, ratio = np.concatenate(found, axis=2).astype("float64").swapaxes(0, 1)
        return likelihood, ratio

    def latent_of(self, eps: Any, choice: Any, given: Any, **items: Any) -> Any:
        """Draw latents; tensors in, tensors out."""
        return self.joined(self._inputs(items), ops.transpose(given)).draw(choice, eps)

    def decoded_field(self, z: Any, field: str) -> Any:
        """Return a field of latents ``(batch, latent_dim)``; tensors in, tensors out."""
        return self.decode(z)[field]

    def terms_of(self, eps: Any, choice: Any, given: Any, of: str, **items: Any) -> Any:
        """Return both terms of ``bound_terms``, ``(batch, 2, draws)``; tensors in, tensors out."""
        inputs = self._inputs(items)
        posterior = self.joined(inputs, ops.transpose(given))
        z = posterior.draw(choice, eps)
        nll = sum(self.nll_of(name, inputs[name], z) for name in of.split(","))
        zeros = ops.zeros_like(z[:, :1])
        ratio = normal_log_density(z, zeros, zeros) - posterior.log_density(z)
        return ops.stack([-nll, ratio], axis=1)

    def _inputs(self, items: Mapping[str, Any]) -> dict[str, Any]:
        return self.inputs_of({name.removeprefix(_ITEM): each for name, each in items.items()})

    def _known(self, names: Sequence[str]) -> list[str]:
        for name in names:
            if name not in self.modalities:
                known = ", ".join(self.modalities)
                raise UsageError(f"Expected fields of the model, {known}; received {name!r}.")
        return list(names)

    def _checked(self, given: Items) -> tuple[dict[str, np.ndarray], int]:
        """Return all fields as arguments of a method on tensors, and how many items they are.

        What isn't given is zero.
        """
        self._known(list(given))
        counts = {len(array) for array in given.values()}
        for name, array in given.items():
            if array.shape[1:] != self.modalities[name].field.shape:
                shape = self.modalities[name].field.shape
                raise UsageError(
                    f"Expected {name} of shape {('items', *shape)}; received {array.shape}."
                )
        if len(counts) != 1 or not max(counts):
            raise UsageError(f"Expected as many items of each field, 1 or more; received {counts}.")
        count = counts.pop()
        items = {}
        for name, modality in self.modalities.items():
            dtype = "int32" if modality.field.classes else "float32"
            array = given.get(name, np.zeros((count, *modality.field.shape), dtype))
            items[f"{_ITEM}{name}"] = np.asarray(array, dtype)
        return items, count

    def _flags(self, given: Any, count: int) -> np.ndarray:
        """Return 1 for fields that are among those given, else 0: float32 ``(items, fields)``."""
        row = np.array([name in given for name in self.modalities], "float32")
        return np.repeat(row[None], count, axis=0)

    def _noise(self, count: int, n: int, seed: int) -> dict[str, np.ndarray]:
        def drawn(rng: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
            shape = (rows, n)
            return {
                "eps": rng.standard_normal((*shape, self.config.latent_dim), dtype="float32"),
                "choice": rng.random(shape, dtype="float32"),
            }

        if not 0 <= seed < 2**31:
            raise UsageError(f"Expected a seed of 0 to 2**31 - 1; received {seed}.")
        return noise_for_samples(drawn, seed, range(count), 1)


def log_mean_exp(values: np.ndarray) -> np.ndarray:
    """Return the logarithm of the mean of exponentials over the last axis."""
    most = values.max(axis=-1, keepdims=True)
    found: np.ndarray = most[..., 0] + np.log(np.exp(values - most).mean(axis=-1))
    return found
