"""What is borrowed of Keras' and PyTorch's inside is still there, and still means the same."""

import os
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("active_backend")


@pytest.fixture
def keras(active_backend):
    import keras

    return keras


@pytest.fixture
def inside(keras):
    from genkit.engine import keras_inside

    return keras_inside


@pytest.fixture
def network(keras):
    layers = keras.layers
    inner = keras.Sequential([layers.Dense(3), layers.Dropout(0.5)])
    return keras.Sequential([keras.Input((4,)), inner, layers.Dense(2)])


@pytest.fixture
def adam(keras, network):
    optimizer = keras.optimizers.Adam(0.5)
    optimizer.build(network.trainable_variables)
    return optimizer


def test_all_layers_are_found_however_deep(keras, inside, network):
    found = inside.all_layers(network)
    assert found[0] is network
    inner, last = network.layers
    assert {id(layer) for layer in (inner, last, *inner.layers)} <= {id(each) for each in found}


def test_a_layers_own_variables_are_not_those_below_it(inside, network):
    dense = network.layers[-1]
    assert {v.name for v in inside.own_variables(dense)} == {"kernel", "bias"}
    assert inside.own_variables(network) == []


def test_what_keras_tracks_below_a_layer_is_found(keras, inside):
    class Holder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.hidden = {"of": [keras.layers.Dense(1)]}

    holder = Holder()
    assert holder.hidden["of"][0] in inside.own_sublayers(holder)


def test_random_layers_have_seed_generators_and_others_have_none(inside, network):
    dense, dropout = network.layers[0].layers
    assert inside.own_seed_generators(dense) == []
    (generator,) = inside.own_seed_generators(dropout)
    assert tuple(generator.state.shape) == (2,)


def test_an_optimizer_keeps_its_variables_when_they_are_frozen(inside, network, adam):
    before = inside.trained_variables(adam)
    network.trainable = False
    assert [v.path for v in inside.trained_variables(adam)] == [v.path for v in before]
    assert len(before) == 4


def test_a_wrapping_optimizer_has_its_scale_beside_what_it_wraps(keras, inside, network):
    wrapped = keras.optimizers.Adam()
    scaling = keras.optimizers.LossScaleOptimizer(wrapped)
    scaling.build(network.trainable_variables)
    own = {v.path for v in inside.variables_without_inner(scaling)}
    assert any("scale" in path for path in own)
    assert own.isdisjoint(v.path for v in wrapped.variables)


def test_an_optimizers_slots_are_lists_as_long_as_its_variables(inside, network, adam):
    slots = inside.slot_lists(adam)
    assert {"_momentums", "_velocities"} <= set(slots)
    for name in ("_momentums", "_velocities"):
        shapes = [tuple(slot.shape) for slot in slots[name]]
        assert shapes == [tuple(v.shape) for v in network.trainable_variables]


def test_adams_moments_of_a_variable_are_found_by_the_variable(keras, inside, network, adam):
    *_, kernel, bias = network.trainable_variables
    gradients = [keras.ops.ones(v.shape) for v in network.trainable_variables]
    adam.apply(gradients, network.trainable_variables)
    first, second = inside.adam_slots(adam, [bias, kernel])
    for moments, share in ((first, 0.1), (second, 0.001)):
        assert [tuple(m.shape) for m in moments] == [tuple(bias.shape), tuple(kernel.shape)]
        assert np.allclose(keras.ops.convert_to_numpy(moments[0]), share)


def test_another_update_takes_the_place_of_an_optimizers_own(keras, inside, network, adam):
    def update(optimizer, gradients, variables, learning_rate):
        assert optimizer is adam
        assert float(learning_rate) == 0.5
        for gradient, variable in zip(gradients, variables, strict=True):
            variable.assign(gradient)

    inside.replace_update(adam, update)
    variables = network.trainable_variables
    adam.apply([keras.ops.full(v.shape, 7.0) for v in variables], variables)
    assert all((keras.ops.convert_to_numpy(v) == 7).all() for v in variables)


def test_the_learning_rate_is_a_variable_unless_it_follows_a_schedule(keras, inside, adam):
    assert isinstance(inside.learning_rate(adam), keras.Variable)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    assert inside.learning_rate(keras.optimizers.SGD(schedule)) is schedule


def test_a_learning_rate_is_scaled_where_updates_ask_for_it(keras, inside):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    for optimizer in (keras.optimizers.SGD(0.5), keras.optimizers.SGD(schedule)):
        with inside.scaled_learning_rate(optimizer, 0.5):
            assert float(optimizer.learning_rate) == 0.25
        assert float(optimizer.learning_rate) == 0.5


def test_tensors_are_taken_out_of_variables_and_put_in(keras, inside, network):
    variables = network.trainable_variables
    taken = inside.values(variables)
    assert all(
        np.array_equal(keras.ops.convert_to_numpy(t), keras.ops.convert_to_numpy(v.value))
        for t, v in zip(taken, variables, strict=True)
    )
    if keras.config.backend() == "jax":  # the others' tensors change in place
        inside.set_values(variables, [keras.ops.full_like(t, 3.0) for t in taken])
        assert all((keras.ops.convert_to_numpy(v.value) == 3).all() for v in variables)


