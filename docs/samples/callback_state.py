# ruff: noqa: E402 - the backend must be chosen before Keras is imported
import genkit

genkit.activate()

import keras


class Milestones(keras.callbacks.Callback):
    """Notes when the loss falls below 40, 35, 30, ..."""

    def __init__(self):
        super().__init__()
        self.notes = []

    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < 40 - 5 * len(self.notes):
            self.notes.append(f"epoch {epoch}: {logs['loss']:.1f}")

    def get_state(self):
        return {"notes": self.notes}

    def set_state(self, state):
        self.notes = state["notes"]


result = genkit.train("vae", dataset="digits", steps=60, callbacks=[Milestones()])
again = Milestones()
genkit.resume(result.path, 60, callbacks=[again])
print(again.notes)
