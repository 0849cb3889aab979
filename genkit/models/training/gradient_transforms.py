"""What is done to gradients between a loss and an update, in parts that compose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError

if TYPE_CHECKING:
    from genkit.engine import Engine


class GradientTransform:
    """A change of gradients; a trainer applies its ``transforms`` in order.

    A subclass overrides ``transform``, to change gradients that are there; or ``gradients``, to
    compute them in another way. Both run inside what is compiled: use ``keras.ops``, and keep no
    tensors in attributes. With mixed precision gradients carry the optimizer's loss scale,
    ``engine.model.optimizers[name].scale_loss(1.0)``.
    """

    def gradients(
        self, engine: Engine, name: str, fn: Callable[..., Any], *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        """Differentiate a loss; by default ``engine.gradients``.

        Only the first transform of a trainer may override this: those after it are handed what it
        has computed. ``engine.per_example_gradients`` clips each example's gradient.

        Args:
            engine: of the model in training, ``engine.model``.
            name: of the optimizer whose variables it is about.
            fn: returns a scalar loss, or ``(loss, logs)``.
            *inputs: what ``fn`` is called with.

        Returns:
            ``((loss, logs), gradients)``, in the order of ``engine.model.owned_variables(name)``.
        """
        return engine.gradients(name, fn, *inputs)

    def transform(self, engine: Engine, name: str, gradients: list[Any]) -> list[Any]:  # noqa: ARG002
        """Change gradients; by default they stay as they are.

        Args:
            engine: of the model in training, ``engine.model``.
            name: of the optimizer that they go to.
            gradients: one for each of ``engine.model.owned_variables(name)``, of its shape.

        Returns:
            as many of the same shapes.
        """
        return gradients


def check_order(transforms: Sequence[GradientTransform]) -> None:
    """Refuse transforms of which a later one would throw away what an earlier one has done.

    Raises:
        UsageError: one that computes gradients does not stand first.
    """
    for place, transform in enumerate(transforms[1:], 2):
        if type(transform).gradients is not GradientTransform.gradients:
            raise UsageError(
                "Expected the transform that computes gradients as the first one; received "
                f"{type(transform).__name__} in place {place}, after "
                f"{type(transforms[0]).__name__}.",
                "Put it first; of two that compute gradients only one can be used.",
            )
