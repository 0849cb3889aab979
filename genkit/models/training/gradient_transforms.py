"""What is done to gradients between a loss and an update, in parts that compose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras

from genkit.engine.state import ModelState
from genkit.errors import UsageError

if TYPE_CHECKING:
    from genkit.engine import Engine


class GradientTransform:
    """A change of gradients; a trainer applies its ``transforms`` in order.

    A subclass overrides ``transform``, to change gradients that are there; or ``gradients``, to
    compute them in another way. Both run inside what is compiled: use ``keras.ops``, and keep no
    tensors in attributes. With mixed precision gradients carry the optimizer's loss scale,
    ``engine.model.optimizers[name].scale_loss(1.0)``; in float16 they may be infinite.

    What it keeps from step to step are Keras variables, which ``build`` makes. They are state of
    the training, like an optimizer's: part of the compiled step, saved in checkpoints, resumed.
    """

    def build(self, model: Any) -> None:
        """Make what it keeps from step to step; by default nothing.

        Each training begins with this, before a checkpoint is restored, so that none goes on with
        what another one left. A Keras variable is kept in an attribute, or in a list, a dict or
        another transform there: ``self.norm = keras.Variable(0.0, trainable=False)``.

        Args:
            model: the model in training, with its ``optimizers`` and ``owned_variables(name)``.
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


def build_all(transforms: Sequence[GradientTransform], model: Any) -> dict[str, Any]:
    """Have each transform make what it keeps, and return those Keras variables.

    Returns:
        each once, by where it stands: ``gradient_transforms/0/norm``; without the model's own.

    Raises:
        UsageError: a transform keeps a variable that was made before this training.
    """
    # The variables, not their ids: what is gone could leave its id to a new one.
    before = [variable for each in transforms for _, variable in _kept("", each)]
    for each in transforms:
        each.build(model)
    seen = {id(variable) for variable in ModelState(model).variables}
    found = {}
    for key, variable in _kept("gradient_transforms", transforms):
        if id(variable) in seen:
            continue
        seen.add(id(variable))
        if any(variable is each for each in before):
            raise UsageError(
                f"Expected variables that are made anew as each training begins; {key} was there.",
                "Make it in the transform's build(model).",
            )
        found[key] = variable
    return found


def _kept(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the Keras variables in a value, however deep, with their places."""
    if isinstance(value, keras.Variable):
        yield key, value
    elif isinstance(value, keras.random.SeedGenerator):
        yield key, value.state
    elif isinstance(value, keras.Layer):
        yield from _kept(key, value.variables)
    elif isinstance(value, GradientTransform):
        yield from _kept(key, vars(value))
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from _kept(f"{key}/{name}", member)
    elif isinstance(value, (list, tuple)):
        yield from _kept(key, dict(enumerate(value)))
