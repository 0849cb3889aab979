import jax
import jax.numpy as jnp
from sklearn.datasets import load_digits

images = jnp.asarray(load_digits().images.reshape(-1, 64) / 8 - 1, jnp.float32)


def dense_layers(key, sizes):
    keys = jax.random.split(key, len(sizes) - 1)
    pairs = zip(keys, sizes[:-1], sizes[1:], strict=True)
    return [(jax.random.normal(k, (n, m)) / n**0.5, jnp.zeros(m)) for k, n, m in pairs]


def apply(network, x):
    for weights, bias in network[:-1]:
        x = jax.nn.relu(x @ weights + bias)
    weights, bias = network[-1]
    return x @ weights + bias


def adam(weights, gradients, moments, step):
    def update(w, g, m, v):
        m, v = 0.5 * m + 0.5 * g, 0.999 * v + 0.001 * g**2
        scale = jnp.sqrt(1 - 0.999**step) / (1 - 0.5**step)
        return w - 2e-4 * scale * m / (jnp.sqrt(v) + 1e-8), m, v

    updated = jax.tree.map(update, weights, gradients, *moments)
    return jax.tree.transpose(jax.tree.structure(weights), jax.tree.structure((0, 0, 0)), updated)


# [step]
def d_loss_of(d, g, real, z):
    fake = jnp.tanh(apply(g, z))
    return jnp.mean(jax.nn.softplus(-apply(d, real)) + jax.nn.softplus(apply(d, fake)))


def g_loss_of(g, d, z):
    return jnp.mean(jax.nn.softplus(-apply(d, jnp.tanh(apply(g, z)))))


@jax.jit
def training_step(state, real, key):
    g, g_moments, d, d_moments, step = state
    z = jax.random.normal(key, (len(real), 32))
    d_loss, gradients = jax.value_and_grad(d_loss_of)(d, g, real, z)
    d, *d_moments = adam(d, gradients, d_moments, step)
    g_loss, gradients = jax.value_and_grad(g_loss_of)(g, d, z)
    g, *g_moments = adam(g, gradients, g_moments, step)
    return (g, g_moments, d, d_moments, step + 1), d_loss, g_loss


# [/step]
g_key, d_key, key = jax.random.split(jax.random.key(0), 3)
g, d = dense_layers(g_key, [32, 64, 64]), dense_layers(d_key, [64, 64, 1])
zeros = [jax.tree.map(jnp.zeros_like, network) for network in (g, d)]
state = (g, [zeros[0]] * 2, d, [zeros[1]] * 2, 1)
for _ in range(100):
    key, chosen, noise = jax.random.split(key, 3)
    batch = images[jax.random.randint(chosen, (64,), 0, len(images))]
    state, d_loss, g_loss = training_step(state, batch, noise)
print(d_loss, g_loss)
