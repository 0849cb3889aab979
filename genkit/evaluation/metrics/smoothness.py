"""Path smoothness: how evenly images change along a path between two latents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from genkit.data import noise_for_samples
from genkit.evaluation.figure import Figure
from genkit.evaluation.intervals import BOOTSTRAP, bootstrap_interval
from genkit.evaluation.metric import Context, Gathered, Metric

PATHS = 1_000
STEP = 0.05
_AT_ONCE = 256
_VECTOR = 2  # axes: items, and the numbers of one latent


class PathSmoothness(Metric):
    """Perceptual path length: how far features move for a short step of the latent.

    Karras et al. 2019, "A Style-Based Generator Architecture ...", equation 2: the mean over random
    paths of ``|f(g(slerp(a, b; t))) - f(g(slerp(a, b; t + e)))|^2 / e^2``, here with the
    extractor's features and all paths (the paper leaves out the extremes). The step ``e`` is 0.05
    and not 0.0001: images are rounded to 8 bits, and a step must change more than the rounding.
    """

    streams = ()
    gathered: Mapping[str, Gathered] | None = {}  # it is shown nothing

    @classmethod
    def unfit(cls, context: Context) -> str:
        if context.extractor is None:
            return "it needs a feature extractor"
        if context.model is None or "generate" not in context.model.capabilities:
            return "it needs a model that generates"
        drawn = list(context.model.noise(np.random.default_rng(0), 1).values())
        if len(drawn) != 1 or np.ndim(drawn[0]) != _VECTOR:
            return "it needs a model whose noise is one latent vector"
        return ""

    def compute(self) -> Iterable[Figure]:
        speeds = np.concatenate(
            [self._speeds(range(i, min(i + _AT_ONCE, PATHS))) for i in range(0, PATHS, _AT_ONCE)]
        )
        # Few paths are long: the mean's distribution is skewed, and a t interval symmetric.
        yield self.context.figure(
            "path-smoothness",
            bootstrap_interval(speeds, seed=self.context.seed),
            "min",
            paths=PATHS,
            step=STEP,
            interval=BOOTSTRAP + " over paths",
        )

    def _speeds(self, paths: range) -> np.ndarray:
        model, extractor = self.context.model, self.context.extractor
        assert model is not None, "unfit without"
        assert extractor is not None, "unfit without"
        ends = noise_for_samples(
            model.noise, self.context.seed, range(2 * paths.start, 2 * paths.stop)
        )
        ((name, latents),) = ends.items()
        first, second = latents[::2].astype(np.float64), latents[1::2].astype(np.float64)
        rng = np.random.default_rng([self.context.seed, paths.start])
        where = rng.uniform(0, 1 - STEP, (len(paths), 1))
        label = (
            {"label": np.array(paths, np.int32) % np.int32(len(model.classes()))}
            if model.conditional
            else {}
        )
        before, after = (
            extractor.features(
                model.map_items("decode", **{name: slerp(first, second, t)}, **label)
            ).astype(np.float64)
            for t in (where, where + STEP)
        )
        speeds: np.ndarray = np.square(after - before).sum(axis=1) / STEP**2
        return speeds


def slerp(first: np.ndarray, second: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Walk from latents to others on an arc, so that a normal latent keeps a likely length.

    Shoemake 1985, "Animating Rotation with Quaternion Curves".

    Args:
        first: shape ``(n, dim)``.
        second: same shape.
        t: how far, 0 to 1, shape ``(n, 1)``.

    Returns:
        float32 of shape ``(n, dim)``.
    """
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosine = np.clip((first * second).sum(axis=1) / lengths, -1, 1)[:, None]
    angle = np.arccos(cosine)
    straight = np.sin(angle) < 1e-6  # noqa: PLR2004 - parallel or opposite: there is no arc, as with one dimension
    sine = np.where(straight, 1, np.sin(angle))
    arc = (np.sin((1 - t) * angle) * first + np.sin(t * angle) * second) / sine
    found: np.ndarray = np.where(straight, (1 - t) * first + t * second, arc).astype(np.float32)
    return found