def test_what_stands_under_another_name_too_is_bookkeeping(keras, inside):
    class Holder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(1)

    kept = {
        name
        for name, value in vars(Holder()).items()
        if isinstance(value, (dict, list)) and len(value) and name != "hidden"
    }
    assert {name for name in kept if "layers" in name or "modules" in name} <= inside.BOOKKEEPING


@pytest.fixture
def torch_inside(keras):
    if keras.config.backend() != "torch":
        pytest.skip("of PyTorch")
    from genkit.engine import torch_inside

    return torch_inside


def test_keras_tells_the_device_it_puts_tensors_on(keras, torch_inside):
    assert keras.ops.ones((1,)).device.type == torch_inside.keras_device().partition(":")[0]


def test_a_transform_is_known_from_within(torch_inside):
    import torch

    seen = []

    def look(x):
        seen.append(torch_inside.inside_vmap())
        return x

    assert not torch_inside.inside_vmap()
    torch.vmap(look)(torch.ones(2))
    assert seen == [True]


def test_the_fused_kernel_takes_a_step_of_adam(torch_inside):
    import torch

    value, gradient = torch.ones(3), torch.full((3,), 2.0)
    moments = [torch.zeros(3)], [torch.zeros(3)]
    torch_inside.fused_adam(
        [value],
        [gradient],
        moments=moments,
        steps=[torch.tensor(0.0) + 1],
        lr=0.1,
        beta1=0.9,
        beta2=0.999,
        weight_decay=0.0,
        eps=1e-8,
        amsgrad=False,
        maximize=False,
    )
    assert torch.allclose(value, torch.full((3,), 0.9))
    assert torch.allclose(moments[0][0], torch.full((3,), 0.2))


def test_sums_between_processors_use_the_address_that_is_named(active_backend):
    if active_backend != "jax":
        pytest.skip("this is about JAX")
    from jax._src import xla_bridge

    from genkit.engine.jax_inside import gloo_at

    own = xla_bridge._jax.make_gloo_tcp_collectives
    with gloo_at("10.0.0.7"):
        assert xla_bridge._jax.make_gloo_tcp_collectives.keywords == {"hostname": "10.0.0.7"}
        assert xla_bridge._jax.make_gloo_tcp_collectives.func is own
    assert xla_bridge._jax.make_gloo_tcp_collectives is own
    assert "hostname: str | None" in own.__doc__


def test_nested_tensors_are_taken_apart_and_put_together(torch_inside):
    leaves, structure = torch_inside.pytree.tree_flatten({"a": (1, [2])})
    assert leaves == [1, 2]
    assert torch_inside.pytree.tree_unflatten([3, 4], structure) == {"a": (3, [4])}


def test_an_operation_tells_what_it_writes(torch_inside):
    import torch

    schema = torch_inside.schema(torch.ops.aten.add_.Tensor)
    written = [a.name for a in schema.arguments if a.alias_info and a.alias_info.is_write]
    assert written == ["self"]
    with pytest.raises(ValueError, match="nothing is known"):
        torch_inside.schema(len)


def test_a_recording_notes_sizes_strides_and_types_the_short_way(torch_inside):
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    x = torch.ones(2, 3, dtype=torch.float16)
    with torch_inside.quick_notes():
        quick = make_fx(lambda x: x.t() * 2)(x)
    thorough = make_fx(lambda x: x.t() * 2)(x)
    for one, other in zip(quick.graph.nodes, thorough.graph.nodes, strict=True):
        assert one.target == other.target
        if one.op == "call_function":
            found, expected = one.meta["val"], other.meta["val"]
            assert found.device.type == "meta"
            assert expected.device.type != "meta", "not the short way"
            for name in ("shape", "dtype"):
                assert getattr(found, name) == getattr(expected, name)
            assert found.stride() == expected.stride()


def test_a_recording_does_not_see_what_is_untraced(torch_inside):
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    def half_seen(x):
        with torch_inside.untraced():
            torch.sin(x)
        return torch.cos(x)

    nodes = make_fx(half_seen)(torch.ones(2)).graph.nodes
    called = [str(node.target) for node in nodes if node.op == "call_function"]
    assert called == ["aten.cos.default"]


def test_threads_that_openmp_may_withhold_are_given_to_every_engine(active_backend, tmp_path):
    """Under OMP_DYNAMIC a busy machine withholds them, and oneDNN waits for them for ever."""
    if active_backend != "torch" or sys.platform != "linux":
        pytest.skip("this is about PyTorch's OpenMP")
    script = """
import ctypes, warnings, torch, genkit
from pathlib import Path
(library,) = (Path(torch.__file__).parent / "lib").glob("libgomp*")
openmp = ctypes.CDLL(str(library))
assert openmp.omp_get_dynamic() == 1
with warnings.catch_warnings(record=True) as shown:
    warnings.simplefilter("always")
    result = genkit.train("gan", dataset="digits", steps=2, config={"hidden": 8}, verbose=False)
assert openmp.omp_get_dynamic() == 0
print([str(w.message) for w in shown if "OMP_DYNAMIC" in str(w.message)], result.outcome.steps)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "OMP_DYNAMIC": "true", "OMP_NUM_THREADS": "2"},
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert done.stdout.count("OMP_DYNAMIC is switched off") == 1
    assert done.stdout.strip().endswith("2")
