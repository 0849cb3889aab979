# ruff: noqa: E402 - the backend must be chosen before Keras is imported
import genkit

genkit.activate()

from keras.callbacks import EarlyStopping

result = genkit.train(
    "vae",
    dataset="digits",
    epochs=3,
    callbacks=[EarlyStopping(monitor="loss", patience=2)],
)
print(result.outcome.steps)
