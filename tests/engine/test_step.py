"""What one compiled step moves, and what it leaves alone."""

from collections import Counter

import keras
import numpy as np
import pytest

import genkit
from genkit import engine
from genkit.errors import UsageError
from tests.engine.small import batch_for, changed, mlp_gan, read, stepper

pytestmark = pytest.mark.usefixtures("active_backend")
READ = "ReadVariableOp"


def test_only_the_named_variables_move():
    model = mlp_gan(batch_norm=False, dropout=0.0)
    e, run = stepper(model, names=["discriminator"])
    before = read(e)
    run(batch_for(model))
    moved = changed(before, read(e))
    assert moved
    assert all(key.startswith(("discriminator/", "optimizers/discriminator/")) for key in moved)


def test_every_weight_and_every_optimizer_moves_in_a_whole_step():
    model = mlp_gan()
    e, run = stepper(model)
    before = read(e)
    run(batch_for(model))
    still = set(before) - changed(before, read(e))
    # On PyTorch dropout draws from the global generator and leaves its own seed.
    assert {key.rsplit("/", 1)[1] for key in still} <= {"learning_rate", "seed"}
    assert not [key for key in still if key.startswith("generator/")]


def test_iterations_of_every_optimizer_advance_once_a_step():
    model = mlp_gan()
    e, run = stepper(model)
    for number in range(3):
        run(batch_for(model, seed=number), number)
    state = read(e)
    counts = {key: int(state[key]) for key in state if key.endswith("iteration")}
    assert counts == {"optimizers/discriminator/iteration": 3, "optimizers/generator/iteration": 3}


def test_batch_statistics_and_seed_generators_move(active_backend):
    model = mlp_gan()
    e, run = stepper(model)
    before = read(e)
    run(batch_for(model))
    moved = changed(before, read(e))
    assert {"generator/layers/1/moving_mean", "generator/layers/1/moving_variance"} <= moved
    if active_backend != "torch":  # there dropout draws from the global generator
        assert "discriminator/layers/2/seed" in moved


def test_dropout_differs_from_step_to_step_and_repeats_with_the_step_number():
    # A learning rate of 0 leaves the weights, so that only dropout can change the loss.
    def losses(numbers):
        keras.utils.set_random_seed(3)
        model = mlp_gan(optimizer=lambda: keras.optimizers.SGD(0.0), batch_norm=False)
        _, run = stepper(model)
        batch = batch_for(model, n=64)
        return [run(batch, number)["d_loss"] for number in numbers]

    first = losses([0, 1, 2])
    assert len(set(first)) == 3
    assert losses([0, 1, 2]) == first


def test_tensorflow_reads_a_variable_anew_only_after_its_update(active_backend, monkeypatch):
    if active_backend != "tensorflow":
        pytest.skip("TensorFlow merges no two reads of a variable")
    import tensorflow as tf

    functions, original = [], tf.function
    monkeypatch.setattr(
        tf, "function", lambda fn, **k: functions.append(original(fn, **k)) or functions[-1]
    )
    model = mlp_gan()
    _, run = stepper(model)
    batch = batch_for(model)
    run(batch)
    graph = (
        functions[-1]
        .get_concrete_function({name: tf.constant(array) for name, array in batch.items()})
        .graph
    )
    handles = {id(variable.value.handle) for variable in model.generator.trainable_variables}
    inputs = {inside.name for outside, inside in graph.captures if id(outside) in handles}
    reads = Counter(op.inputs[0].name for op in graph.get_operations() if op.type == READ)
    # Both losses use the generator: once at the start, once after its own update.
    assert len(inputs) == len(handles)
    assert max(reads[name] for name in inputs) <= 2


