# ruff: noqa: E402 - the backend must be chosen before Keras is imported
import genkit

genkit.activate()

from keras import ops


class ClippedExamples(genkit.GradientTransform):
    """Clips each example's gradient to an L2 norm of at most 1 before they are averaged."""

    def gradients(self, engine, name, fn, *inputs):
        return engine.per_example_gradients(name, fn, *inputs, clip=1.0)


class Centralized(genkit.GradientTransform):
    """Takes its mean out of the gradient of each output's weights.

    Yong et al. 2020, "Gradient Centralization: A New Optimization Technique for Deep Neural
    Networks", equation 1.
    """

    def transform(self, engine, name, gradients):
        return [
            g - ops.mean(g, axis=tuple(range(len(g.shape) - 1)), keepdims=True)
            if len(g.shape) > 1
            else g
            for g in gradients
        ]


class Steady(genkit.Trainer):
    """Clips, then centralizes."""

    transforms = (ClippedExamples(), Centralized())
