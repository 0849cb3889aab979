# ruff: noqa: E402 - the backend must be chosen before Keras is imported
import genkit

genkit.activate()

import keras
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


class RunningClip(genkit.GradientTransform):
    """Clips gradients to twice the running mean of their L2 norm."""

    def build(self, model):
        self.means = {name: keras.Variable(0.0, trainable=False) for name in model.optimizers}

    def transform(self, engine, name, gradients):
        mean = self.means[name]
        norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in gradients))
        clipped = ops.where(mean > 0, ops.minimum(norm, 2 * mean), norm)  # not in the first step
        mean.assign(ops.where(mean > 0, 0.9 * mean + 0.1 * clipped, norm))
        return [g * clipped / ops.maximum(norm, 1e-12) for g in gradients]