def test_logs_keep_their_order_and_match_the_loss_functions():
    class Logged(genkit.GAN):
        def discriminator_loss(self, batch):
            loss = super().discriminator_loss(batch)
            return loss, {"z_mean": keras.ops.mean(batch["z"]), "doubled": 2 * loss}

        def training_step(self, batch, minimize):
            loss, logs = minimize("discriminator", self.discriminator_loss, batch)
            return {"total": loss, **logs}

    base = mlp_gan(dropout=0.0)
    model = Logged(base.generator, base.discriminator, schema=base.schema)
    _, run = stepper(model)
    batch = batch_for(model)
    logs = run(batch)
    assert list(logs) == ["total", "z_mean", "doubled"]
    assert logs["doubled"] == pytest.approx(2 * logs["total"], rel=1e-6)
    assert logs["z_mean"] == pytest.approx(float(batch["z"].mean()), abs=1e-6)


def test_a_static_schedule_value_chooses_a_variant_and_a_float_is_an_input():
    seen = []

    class Scheduled(genkit.GAN):
        def schedule(self, step):
            return {"regularise": step % 2 == 0, "weight": step / 10}

        def training_step(self, batch, minimize):
            seen.append(batch["regularise"])
            loss, _ = minimize("discriminator", self.discriminator_loss, batch)
            extra = 100.0 if batch["regularise"] else 0.0
            return {"value": 0.0 * loss + extra + batch["weight"]}

    base = mlp_gan(dropout=0.0)
    model = Scheduled(base.generator, base.discriminator, schema=base.schema)
    _, run = stepper(model)
    batch = batch_for(model)
    values = [run(batch, number)["value"] for number in range(8)]
    expected = [100.0, 0.1, 100.2, 0.3, 100.4, 0.5, 100.6, 0.7]
    assert values == pytest.approx(expected, abs=1e-4)
    if keras.config.backend() == "jax":
        assert len(seen) == 2, "each variant is traced once"


def test_a_variable_outside_the_model_is_refused_or_kept_never_frozen(active_backend):
    hidden = keras.layers.BatchNormalization()
    hidden.build((None, 4))
    holder = [lambda x: hidden(x, training=True)]  # Keras can't see into a function

    class Forgetful(genkit.GAN):
        def discriminator_loss(self, batch):
            return super().discriminator_loss({**batch, "vector": holder[0](batch["vector"])})

    base = mlp_gan()
    model = Forgetful(base.generator, base.discriminator, schema=base.schema)
    _, run = stepper(model)
    before = np.array(keras.ops.convert_to_numpy(hidden.moving_mean.value))
    if active_backend == "jax":
        with pytest.raises(UsageError, match=r"moving_mean.*does not own"):
            run(batch_for(model))
    else:
        run(batch_for(model))
        after = keras.ops.convert_to_numpy(hidden.moving_mean.value)
        assert not np.array_equal(before, after)


def test_compiled_inference_changes_nothing_and_sees_new_weights():
    model = mlp_gan()
    e, run = stepper(model)
    decode = e.compile_inference(model.decode)
    noise = model.noise(np.random.default_rng(0), 5)
    before, first = read(e), decode(**noise)
    assert changed(before, read(e)) == set()
    run(batch_for(model))
    assert not np.array_equal(decode(**noise), first)


def test_an_unbuilt_network_is_refused_with_what_to_do():
    model = genkit.Model()
    with pytest.raises(UsageError, match=r"not built yet.*keras\.Input"):
        model.add_optimizer("g", keras.optimizers.Adam(), keras.Sequential([keras.layers.Dense(2)]))


def test_an_optimizer_shared_by_two_names_is_refused():
    model = mlp_gan()
    with pytest.raises(UsageError, match="twice"):
        model.add_optimizer("other", model.optimizers["generator"], model.generator)


def test_a_loss_method_named_loss_is_not_hidden_by_keras():
    class Named(genkit.Model):
        def loss(self, batch):
            return 1

    assert Named().loss({}) == 1


def test_synchronize_returns():
    assert engine.create(mlp_gan()).synchronize() is None
