"""A model of text that goes on from a prompt, character by character, until it comes to an end."""

import keras
import numpy as np
from keras import ops

import genkit
from genkit.data import vocabulary_of
from genkit.errors import DataError, UsageError
from tests.toys.transformer import Transformer

END = 0


class Writer(genkit.Model):
    """Says which character comes next from all before it, and keeps what it knows of those."""

    generation_batch = 8

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.text = schema.name_of("text")
        field = schema[self.text]
        if field.shape != (None,) or not field.vocabulary:
            raise DataError(f"Expected text as numbers of a vocabulary; received {field}.")
        self.size = int(field.range[1]) + 1
        self.conditions = (genkit.Condition("prompt", modality="text", longest=config.context - 1),)
        self.network = Transformer(
            self.size, config.context, config.layers, config.heads, config.width
        )
        self.network.build((None, None))
        self.add_optimizer("network", keras.optimizers.Adam(config.learning_rate), self.network)

    def alphabet(self):
        """Return what the numbers stand for."""
        return vocabulary_of(self.schema, self.text, self.assets)

    def encode_condition(self, name, values):
        if not all(isinstance(text, str) for text in values):
            return super().encode_condition(name, values)
        places = {letter: number for number, letter in enumerate(self.alphabet())}
        for text in values:
            if strange := sorted(set(text) - places.keys()):
                raise UsageError(
                    f"Expected a {name} of the data's characters; received {strange[0]!r} in "
                    f"{text!r}."
                )
        return [np.array([places[letter] for letter in text], "int32") for text in values]

    def present(self, items):
        letters = np.array(["", *self.alphabet()[1:]], object)
        texts = ["".join(letters[np.asarray(item, int)]) for item in items[self.text]]
        return {self.text: np.array(texts, object)}

    def noise(self, rng, n):
        return {"uniform": rng.random((n, self.config.context), dtype="float32")}

    def training_noise(self, rng, n):
        return {}

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.cross_entropy, batch)[0]}

    def cross_entropy(self, batch):
        """Return the mean over characters, in nats; a text begins behind an end."""
        text = ops.cast(batch[self.text], "int32")[:, : self.config.context]
        before = ops.concatenate([ops.zeros_like(text[:, :1]), text[:, :-1]], axis=1)
        chances = ops.log_softmax(self.network(before, training=True), axis=-1)
        wanted = ops.cast(text[..., None] == ops.arange(self.size, dtype="int32"), "float32")
        places = ops.arange(text.shape[1], dtype="int32")
        there = ops.cast(places < batch[f"{self.text}_length"][:, None], "float32")
        return -ops.sum(ops.sum(chances * wanted, axis=-1) * there) / ops.sum(there)

    def first_state(self, uniform, prompt, prompt_length, temperature=1.0):
        n, context = uniform.shape
        prompt = ops.pad(prompt, ((0, 0), (0, context - prompt.shape[1])))
        return {
            "text": prompt,  # behind the prompt what is written, then zeros
            "length": prompt_length,
            "last": ops.zeros((n,), "int32"),  # the character at the place before
            "ended": ops.zeros((n,), "bool"),
            "place": ops.zeros((), "int32"),
            "cache": self.network.empty_cache(n),
            "uniform": uniform,
            "temperature": ops.convert_to_tensor(temperature, "float32"),
        }

    def next_state(self, state):
        place, text = state["place"], state["text"]
        logits, cache = self.network.step(state["last"], place, state["cache"])
        drawn = pick(logits / state["temperature"], ops.take(state["uniform"], place, axis=1))
        given = place < state["length"]
        letter = ops.where(given, ops.take(text, place, axis=1), drawn)
        letter = ops.where(state["ended"], END, letter)
        writes = ops.logical_not(ops.logical_or(given, state["ended"]))
        here = ops.arange(text.shape[1], dtype="int32") == place
        return {
            **state,
            "text": ops.where(here, letter[:, None], text),
            "length": state["length"] + ops.cast(writes, "int32"),
            "last": letter,
            "ended": ops.logical_or(state["ended"], ops.logical_and(writes, letter == END)),
            "place": place + 1,
            "cache": cache,
        }

    def ended(self, state):
        return ops.logical_or(state["ended"], state["place"] >= self.config.context)

    def result(self, state):
        return {self.text: state["text"], f"{self.text}_length": state["length"]}


def pick(logits, uniform):
    """Draw a class for each row, by a uniform number, from softmax(logits)."""
    chances = ops.cumsum(ops.softmax(logits, axis=-1), axis=-1)
    below = ops.sum(ops.cast(chances < uniform[:, None], "int32"), axis=-1)
    return ops.cast(ops.minimum(below, logits.shape[-1] - 1), "int32")
