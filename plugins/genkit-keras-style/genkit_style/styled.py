"""What a trained StyleGAN2 does for people: draws styles, finds them, and shows what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

import genkit
from genkit.errors import UsageError
from genkit.layers import rescale
from genkit_style import projection, styles
from genkit_style.directions import directions
from genkit_style.latents import read_styles
from genkit_style.sizes import noise_count

RANGE = (-1.0, 1.0)
"""What the networks take pictures for."""

_STRENGTH = 3.0  # how far styles are moved along a direction
_FEATURES = 0.1  # weight of the discriminator's features beside pixels, in a search for a style


class Styled:
    """The part of ``StyleGAN2`` that generates."""

    if TYPE_CHECKING:
        mapping: Any
        centre: Any
        synthesis: Any
        discriminator: Any
        config: Any
        schema: Any
        side: int
        width: int
        generated_field: Callable[[], str]
        _numbers: dict[str, np.ndarray]

    def parse_options(self, capability: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Check options; those that name a file or a direction become numbers that are kept here.

        ``decode`` is compiled for a digest of the numbers, not for the name they came by.
        """
        parsed = super().parse_options(capability, options)
        strength = parsed.pop("strength", None)
        for name, found in (
            ("latent", lambda file: read_styles(Path(file), self)),
            ("direction", lambda number: self._direction(number) * np.float32(strength)),
        ):
            if name in parsed:
                numbers = found(parsed[name])
                parsed[name] = hashlib.sha256(numbers.tobytes()).hexdigest()
                self._numbers[parsed[name]] = numbers
        return parsed

    def style_of(self, z: Any, label: Any = None) -> Any:
        """Return the style ``(batch, width)`` of noise, and of a class."""
        return self.mapping(z, label)

    def pictures_from(self, styles: Any) -> Any:
        """Return pictures in the data's range, ``(batch, side, side, channels)``, without noise.

        Args:
            styles: ``(batch, styles, width)``; or ``(batch, 1, width)``, one for all layers.
        """
        pixels = None
        if self.config.noise_inputs:
            pixels = ops.zeros((ops.shape(styles)[0], noise_count(self.side)))
        return self._pictures(styles, pixels)

    def style_slope(self, styles: Any, target: Any) -> Any:
        """Return how the distance to pictures changes with their styles, and the distance.

        Returns:
            ``(batch, 1 + numbers of a style)``: the gradient of the distance in pixels and in the
            discriminator's features; at the end the mean squared distance of pixels in [-1, 1].
        """
        wanted = rescale(target, self._limits(), RANGE)
        seen = self.discriminator.features(wanted)

        def distances(styles: Any) -> tuple[Any, Any]:
            drawn = rescale(self.pictures_from(styles), self._limits(), RANGE)
            apart = ops.mean(ops.square(drawn - wanted), axis=(1, 2, 3))
            features = zip(self.discriminator.features(drawn), seen, strict=True)
            alike = sum(ops.mean(ops.square(x - y), axis=(1, 2, 3)) for x, y in features)
            return apart, apart + _FEATURES * alike

        slope = genkit.gradient(lambda styles: ops.sum(distances(styles)[1]), styles)
        flat = ops.reshape(slope, (-1, styles.shape[1] * self.width))
        return ops.concatenate([flat, distances(styles)[0][:, None]], axis=1)

    def decode(  # noqa: PLR0917
        self,
        z: Any,
        pixels: Any = None,
        label: Any = None,
        truncation_psi: Any = 1.0,
        latent: str | None = None,
        direction: str | None = None,
    ) -> Any:
        if latent is None:
            w, centre = ops.cast(self.mapping(z, label), "float32"), self.centre(label)
            styles = (centre + truncation_psi * (w - centre))[:, None]
        else:
            chosen = ops.convert_to_tensor(self._numbers[latent])
            styles = ops.repeat(chosen[None], ops.shape(z)[0], axis=0)
        if direction is not None:
            styles = styles + ops.convert_to_tensor(self._numbers[direction])
        return self._pictures(styles, pixels)

    def _direction(self, number: int) -> np.ndarray:
        found = directions(self)
        if number > len(found):
            raise UsageError(f"Expected a direction from 1 to {len(found)}; received {number}.")
        return found[number - 1]

    def _pictures(self, styles: Any, pixels: Any) -> Any:
        """Return pictures in the data's range of styles, one for all layers or one for each."""
        if styles.shape[1] == 1:
            styles = ops.repeat(styles, self.synthesis.styles, axis=1)
        low, high = self._limits()
        return ops.clip(rescale(self.synthesis(styles, pixels), RANGE, (low, high)), low, high)

    def project(
        self,
        pictures: np.ndarray,
        *,
        steps: int = 500,
        each: bool = False,
        seed: int = 0,
        tell: Callable[[int, float], None] = lambda *_: None,
    ) -> projection.Projection:
        """Return styles that draw given pictures; see ``genkit_style.projection.project``."""
        return projection.project(self, pictures, steps=steps, each=each, seed=seed, tell=tell)

    def styles(
        self,
        what: str = "mixing",
        n: int = 6,
        seed: int = 0,
        *,
        steps: int = 7,
        strength: float = _STRENGTH,
    ) -> np.ndarray:
        """Return pictures that show what styles are, in the data's range.

        Args:
            what: ``"truncation"``, ``"mixing"``, ``"walk"`` or ``"directions"``; see
                ``genkit styles --help``.
            n: how many pictures, each way.
            seed: of the styles.
            steps: pictures of a way, of walks and directions.
            strength: of directions: how far to move.

        Returns:
            ``(rows, columns, side, side, channels)``; of directions one such table for each.

        Raises:
            UsageError: nothing of that name.
        """
        made = {
            "truncation": lambda: styles.truncation(self, n, seed),
            "mixing": lambda: styles.mixing(self, n, seed),
            "walk": lambda: styles.walk(self, n, steps, seed),
            "directions": lambda: styles.moved(self, n, steps, seed, strength),
        }
        if what not in made:
            raise UsageError(f"Expected one of {', '.join(made)}; received {what!r}.")
        return made[what]()

    def vary(self, n: int, steps: int) -> dict[str, np.ndarray]:
        """Return the first pictures of a seed moved along the first directions, for reports.

        Returns:
            ``(n, steps, side, side, channels)`` by the direction's name.
        """
        found = styles.moved(self, n, steps, 0, _STRENGTH)
        return {f"direction {number}": rows for number, rows in enumerate(found, start=1)}

    def _limits(self) -> tuple[float, float]:
        return self.schema[self.generated_field()].range
