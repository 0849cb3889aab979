"""The model; imported when it is used, after the backend was chosen."""

import keras
from keras import layers

import genkit


class RingsGAN(genkit.GAN):
    """Two dense networks against each other."""

    def __init__(self, config, schema):
        shape = schema[schema.name_of("vector")].shape
        if len(shape) != 1 or shape[0] is None:
            raise genkit.GenkitError(f"Expected vectors of one length; received the shape {shape}.")
        length = shape[0]

        def network(inputs, outputs):
            return keras.Sequential(
                [
                    keras.Input((inputs,)),
                    layers.Dense(config.width, "relu"),
                    layers.Dense(config.width, "relu"),
                    layers.Dense(outputs),
                ]
            )

        def adam():
            return keras.optimizers.Adam(config.learning_rate, beta_1=0.5)

        super().__init__(
            network(config.latent_dim, length),
            network(length, 1),
            generator_optimizer=adam(),
            discriminator_optimizer=adam(),
            config=config,
            schema=schema,
        )
