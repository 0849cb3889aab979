"""A causal transformer: a whole text at once to learn from, one character at a time to write."""

from keras import layers, ops

FAR = -1e9


class Transformer(layers.Layer):
    """Decoder of Vaswani et al. 2017 with learned places and the normalisation before each part."""

    def __init__(self, size, context, depth, heads, width):
        super().__init__()
        self.size, self.context, self.heads, self.width = size, context, heads, width
        self.blocks = [Block(heads, width) for _ in range(depth)]
        self.normalization = layers.LayerNormalization(epsilon=1e-5)
        self.head = layers.Dense(size)

    def build(self, shape):
        self.tokens = self.add_weight((self.size, self.width), "random_normal", name="tokens")
        self.places = self.add_weight((self.context, self.width), "random_normal", name="places")
        for layer in (*self.blocks, self.normalization, self.head):
            layer.build((None, None, self.width))

    def call(self, tokens):
        """Return logits of the next character at each place, ``(batch, length, size)``."""
        length = tokens.shape[1]
        x = ops.take(self.tokens, tokens, axis=0) + self.places[:length]
        behind = ops.triu(ops.full((length, length), FAR), 1)
        for block in self.blocks:
            x = block(x, behind)
        return self.head(self.normalization(x))

    def step(self, tokens, place, cache):
        """Return logits ``(batch, size)`` from the character at one place, and the new cache."""
        x = ops.take(self.tokens, tokens[:, None], axis=0) + ops.take(self.places, place, axis=0)
        new = {}
        for number, block in enumerate(self.blocks):
            x, new[f"{number}"] = block.step(x, place, cache[f"{number}"])
        return self.head(self.normalization(x))[:, 0], new

    def empty_cache(self, batch):
        """Return the keys and values of no characters."""
        shape = (batch, self.heads, self.context, self.width // self.heads)
        return {
            f"{number}": {"keys": ops.zeros(shape), "values": ops.zeros(shape)}
            for number in range(len(self.blocks))
        }


class Block(layers.Layer):
    """Attention to what came before, then a dense network at each place."""

    def __init__(self, heads, width):
        super().__init__()
        self.heads, self.width = heads, width
        self.before_attention = layers.LayerNormalization(epsilon=1e-5)
        self.query, self.key, self.value, self.mixed = (layers.Dense(width) for _ in range(4))
        self.before_dense = layers.LayerNormalization(epsilon=1e-5)
        self.hidden = layers.Dense(4 * width, "relu")
        self.out = layers.Dense(width)

    def build(self, shape):
        for layer in (self.before_attention, self.before_dense, self.hidden):
            layer.build(shape)
        for layer in (self.query, self.key, self.value, self.mixed):
            layer.build(shape)
        self.out.build((*shape[:-1], 4 * self.width))

    def call(self, x, behind):
        y = self.before_attention(x)
        q, k, v = (self._split(layer(y)) for layer in (self.query, self.key, self.value))
        return self._rest(x, self._attend(q, k, v, behind))

    def step(self, x, place, cache):
        """Do one place: ``(batch, 1, width)``; keys and values go into the cache."""
        y = self.before_attention(x)
        q, k, v = (self._split(layer(y)) for layer in (self.query, self.key, self.value))
        places = ops.arange(cache["keys"].shape[2], dtype="int32")
        here = ops.reshape(places == place, (1, 1, -1, 1))
        keys, values = ops.where(here, k, cache["keys"]), ops.where(here, v, cache["values"])
        behind = ops.where(places <= place, 0.0, FAR)
        x = self._rest(x, self._attend(q, keys, values, behind))
        return x, {"keys": keys, "values": values}

    def _split(self, x):
        x = ops.reshape(x, (-1, x.shape[1], self.heads, self.width // self.heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def _attend(self, q, k, v, behind):
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / (q.shape[-1] ** 0.5) + behind
        y = ops.transpose(ops.matmul(ops.softmax(scores, axis=-1), v), (0, 2, 1, 3))
        return ops.reshape(y, (-1, y.shape[1], self.width))

    def _rest(self, x, attended):
        x = x + self.mixed(attended)
        return x + self.out(self.hidden(self.before_dense(x)))
